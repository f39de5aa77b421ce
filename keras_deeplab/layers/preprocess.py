"""Pixels to what a backbone was trained on."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from keras_deeplab._serialization import register
from keras_deeplab._types import Shape, Tensor
from keras_deeplab.layers import arguments


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How RGB pixels of 0 to 255 become a network's input: `(x - mean) * scale`."""

    mean: tuple[float, float, float]
    scale: float = 1.0
    bgr: bool = False

    @property
    def one_mean(self) -> bool:
        """Whether all channels have the same mean."""
        return len(set(self.mean)) == 1


PREPROCESSINGS: Mapping[str, Preprocessing] = MappingProxyType(
    {
        # -1 to 1: Xception, the MobileNets and the beta ResNets.
        "symmetric": Preprocessing(mean=(127.5, 127.5, 127.5), scale=1 / 127.5),
        # ImageNet weights of VGG-16 and ResNet, also those of keras.applications.
        "caffe": Preprocessing(mean=(123.68, 116.779, 103.939), bgr=True),
        # The released models of V1 and V2.
        "caffe_voc": Preprocessing(mean=(122.675, 116.669, 104.008), bgr=True),
        # Plain ResNets of the official TensorFlow code.
        "mean": Preprocessing(mean=(123.15, 115.90, 103.06)),
        "none": Preprocessing(mean=(0.0, 0.0, 0.0)),
    }
)


@register
class Preprocess(keras.layers.Layer):
    """Turns RGB pixels of 0 to 255 into a network's input.

    Args:
        mode: `"symmetric"` (-1 to 1), `"caffe"` (BGR less the ImageNet mean),
            `"caffe_voc"` (BGR less the mean of V1 and V2), `"mean"` (RGB less the
            mean), or `"none"`.
        **kwargs: Passed to `keras.layers.Layer`, for example `name`, `dtype`.

    Call arguments:
        inputs: RGB pixels of 0 to 255, see the input shape.

    Input shape:
        `(batch, height, width, 3)`. Height and width may be `None`.

    Output shape:
        The input's.

    Raises:
        ValueError: If `mode` is unknown.

    Examples:
        >>> layer = keras_deeplab.layers.Preprocess("symmetric")
        >>> float(layer(keras.ops.full((1, 1, 1, 3), 255.0))[0, 0, 0, 0])
        1.0
    """

    def __init__(self, mode: str, **kwargs: Any) -> None:
        arguments.check_choice(PREPROCESSINGS, mode=mode)
        # Under mixed precision Keras would round the pixels before they arrive.
        super().__init__(autocast=False, **kwargs)
        self.mode = mode

    def call(self, inputs: Tensor) -> Tensor:
        row = PREPROCESSINGS[self.mode]
        # In float32 even under mixed precision: 255 is coarse in half precision.
        pixels = ops.cast(inputs, "float32")
        # One number where it will do: LiteRT subtracts three ten times as slowly.
        mean = row.mean[0] if row.one_mean else row.mean
        outputs = (pixels - ops.convert_to_tensor(mean, "float32")) * row.scale
        if row.bgr:
            outputs = ops.flip(outputs, axis=-1)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}
