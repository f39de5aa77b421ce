"""VGG-16 in the LargeFOV form of DeepLab V1.

References:
    - [Chen et al., 2014](https://arxiv.org/abs/1412.7062), section 3.1
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import keras

from keras_deeplab._types import Tensor
from keras_deeplab.backbones.spec import BackboneSpec
from keras_deeplab.backbones.strides import plan_strides
from keras_deeplab.layers import ConvBlock


@dataclasses.dataclass(frozen=True, kw_only=True)
class VGGSpec:
    """A VGG net: stages of `3 x 3` convolutions, a max pool after each.

    The pools are `3 x 3` as in DeepLab, not `2 x 2`. They pad as TensorFlow does,
    which is what Caffe does at odd sizes; at even ones Caffe's maps are a pixel
    larger. Below output stride 32 the last
    pool only smooths: like the official network it is not dilated, so `c5`, unlike
    `c2` to `c4`, is not a subsampling of the same net at a smaller output stride.
    """

    blocks: tuple[int, ...] = (2, 2, 3, 3, 3)
    stage_filters: tuple[int, ...] = (64, 128, 256, 512, 512)
    average_pool: bool = True
    preprocessing: str = "caffe"

    def __post_init__(self) -> None:
        if len(self.blocks) != 5 or len(self.stage_filters) != 5:
            raise ValueError(
                "`blocks` and `stage_filters` must hold one number for each of 5 "
                f"stages. Received: blocks={self.blocks!r}, "
                f"stage_filters={self.stage_filters!r}"
            )

    def features(self, inputs: Tensor, output_stride: int) -> Mapping[str, Tensor]:
        """See `BackboneSpec.features`."""
        # A stage is its convolutions, then a pool that halves the map.
        strides = [s for count in self.blocks for s in (*[1] * count, 2)]
        plan = iter(plan_strides(strides, output_stride))
        x, ends = inputs, []
        stages = zip(self.blocks, self.stage_filters, strict=True)
        for stage, (count, filters) in enumerate(stages, start=1):
            for index in range(1, count + 1):
                _, rate = next(plan)
                x = _conv(x, filters, rate, f"conv{stage}_{index}")
            ends.append(x)
            stride, _ = next(plan)
            x = keras.layers.MaxPooling2D(3, stride, "same", name=f"pool{stage}")(x)
        if self.average_pool:
            x = _average_pool(x)
        return {"c2": ends[2], "c3": ends[3], "c4": ends[4], "c5": x}


def _conv(x: Tensor, filters: int, rate: int, name: str) -> Tensor:
    block = ConvBlock(
        filters, rate=rate, batch_norm=False, kernel_initializer="he_normal", name=name
    )
    return block(x)


def _average_pool(x: Tensor) -> Tensor:
    # Caffe divides by nine at the border too, so the zeros have to be real ones.
    x = keras.layers.ZeroPadding2D(1, name="pool5a_padding")(x)
    return keras.layers.AveragePooling2D(3, 1, "valid", name="pool5a")(x)


VGGS: Mapping[str, BackboneSpec] = MappingProxyType({"vgg16": VGGSpec()})
