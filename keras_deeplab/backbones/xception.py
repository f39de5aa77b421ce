"""Aligned Xception: DeepLab's own modification.

References:
    - [Chen et al., 2018](https://arxiv.org/abs/1802.02611), section 3.2
"""

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import keras

from keras_deeplab._types import Tensor
from keras_deeplab.backbones.spec import BackboneSpec
from keras_deeplab.backbones.strides import plan_strides
from keras_deeplab.layers import ConvBlock, Sum


@dataclasses.dataclass(frozen=True, kw_only=True)
class Module:
    """Three separable convolutions; the stride, if any, is the third's."""

    filters: tuple[int, int, int]
    stride: int = 1
    # "conv": a strided 1 x 1 convolution; "sum": the input itself; "none".
    shortcut: str = "conv"
    # Whether ReLU follows both halves of each convolution, instead of preceding it.
    inner_activation: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class XceptionSpec:
    """An aligned Xception: entry, middle and exit flow.

    `decoder_blocks` are the entry blocks whose second convolution a decoder reads at
    strides 4 and 8. `multi_grid` multiplies the rates of the last module's three
    convolutions.
    """

    entry: tuple[Module, ...]
    middle_units: int
    decoder_blocks: tuple[int, int]
    multi_grid: tuple[int, int, int] = (1, 1, 1)
    epsilon: float = 1e-3
    momentum: float = 0.9997
    preprocessing: str = "symmetric"

    def __post_init__(self) -> None:
        if self.middle_units < 0:
            raise ValueError(
                "`middle_units` must not be negative. "
                f"Received: middle_units={self.middle_units!r}"
            )
        if len(self.multi_grid) != 3:
            raise ValueError(
                "`multi_grid` must hold one rate for each of the last module's 3 "
                f"convolutions. Received: multi_grid={self.multi_grid!r}"
            )

    def features(self, inputs: Tensor, output_stride: int) -> Mapping[str, Tensor]:
        """See `BackboneSpec.features`."""
        rows = list(self._modules())
        strides = [2, *(module.stride for _, module in rows)]
        (stem_stride, _), *plan = plan_strides(strides, output_stride)
        x = self._conv(inputs, 32, "entry_flow_conv1_1", stride=stem_stride)
        x = self._conv(x, 64, "entry_flow_conv1_2")
        seconds = {}
        for (name, module), (stride, rate) in zip(rows, plan, strict=True):
            x, seconds[name] = self._module(x, name, module, stride, rate)
        low, middle = (f"entry_flow_block{block}" for block in self.decoder_blocks)
        return {
            "c2": seconds[low],
            "c3": seconds[middle],
            "c4": seconds["exit_flow_block1"],
            "c5": x,
        }

    def _modules(self) -> Iterator[tuple[str, Module]]:
        for index, module in enumerate(self.entry, start=1):
            yield f"entry_flow_block{index}", module
        for unit in range(1, self.middle_units + 1):
            yield f"middle_flow_unit{unit}", _MIDDLE
        yield "exit_flow_block1", _EXIT_1
        yield "exit_flow_block2", _EXIT_2

    def _module(
        self, x: Tensor, name: str, module: Module, stride: int, rate: int
    ) -> tuple[Tensor, Tensor]:
        """One module; returns its output and that of its second convolution."""
        last = name == "exit_flow_block2"
        grid = self.multi_grid if last else (1, 1, 1)
        y, outputs = x, []
        for index, (filters, unit_rate) in enumerate(
            zip(module.filters, grid, strict=True), start=1
        ):
            y = self._separable(
                y,
                filters,
                f"{name}_conv{index}",
                stride=stride if index == 3 else 1,
                rate=rate * unit_rate,
                inner_activation=module.inner_activation,
            )
            outputs.append(y)
        if module.shortcut == "none":
            return y, outputs[1]
        if module.shortcut == "conv":
            x = self._conv(
                x, module.filters[-1], f"{name}_shortcut", 1, stride, activation=None
            )
        return Sum(name=f"{name}_add")([x, y]), outputs[1]

    def _separable(
        self,
        x: Tensor,
        filters: int,
        name: str,
        *,
        stride: int,
        rate: int,
        inner_activation: bool,
    ) -> Tensor:
        activation = "relu" if inner_activation else None
        if not inner_activation:
            x = keras.layers.ReLU(name=f"{name}_relu")(x)
        block = ConvBlock(
            filters,
            strides=stride,
            rate=rate,
            separable=True,
            epsilon=self.epsilon,
            momentum=self.momentum,
            activation=activation,
            depthwise_activation=activation,
            kernel_initializer=_initializer(),
            depthwise_initializer=_initializer(),
            name=name,
        )
        return block(x)

    def _conv(
        self,
        x: Tensor,
        filters: int,
        name: str,
        size: int = 3,
        stride: int = 1,
        activation: str | None = "relu",
    ) -> Tensor:
        block = ConvBlock(
            filters,
            size,
            strides=stride,
            epsilon=self.epsilon,
            momentum=self.momentum,
            activation=activation,
            kernel_initializer=_initializer(),
            name=name,
        )
        return block(x)


def _initializer() -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=0.09)


_MIDDLE = Module(filters=(728, 728, 728), shortcut="sum")
_EXIT_1 = Module(filters=(728, 1024, 1024), stride=2)
_EXIT_2 = Module(filters=(1536, 1536, 2048), shortcut="none", inner_activation=True)

_ENTRY = (
    Module(filters=(128, 128, 128), stride=2),
    Module(filters=(256, 256, 256), stride=2),
    Module(filters=(728, 728, 728), stride=2),
)
_ENTRY_71 = (
    Module(filters=(128, 128, 128), stride=2),
    Module(filters=(256, 256, 256)),
    Module(filters=(256, 256, 256), stride=2),
    Module(filters=(728, 728, 728)),
    Module(filters=(728, 728, 728), stride=2),
)

XCEPTIONS: Mapping[str, BackboneSpec] = MappingProxyType(
    {
        "xception41": XceptionSpec(entry=_ENTRY, middle_units=8, decoder_blocks=(2, 3)),
        "xception65": XceptionSpec(
            entry=_ENTRY, middle_units=16, decoder_blocks=(2, 3)
        ),
        "xception71": XceptionSpec(
            entry=_ENTRY_71, middle_units=16, decoder_blocks=(3, 5)
        ),
    }
)
