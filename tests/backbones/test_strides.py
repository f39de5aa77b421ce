"""The planner against strides and rates that the papers and official code write out."""

import pytest

from keras_deeplab.backbones import plan_strides

# Stem, three entry blocks, two of the middle units, exit blocks: Xception-65.
_XCEPTION = (2, 2, 2, 2, 1, 1, 2, 1)
# Stem and the seventeen bottlenecks of MobileNetV2.
_MOBILENET = (2, 1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)


@pytest.mark.parametrize(
    ("strides", "output_stride", "expected_strides", "expected_rates"),
    [
        (_XCEPTION, 32, _XCEPTION, (1,) * 8),
        (_XCEPTION, 16, (2, 2, 2, 2, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1, 1, 2)),
        (_XCEPTION, 8, (2, 2, 2, 1, 1, 1, 1, 1), (1, 1, 1, 1, 2, 2, 2, 4)),
        (
            _MOBILENET,
            16,
            (2, 1, 2, 1, 2, 1, 1, 2, *[1] * 10),
            (*[1] * 15, 2, 2, 2),
        ),
        (
            _MOBILENET,
            8,
            (2, 1, 2, 1, 2, *[1] * 13),
            (*[1] * 8, *[2] * 7, 4, 4, 4),
        ),
    ],
)
def test_plan_strides_of_official_networks_gives_their_rates(
    strides: tuple[int, ...],
    output_stride: int,
    expected_strides: tuple[int, ...],
    expected_rates: tuple[int, ...],
) -> None:
    plan = plan_strides(strides, output_stride)
    assert tuple(stride for stride, _ in plan) == expected_strides
    assert tuple(rate for _, rate in plan) == expected_rates


@pytest.mark.parametrize("output_stride", [0, 4, 12, 64, None])
def test_plan_strides_of_other_output_strides_raises(output_stride: int) -> None:
    with pytest.raises(ValueError, match=r"`output_stride` must be 8, 16 or 32"):
        plan_strides((2, 2), output_stride)
