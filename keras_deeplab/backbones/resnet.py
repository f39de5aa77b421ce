"""ResNet-v1: the original layout, and the official DeepLab "beta" layout.

References:
    - [He et al., 2015](https://arxiv.org/abs/1512.03385), section 4.1
    - [Chen et al., 2017](https://arxiv.org/abs/1706.05587), section 3.2, for multi-grid
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import keras

from keras_deeplab._types import Tensor
from keras_deeplab.backbones.spec import BackboneSpec
from keras_deeplab.backbones.strides import plan_strides
from keras_deeplab.layers import ConvBlock, Sum


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResNetSpec:
    """A ResNet-v1 of bottleneck units.

    A stage takes its stride in its first unit's first convolution, as in the paper, in
    DeepLab V2 and in `keras.applications`; or, with `stride_last`, in its last unit's
    `3 x 3` convolution, as in the official TensorFlow code. Decoders read the last
    unit that still has a stage's resolution: its output, or with `stride_last` its
    residual before the addition, which is the official endpoint. `deep_stem` puts
    three `3 x 3` convolutions for the one of `7 x 7`: the "beta" networks have both.
    `multi_grid` multiplies the rates of the last stage's units.
    """

    blocks: tuple[int, int, int, int]
    stage_filters: tuple[int, int, int, int] = (64, 128, 256, 512)
    deep_stem: bool = False
    stride_last: bool = False
    multi_grid: tuple[int, ...] = (1, 1, 1)
    epsilon: float = 1e-5
    momentum: float = 0.95
    preprocessing: str = "caffe"

    def __post_init__(self) -> None:
        if len(self.blocks) != 4 or len(self.stage_filters) != 4:
            raise ValueError(
                "`blocks` and `stage_filters` must hold one number for each of 4 "
                f"stages. Received: blocks={self.blocks!r}, "
                f"stage_filters={self.stage_filters!r}"
            )
        if len(self.multi_grid) != self.blocks[-1]:
            raise ValueError(
                f"`multi_grid` must hold one rate for each of the last stage's "
                f"{self.blocks[-1]} units. Received: multi_grid={self.multi_grid!r}"
            )
        if self.stride_last and min(self.blocks[:3]) < 2:
            raise ValueError(
                "`blocks` must hold at least 2 units for each of the first three "
                "stages where the last unit strides. "
                f"Received: blocks={self.blocks!r}"
            )

    def features(self, inputs: Tensor, output_stride: int) -> Mapping[str, Tensor]:
        """See `BackboneSpec.features`."""
        plan = iter(plan_strides(self._strides(), output_stride))
        x = self._stem(inputs, plan)
        ends = []
        for stage, count in enumerate(self.blocks, start=1):
            for unit in range(1, count + 1):
                x, end = self._unit(x, stage, unit, plan)
                if unit == (count - 1 if self.stride_last else count):
                    ends.append(end if self.stride_last else x)
        return {"c2": ends[0], "c3": ends[1], "c4": ends[2], "c5": x}

    def _strides(self) -> Iterator[int]:
        # One entry for each layer that may stride: the stem's first convolution, its
        # pool, and in each unit the first and the 3 x 3 convolution.
        yield from (2, 2)
        for stage, count in enumerate(self.blocks, start=1):
            for unit in range(1, count + 1):
                if self.stride_last:
                    yield from (1, 2 if unit == count and stage < 4 else 1)
                else:
                    yield from (2 if unit == 1 and stage > 1 else 1, 1)

    def _stem(self, x: Tensor, plan: Iterator[tuple[int, int]]) -> Tensor:
        stride, _ = next(plan)
        if self.deep_stem:
            x = self._conv(x, self.stage_filters[0], 3, "conv1_1", stride=stride)
            x = self._conv(x, self.stage_filters[0], 3, "conv1_2")
            x = self._conv(x, 2 * self.stage_filters[0], 3, "conv1_3")
        else:
            x = self._conv(x, self.stage_filters[0], 7, "conv1", stride=stride)
        stride, _ = next(plan)
        if self.stride_last:
            return keras.layers.MaxPooling2D(3, stride, "same", name="pool1")(x)
        x = keras.layers.ZeroPadding2D(1, name="pool1_padding")(x)
        return keras.layers.MaxPooling2D(3, stride, "valid", name="pool1")(x)

    def _unit(
        self, x: Tensor, stage: int, unit: int, plan: Iterator[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        """One bottleneck; returns its output and its residual before the addition."""
        (stride1, rate1), (stride2, rate2) = itertools.islice(plan, 2)
        grid = self.multi_grid[unit - 1] if stage == len(self.blocks) else 1
        filters, name = self.stage_filters[stage - 1], f"block{stage}_unit{unit}"
        stride = stride1 * stride2
        shortcut = self._shortcut(x, 4 * filters, stride, f"{name}_shortcut")
        y = self._conv(x, filters, 1, f"{name}_conv1", stride=stride1, rate=rate1)
        y = self._conv(
            y, filters, 3, f"{name}_conv2", stride=stride2, rate=rate2 * grid
        )
        y = self._conv(y, 4 * filters, 1, f"{name}_conv3", activation=None)
        x = Sum(name=f"{name}_add")([shortcut, y])
        return keras.layers.ReLU(name=f"{name}_relu")(x), y

    def _shortcut(self, x: Tensor, filters: int, stride: int, name: str) -> Tensor:
        if x.shape[-1] != filters:
            return self._conv(x, filters, 1, name, stride=stride, activation=None)
        if stride == 1:
            return x
        return keras.layers.MaxPooling2D(1, stride, name=name)(x)

    def _conv(
        self,
        x: Tensor,
        filters: int,
        size: int,
        name: str,
        *,
        stride: int = 1,
        rate: int = 1,
        activation: str | None = "relu",
    ) -> Tensor:
        block = ConvBlock(
            filters,
            size,
            strides=stride,
            rate=rate if size > 1 else 1,
            epsilon=self.epsilon,
            momentum=self.momentum,
            activation=activation,
            kernel_initializer="he_normal",
            name=name,
        )
        return block(x)


def _beta(blocks: tuple[int, int, int, int]) -> ResNetSpec:
    # The official beta checkpoints were trained with this multi-grid.
    return ResNetSpec(
        blocks=blocks,
        deep_stem=True,
        stride_last=True,
        multi_grid=(1, 2, 4),
        preprocessing="symmetric",
    )


RESNETS: Mapping[str, BackboneSpec] = MappingProxyType(
    {
        "resnet50": ResNetSpec(blocks=(3, 4, 6, 3)),
        "resnet101": ResNetSpec(blocks=(3, 4, 23, 3)),
        "resnet50_beta": _beta((3, 4, 6, 3)),
        "resnet101_beta": _beta((3, 4, 23, 3)),
    }
)
