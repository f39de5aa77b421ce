"""The fully connected CRF as a layer of ordinary operations."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments, crf_weights
from keras_deeplab.layers.color_palette import (
    choose_palette,
    inverse_kernel,
    palette_rows,
    sample_colors,
)
from keras_deeplab.layers.crf_accuracy import CRF_ACCURACIES
from keras_deeplab.layers.crf_kernels import (
    CRFKernels,
    constant_kernels,
    variable_kernels,
)
from keras_deeplab.layers.crf_photo import Photo, clipped_logits, log_share
from keras_deeplab.layers.crf_presets import (
    CRF_PRESETS,
    CRFParameters,
)
from keras_deeplab.layers.mean_field import mean_field

# Half precision holds the sum of three squares of 128, and not of three of 255.
_MIDDLE = 128.0


@register
class DenseCRF(keras.layers.Layer):
    """Refines a segmentation along the edges of its photo: the fully connected CRF.

    Every pixel is compared with every other one: by place (`w_gaussian`,
    `theta_gamma`) and by place and colour together (`w_bilateral`, `theta_alpha`,
    `theta_beta`). Pixels that are alike then pull each other to one label, for a
    number of mean-field steps. Both kernels are scaled symmetrically by their row
    sums, the pixel itself included, as the reference library does by default.

    The answer approximates exact mean field: colours are compared through a palette
    that is chosen for each photo, places through tiles, and steps are taken on every
    fourth or second pixel, which speak for those near them. `"mobile"` brings the last
    message to the pixels between by their colours, and tells 15 labels apart: those
    that a photo has less of count as one, unless a compatibility is given or learned.
    `accuracy` names a row of `CRF_ACCURACIES`, which says what is spent;
    `docs/dense_crf.md` lists measured agreement with the exact answer, times and
    memory. Every pixel hears of all of the photo, near and far.

    Sizes must be known when the layer is called or traced, since the kernels of place
    are constants made for them. Photos of a batch are refined one after the other.
    With known sizes and one photo the layer converts to built-in TFLite operations.

    Scores are clipped so that no probability is under 1e-5 of the pixel's highest;
    probabilities need not sum to one. A score that is not a number makes the answer
    of its pixel so, and of the whole photo where a step reads that pixel, unless there
    is one class alone.

    Args:
        preset: `"v1"`, `"v2"` or `"pydensecrf"`: the published parameters, which the
            next six arguments replace one by one.
        w_bilateral: Weight of the term of place and colour.
        theta_alpha: Its width in place, in pixels. Tiles are at least 4 pixels
            across, so that a width under 8 is not followed well.
        theta_beta: Its width in colour, in steps of 0 to 255, at least 0.05. A palette
            follows a width under 1 less well.
        w_gaussian: Weight of the term of place alone.
        theta_gamma: Its width, in pixels.
        iterations: Mean-field steps of the exact answer that is followed; `accuracy`
            says how many of them are taken.
        compatibility: `"potts"`; a weight for each label; or a matrix of costs, row
            by row, of one label beside another (Potts: one less the identity).
        accuracy: `"accurate"`; `"mobile"` for a third of the time and one label in a
            hundred off the exact answer; or `"finest"` for twenty times the time and
            one in a thousand.
        from_logits: Whether the first input is logits, or else probabilities.
        trainable_parameters: Whether weights, widths and the compatibility, as a
            whole matrix, are learned. Widths and weights stay positive: they are
            softplus of what is learned, widths at least a fiftieth of the first.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: Logits or probabilities, see the input shape.
        image: The photo: RGB of 0 to 255, floating point or integer, at the same
            size.

    Input shape:
        `(batch, height, width, classes)` and `(batch, height, width, 3)`. Any height
        and width, known when the layer runs.

    Output shape:
        `(batch, height, width, classes)`: probabilities, in the compute dtype.

    Raises:
        ValueError: If a parameter is out of range, `compatibility` does not fit the
            classes, the two inputs differ in batch or size, the image has not three
            channels, or a size is unknown where the layer is traced.

    Examples:
        >>> crf = keras_deeplab.layers.DenseCRF("v1", accuracy="mobile")
        >>> logits, image = keras.ops.zeros((1, 33, 49, 21)), np.zeros((1, 33, 49, 3))
        >>> tuple(crf(logits, image).shape)
        (1, 33, 49, 21)

    References:
        - [Krähenbühl and Koltun, 2011](https://arxiv.org/abs/1210.5644)
        - [Chen et al., 2015](https://arxiv.org/abs/1412.7062), section 3.2 (V1)
        - [Chen et al., 2016](https://arxiv.org/abs/1606.00915), section 3.3 (V2)
        - [Zheng et al., 2015](https://arxiv.org/abs/1502.03240), for learning its
          parameters
    """

    def __init__(
        self,
        preset: str = "v1",
        *,
        w_bilateral: float | None = None,
        theta_alpha: float | None = None,
        theta_beta: float | None = None,
        w_gaussian: float | None = None,
        theta_gamma: float | None = None,
        iterations: int | None = None,
        compatibility: str | Sequence[Any] = "potts",
        accuracy: str = "accurate",
        from_logits: bool = True,
        trainable_parameters: bool = False,
        **kwargs: Any,
    ) -> None:
        arguments.check_choice(CRF_PRESETS, preset=preset)
        arguments.check_choice(CRF_ACCURACIES, accuracy=accuracy)
        parameters = _parameters(
            preset,
            w_bilateral=w_bilateral,
            theta_alpha=theta_alpha,
            theta_beta=theta_beta,
            w_gaussian=w_gaussian,
            theta_gamma=theta_gamma,
            iterations=iterations,
        )
        compatibility = crf_weights.compatibility_of(compatibility=compatibility)
        # Under mixed precision Keras would round pixels and scores on arrival.
        super().__init__(autocast=False, **kwargs)
        self.preset = preset
        self.w_bilateral = w_bilateral
        self.theta_alpha = theta_alpha
        self.theta_beta = theta_beta
        self.w_gaussian = w_gaussian
        self.theta_gamma = theta_gamma
        self.iterations = iterations
        self.crf_parameters = parameters
        self.compatibility = compatibility
        self.accuracy = accuracy
        self.from_logits = from_logits
        self.trainable_parameters = trainable_parameters

    def build(self, inputs_shape: Shape, image_shape: Shape) -> None:
        classes = _check_shapes(inputs_shape, image_shape)
        mix = crf_weights.compatibility_matrix(self.compatibility, classes)
        self._mix = None if mix is None else np.ascontiguousarray(mix.T)
        if self.trainable_parameters:
            start = np.eye(classes, dtype="float32") if mix is None else self._mix
            self._learned = crf_weights.add_weights(self, self.crf_parameters)
            self._mix = self.add_weight(
                shape=(classes, classes),
                initializer=lambda shape, dtype=None: ops.cast(start, dtype),
                dtype="float32",
                autocast=False,
                name="compatibility",
            )

    def call(self, inputs: Tensor, image: Tensor) -> Tensor:
        _check_shapes(inputs.shape, image.shape)
        if None in inputs.shape[1:3]:
            raise ValueError(
                "`inputs` must have a known height and width where the layer runs; "
                "give `keras.Input` the size. "
                f"Received: inputs.shape={tuple(inputs.shape)}"
            )
        scores = ops.cast(inputs, "float32")
        pixels = ops.cast(image, "float32") - _MIDDLE
        refine = functools.partial(self._refine, self._kernels(inputs.shape))
        if inputs.shape[0] == 1:
            outputs = refine((scores, pixels))
        else:
            outputs = ops.map(functools.partial(_one_by_one, refine), (scores, pixels))
        return ops.cast(outputs, self.compute_dtype)

    def learned_parameters(self) -> CRFParameters:
        """Returns the parameters as they are now, learned or given."""
        if not self.trainable_parameters:
            return self.crf_parameters
        values = crf_weights.values_of(self._learned, self.crf_parameters)
        found: dict[str, Any] = {name: float(values[name]) for name in values}
        return dataclasses.replace(self.crf_parameters, **found)

    def _refine(self, kernels: CRFKernels, pair: tuple[Tensor, Tensor]) -> Tensor:
        scores, pixels = pair
        accuracy = CRF_ACCURACIES[self.accuracy]
        # Chosen at the first width: a palette that moved with it has no gradient.
        theta = self.crf_parameters.theta_beta
        sample = sample_colors(pixels, accuracy.sample) / theta
        palette = choose_palette(sample, accuracy.colors(theta), accuracy.palette_steps)
        palette = palette * (theta / kernels.theta_beta)
        photo = Photo(
            scores=scores,
            colors=pixels / kernels.theta_beta,
            palette=palette_rows(palette),
            inverse=inverse_kernel(palette),
            snap=accuracy.snap,
            unary=clipped_logits if self.from_logits else log_share,
        )
        return mean_field(photo, kernels)

    def _kernels(self, shape: Shape) -> CRFKernels:
        size, parameters = (shape[1] or 0, shape[2] or 0), self.crf_parameters
        if not self.trainable_parameters:
            kernels = constant_kernels(size, parameters, self.accuracy)
            return kernels.with_mix(self._mix)
        values = crf_weights.values_of(self._learned, parameters)
        kernels = variable_kernels(size, parameters, self.accuracy, values)
        return kernels.with_mix(ops.convert_to_tensor(self._mix))

    def compute_output_shape(self, inputs_shape: Shape, image_shape: Shape) -> Shape:
        return tuple(inputs_shape)

    def get_config(self) -> dict[str, Any]:
        # As checked: NumPy's numbers are welcome, and no JSON.
        replaced = {
            name: None if getattr(self, name) is None else value
            for name, value in dataclasses.asdict(self.crf_parameters).items()
        }
        return {
            **super().get_config(),
            "preset": self.preset,
            **replaced,
            "compatibility": self.compatibility,
            "accuracy": self.accuracy,
            "from_logits": self.from_logits,
            "trainable_parameters": self.trainable_parameters,
        }


def _one_by_one(
    refine: Callable[[tuple[Tensor, Tensor]], Tensor], pair: tuple[Tensor, Tensor]
) -> Tensor:
    scores, pixels = (ops.expand_dims(values, 0) for values in pair)
    return ops.squeeze(refine((scores, pixels)), 0)


def _parameters(preset: str, **replaced: Any) -> CRFParameters:
    given = {name: value for name, value in replaced.items() if value is not None}
    return dataclasses.replace(CRF_PRESETS[preset], **given).checked()


def _check_shapes(inputs_shape: Shape, image_shape: Shape) -> int:
    classes = arguments.channels_of(inputs_shape)
    if len(image_shape) != 4 or image_shape[-1] != 3:
        raise ValueError(
            "`image` must have the shape (batch, height, width, 3). "
            f"Received: image.shape={tuple(image_shape)}"
        )
    for here, there in zip(inputs_shape[:3], image_shape[:3], strict=True):
        if None not in (here, there) and here != there:
            raise ValueError(
                "`image` must have the batch, height and width of `inputs`. Received: "
                f"inputs.shape={tuple(inputs_shape)}, image.shape={tuple(image_shape)}"
            )
    return classes
