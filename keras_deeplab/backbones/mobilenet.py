"""What MobileNetV2 and V3 share: a stem, a table of bottlenecks, an end."""

import dataclasses
from collections.abc import Mapping

from keras_deeplab._types import Tensor
from keras_deeplab.backbones.inverted_residual import (
    InvertedResidual,
    inverted_residual,
    make_divisible,
    mobile_conv,
)
from keras_deeplab.backbones.strides import plan_strides


@dataclasses.dataclass(frozen=True, kw_only=True)
class MobileNetSpec:
    """A MobileNet, from a table of bottlenecks.

    `alpha` scales the channels. `divisible_by` rounds them: by default to multiples
    of 8 at width 1 and not at all at other widths, as the official DeepLab code does
    with MobileNetV2; its V3, and `keras.applications`, round to 8 at every width.
    `decoder_rows` are the bottlenecks
    whose depthwise output a decoder reads at strides 4, 8 and 16.
    """

    rows: tuple[InvertedResidual, ...]
    decoder_rows: tuple[int, int, int]
    stem_filters: int = 32
    stem_activation: str = "relu6"
    # Channels of the 1 x 1 convolution at the end, or none.
    last_filters: int | None = None
    alpha: float = 1.0
    divisible_by: int | None = None
    momentum: float = 0.997
    preprocessing: str = "symmetric"

    def __post_init__(self) -> None:
        if not isinstance(self.alpha, int | float) or not self.alpha > 0:
            raise ValueError(f"`alpha` must be above 0. Received: alpha={self.alpha!r}")
        if self.divisible_by is not None and self.divisible_by < 1:
            raise ValueError(
                "`divisible_by` must be at least 1. "
                f"Received: divisible_by={self.divisible_by!r}"
            )

    def features(self, inputs: Tensor, output_stride: int) -> Mapping[str, Tensor]:
        """See `BackboneSpec.features`."""
        strides = [2, *(row.stride for row in self.rows)]
        (stem_stride, _), *plan = plan_strides(strides, output_stride)
        x = self._conv(inputs, self.stem_filters, 3, "conv", stem_stride)
        depthwise = []
        pairs = zip(self.rows, plan, strict=True)
        for index, (row, (stride, rate)) in enumerate(pairs):
            name = f"expanded_conv_{index}" if index else "expanded_conv"
            x, end = inverted_residual(
                x,
                row,
                self._scaled(row.filters),
                name,
                stride=stride,
                rate=rate,
                momentum=self.momentum,
            )
            depthwise.append(end)
        if self.last_filters is not None:
            x = self._conv(x, self.last_filters, 1, "conv_1")
        c2, c3, c4 = (depthwise[index] for index in self.decoder_rows)
        return {"c2": c2, "c3": c3, "c4": c4, "c5": x}

    def _conv(
        self, x: Tensor, filters: int, size: int, name: str, stride: int = 1
    ) -> Tensor:
        return mobile_conv(
            x,
            self._scaled(filters),
            size,
            name,
            activation=self.stem_activation,
            momentum=self.momentum,
            stride=stride,
        )

    def _scaled(self, filters: int) -> int:
        divisor = self.divisible_by or (8 if self.alpha == 1 else 1)
        return make_divisible(filters * self.alpha, divisor)
