"""MobileNetV3, small and large, in the segmentation forms.

The last bottlenecks and the last convolution have half the channels of the
classification networks.

References:
    - [Howard et al., 2019](https://arxiv.org/abs/1905.02244), tables 1 and 2, and
      section 6.4 for the halving
"""

from collections.abc import Mapping
from types import MappingProxyType

from keras_deeplab.backbones.inverted_residual import InvertedResidual
from keras_deeplab.backbones.mobilenet import MobileNetSpec
from keras_deeplab.backbones.spec import BackboneSpec

# Kernel, expansion as a factor of the input, filters, stride, squeeze-excite, swish.
_LARGE = (
    (3, 1, 16, 1, False, False),
    (3, 4, 24, 2, False, False),
    (3, 3, 24, 1, False, False),
    (5, 3, 40, 2, True, False),
    (5, 3, 40, 1, True, False),
    (5, 3, 40, 1, True, False),
    (3, 6, 80, 2, False, True),
    (3, 200 / 80, 80, 1, False, True),
    (3, 184 / 80, 80, 1, False, True),
    (3, 184 / 80, 80, 1, False, True),
    (3, 6, 112, 1, True, True),
    (3, 6, 112, 1, True, True),
    (5, 336 / 112, 80, 2, True, True),
    (5, 480 / 80, 80, 1, True, True),
    (5, 480 / 80, 80, 1, True, True),
)
_SMALL = (
    (3, 1, 16, 2, True, False),
    (3, 72 / 16, 24, 2, False, False),
    (3, 88 / 24, 24, 1, False, False),
    (5, 4, 40, 2, True, True),
    (5, 6, 40, 1, True, True),
    (5, 6, 40, 1, True, True),
    (5, 3, 48, 1, True, True),
    (5, 3, 48, 1, True, True),
    (5, 144 / 48, 48, 2, True, True),
    (5, 288 / 48, 48, 1, True, True),
    (5, 288 / 48, 48, 1, True, True),
)


def _spec(
    table: tuple[tuple[int, float, int, int, bool, bool], ...],
    decoder_rows: tuple[int, int, int],
    last_filters: int,
) -> MobileNetSpec:
    rows = tuple(
        InvertedResidual(
            filters=filters,
            expansion=expansion,
            kernel_size=kernel_size,
            stride=stride,
            squeeze_excite=squeeze_excite,
            activation="hard_silu" if swish else "relu",
        )
        for kernel_size, expansion, filters, stride, squeeze_excite, swish in table
    )
    return MobileNetSpec(
        rows=rows,
        decoder_rows=decoder_rows,
        stem_filters=16,
        stem_activation="hard_silu",
        last_filters=last_filters,
        divisible_by=8,
    )


MOBILENETS_V3: Mapping[str, BackboneSpec] = MappingProxyType(
    {
        "mobilenet_v3_small": _spec(_SMALL, (0, 2, 7), 288),
        "mobilenet_v3_large": _spec(_LARGE, (2, 5, 11), 480),
    }
)
