"""What all models share: configuration, sizes, the way from logits to an answer."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import keras

from keras_deeplab._types import Shape, Tensor
from keras_deeplab.backbones import (
    OUTPUT_STRIDES,
    BackboneSpec,
    canonical_name,
    get_backbone,
)
from keras_deeplab.layers import AtrousConv, Preprocess, Resize, arguments
from keras_deeplab.layers.preprocess import PREPROCESSINGS
from keras_deeplab.models.copy_weights import copy_weights
from keras_deeplab.models.layer_state import (
    LAYER_STATE,
    layer_state,
    restore_layer_state,
)
from keras_deeplab.models.shared_weights import SharedWeights

RESIZE_MODES = ("pad", "stretch")

Features = Mapping[str, Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """What a head has to know of the whole: sizes, and what to predict."""

    classes: int
    output_stride: int
    crop_size: tuple[int, int] | None

    @property
    def window(self) -> tuple[int, int] | None:
        """Features that a training crop covers: the window of image pooling."""
        if self.crop_size is None:
            return None
        height, width = self.crop_size
        return (height - 1) // self.output_stride + 1, (
            width - 1
        ) // self.output_stride + 1


class Segmenter(keras.Model):
    """A network from an image to one logit a class for every pixel.

    The base of all models; use one of them. A model is a functional Keras model whose
    configuration is plain data: a saved file holds the arguments below, and loading it
    downloads nothing.

    Args:
        head: The subclass's own arguments, passed to its `_logits`.
        backbone: A key of `keras_deeplab.backbones.BACKBONES`, or an alias.
        output_stride: Input pixels a feature: 8, 16 or 32. Weights fit every one.
        input_shape: Height, width and channels. Height and width may be `None`;
            sizes of the form `output_stride * k + 1` align exactly.
        classes: Number of classes, background included.
        classifier_activation: Activation of the output: `None` for logits,
            `"softmax"` for probabilities.
        class_names: A name for each class, or `None`.
        crop_size: Height and width of the training crops, or one integer. Sets the
            window of image pooling, and the least size to which
            `keras_deeplab.segment` pads a photo. `None` pools globally.
        resize_mode: How `keras_deeplab.segment` fits a photo to the input: `"pad"` at
            the bottom and right with the mean pixel, or `"stretch"`.
        preprocessing: Which preprocessing the weights expect, a key of
            `PREPROCESSINGS`; `None` for the backbone's own.
        include_preprocessing: Whether the model itself takes RGB pixels of 0 to 255.
            Otherwise it takes what `preprocess` returns.
        dtype: Dtype policy of the layers; `None` for the global one. The output is
            float32 under every policy.
        name: Name of the model.
        **backbone_options: Fields of the backbone's row, for example `alpha=0.5` for a
            MobileNet or `multi_grid=(1, 2, 4)` for a ResNet.

    Input shape:
        `(batch, height, width, 3)`, float32.

    Output shape:
        `(batch, height, width, classes)`, float32, at the input's size.

    Raises:
        ValueError: If an argument is out of range; the message says what is accepted.
        TypeError: If the backbone has no such option.
    """

    #: Backbones that make sense for the model.
    backbones: tuple[str, ...] = ()

    #: Builds the head, `(features, frame, **head) -> logits`, at any size.
    _logits: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        head: Mapping[str, Any],
        *,
        backbone: str,
        output_stride: int,
        input_shape: Shape = (None, None, 3),
        classes: int = 21,
        classifier_activation: Any = None,
        class_names: Sequence[str] | None = None,
        crop_size: int | tuple[int, int] | None = None,
        resize_mode: str = "pad",
        preprocessing: str | None = None,
        include_preprocessing: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **backbone_options: Any,
    ) -> None:
        arguments.check_channels_last()
        classes = arguments.positive(classes=classes)
        arguments.check_choice(RESIZE_MODES, resize_mode=resize_mode)
        if not isinstance(output_stride, Hashable) or (
            output_stride not in OUTPUT_STRIDES
        ):
            raise ValueError(
                f"`output_stride` must be 8, 16 or 32. Received: {output_stride=}"
            )
        output_stride = int(output_stride)
        input_shape = _checked_shape(input_shape)
        names = _checked_names(class_names, classes)
        found = self._checked_backbone(backbone)
        spec = get_backbone(found, **backbone_options)
        mode = preprocessing or spec.preprocessing
        arguments.check_choice(PREPROCESSINGS, preprocessing=mode)
        frame = Frame(
            classes=classes,
            output_stride=output_stride,
            crop_size=arguments.size_of(crop_size=crop_size),
        )
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        with _dtype_policy(policy):
            inputs = keras.Input(input_shape, name="image", dtype="float32")
            pixels = inputs
            if include_preprocessing:
                pixels = Preprocess(mode, name="preprocess")(inputs)
            logits = self._network(spec, pixels, frame, **head)
            outputs = _full_size(logits, inputs, classifier_activation)
        super().__init__(
            inputs=inputs, outputs=outputs, name=name or self._default_name(found)
        )
        self.classes = classes
        self.class_names = names
        self.crop_size = frame.crop_size
        self.resize_mode = resize_mode
        self.preprocessing = mode
        self.include_preprocessing = include_preprocessing
        self.output_stride = output_stride
        self.backbone = found
        self._arguments = {
            **head,
            "backbone": found,
            "output_stride": output_stride,
            "input_shape": input_shape,
            "classes": classes,
            "classifier_activation": keras.activations.serialize(
                keras.activations.get(classifier_activation)
            ),
            "class_names": names,
            "crop_size": frame.crop_size,
            "resize_mode": resize_mode,
            "preprocessing": mode,
            "include_preprocessing": include_preprocessing,
            "dtype": policy.name,
            # As the row holds them, so that a file's lists come back as tuples.
            **{option: getattr(spec, option) for option in backbone_options},
        }
        self._sharing = SharedWeights()

    @classmethod
    def _network(
        cls, spec: BackboneSpec, pixels: Tensor, frame: Frame, **head: Any
    ) -> Tensor:
        """Builds everything between the preprocessed pixels and the logits."""
        return cls._logits(spec.features(pixels, frame.output_stride), frame, **head)

    @property
    def pad_pixel(self) -> tuple[float, float, float]:
        """RGB of 0 to 255 that preprocessing turns into zero.

        Padding of this colour looks to the network like its convolutions' own.
        """
        return PREPROCESSINGS[self.preprocessing].mean

    @property
    def output_kind(self) -> str:
        """What the model answers with, `"logits"` or `"probabilities"`."""
        logits = self._arguments["classifier_activation"] == "linear"
        return "logits" if logits else "probabilities"

    def preprocess(self, images: Tensor) -> Tensor:
        """Turns RGB pixels of 0 to 255 into this model's input.

        Args:
            images: `(batch, height, width, 3)`, any numeric dtype, 0 to 255.

        Returns:
            The same shape, float32.
        """
        mode = "none" if self.include_preprocessing else self.preprocessing
        return Preprocess(mode, dtype="float32")(images)

    def with_arguments(self, **changes: Any) -> Self:
        """Returns a model of the same weights that was built with other arguments.

        Args:
            **changes: Arguments of the model, by name, that leave its weights as many
                and of the same shapes: `input_shape`, `crop_size`, `dtype`, ... Without
                any the result is a copy.

        Returns:
            A new model; this one is left as it is.

        Raises:
            ValueError: If an argument is out of range, or the weights do not fit it.
            TypeError: If the model has no such argument.
        """
        model = type(self).from_config({**self.get_config(), **changes})
        model.set_weights(self.get_weights())
        return model

    def with_output_stride(self, output_stride: int) -> Self:
        """Returns a model of the same weights that works at another output stride.

        Atrous rates and the image-pooling window keep their extent in pixels.

        Args:
            output_stride: Input pixels a feature: 8, 16 or 32.

        Returns:
            A new model; this one is left as it is.

        Raises:
            ValueError: If `output_stride` is not 8, 16 or 32.
        """
        return self.with_arguments(**self._at_output_stride(output_stride))

    def sharing_weights(
        self,
        *,
        output_stride: int | None = None,
        crop_size: int | tuple[int, int] | None = None,
    ) -> Self:
        """Returns a model for inference that works with this model's own weights.

        Unlike a copy it takes no memory for weights (but on JAX), and what this model
        learns it knows: ask for it again at each use, and do not train it. It is built
        the first time and kept.

        Args:
            output_stride: Input pixels a feature, as in `with_output_stride`.
            crop_size: Training crop, for another window of image pooling.

        Returns:
            A model, or this one where nothing differs.

        Raises:
            ValueError: If an argument is out of range.
        """
        changes: dict[str, Any] = {}
        if output_stride not in (None, self.output_stride):
            changes.update(self._at_output_stride(output_stride))
        crop = arguments.size_of(crop_size=crop_size)
        if crop not in (None, self.crop_size):
            changes["crop_size"] = crop
        if not changes:
            return self
        config = {**self.get_config(), **changes}
        key = (output_stride, crop)
        return self._sharing.get(self, key, lambda: type(self).from_config(config))

    def _at_output_stride(self, output_stride: Any) -> dict[str, Any]:
        changes = {"output_stride": output_stride}
        if output_stride in OUTPUT_STRIDES:
            factor = self.output_stride / output_stride
            changes.update(self._rescaled(self.get_config(), factor))
        return changes

    def with_dtype(self, dtype: Any) -> Self:
        """Returns a model of the same weights that computes in another precision.

        Args:
            dtype: A dtype policy or its name, such as `"mixed_float16"`.

        Returns:
            A new model; this one is left as it is.
        """
        return self.with_arguments(dtype=dtype)

    def with_classes(
        self, classes: int, class_names: Sequence[str] | None = None
    ) -> Self:
        """Returns a model for other classes, to be trained on them.

        The classifier starts anew, also for the same number of classes; every other
        weight is a copy of this model's.

        Args:
            classes: Number of classes, background included.
            class_names: A name for each class, or `None`.

        Returns:
            A new model; this one is left as it is.

        Raises:
            ValueError: If `classes` is not a positive integer, or `class_names` does
                not fit it.
        """
        changes = {"classes": classes, "class_names": class_names}
        model = type(self).from_config({**self.get_config(), **changes})
        copy_weights(self, model, classifier=False)
        return model

    def _rescaled(self, config: Mapping[str, Any], factor: float) -> dict[str, Any]:
        """The head's arguments that change with the output stride."""
        rates = config.get("atrous_rates")
        return {} if rates is None else {"atrous_rates": rescaled(rates, factor)}

    def get_config(self) -> dict[str, Any]:
        return {**self._arguments, "name": self.name, **layer_state(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        settings = dict(config)
        # Or a file could have another one opened, or downloaded.
        if "weights" in settings:
            raise ValueError(
                "`config` must not name `weights`: a saved model has its own. "
                f"Received: weights={settings['weights']!r}"
            )
        state = {key: settings.pop(key) for key in LAYER_STATE if key in settings}
        model = cls(**settings)
        restore_layer_state(model, **state)
        return model

    def _checked_backbone(self, backbone: str) -> str:
        found = canonical_name(backbone)
        if found not in self.backbones:
            raise ValueError(
                f"{type(self).__name__} has no such `backbone`. Choose one of: "
                f"{', '.join(self.backbones)}. Received: backbone={backbone!r}"
            )
        return found

    @classmethod
    def _default_name(cls, backbone: str) -> str:
        return f"{cls.__name__.lower()}_{backbone}"


def classifier(classes: int) -> AtrousConv:
    """The `1 x 1` convolution to logits, started small as in the official code."""
    initializer = keras.initializers.TruncatedNormal(stddev=0.01)
    return AtrousConv(classes, 1, kernel_initializer=initializer, name="logits")


def rescaled(steps: Sequence[int], factor: float) -> list[int]:
    """Rates or strides that span the same pixels at another output stride."""
    return [max(1, math.floor(step * factor)) for step in steps]


def _full_size(logits: Tensor, inputs: Tensor, activation: Any) -> Tensor:
    # Float32 whatever the policy: 21 classes at half precision tie too often.
    outputs = Resize(dtype="float32", name="upsampling")(logits, like=inputs)
    if keras.activations.get(activation) is keras.activations.linear:
        return outputs
    return keras.layers.Activation(activation, dtype="float32", name="predictions")(
        outputs
    )


def _checked_shape(input_shape: Shape) -> Shape:
    sides = tuple(input_shape) if isinstance(input_shape, Iterable) else ()
    known = arguments.integers(side for side in sides if side is not None)
    if not known or len(sides) != 3 or sides[-1] != 3 or min(known) < 1:
        raise ValueError(
            "`input_shape` must be a height, a width and 3 channels. "
            f"Received: {input_shape=}"
        )
    return tuple(None if side is None else int(side) for side in sides)


def _checked_names(
    class_names: Sequence[str] | None, classes: int
) -> tuple[str, ...] | None:
    if class_names is None:
        return None
    names = tuple(class_names) if isinstance(class_names, Iterable) else ()
    strings = not isinstance(class_names, str) and all(
        isinstance(name, str) for name in names
    )
    if not strings or len(names) != classes:
        raise ValueError(
            f"`class_names` must hold one name for each of the {classes} classes. "
            f"Received: class_names={class_names!r}"
        )
    return names


@contextlib.contextmanager
def _dtype_policy(policy: Any) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
