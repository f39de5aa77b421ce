"""MobileNetV2, up to its last bottleneck.

References:
    - [Sandler et al., 2018](https://arxiv.org/abs/1801.04381), table 2
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from keras_deeplab.backbones.inverted_residual import InvertedResidual
from keras_deeplab.backbones.mobilenet import MobileNetSpec
from keras_deeplab.backbones.spec import BackboneSpec

# Expansion, filters, repeats, stride of the first: the paper's table.
_TABLE = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _rows() -> Iterator[InvertedResidual]:
    for expansion, filters, repeats, stride in _TABLE:
        for repeat in range(repeats):
            yield InvertedResidual(
                filters=filters,
                expansion=expansion,
                stride=stride if repeat == 0 else 1,
            )


MOBILENETS_V2: Mapping[str, BackboneSpec] = MappingProxyType(
    {"mobilenet_v2": MobileNetSpec(rows=tuple(_rows()), decoder_rows=(2, 5, 12))}
)
