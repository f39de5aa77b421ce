"""Output stride to strides and rates: one pure function for every backbone."""

from collections.abc import Iterable

#: What `output_stride` may be.
OUTPUT_STRIDES = (8, 16, 32)


def plan_strides(
    strides: Iterable[int], output_stride: int
) -> tuple[tuple[int, int], ...]:
    """Trades strides for rates once the output stride is reached.

    A layer keeps its stride while the product of all strides stays within
    `output_stride`. A layer that has to give its stride up still runs at the rate
    before it, and only the layers after it multiply their rate: they then see every
    pixel that the strided network would have shown them, and the ones between.

    Args:
        strides: Stride of each layer of the ordinary network, in order.
        output_stride: Input pixels a feature at the end: 8, 16 or 32.

    Returns:
        `(stride, rate)` of each layer.

    Raises:
        ValueError: If `output_stride` is not 8, 16 or 32.
    """
    if output_stride not in OUTPUT_STRIDES:
        raise ValueError(
            f"`output_stride` must be 8, 16 or 32. Received: {output_stride=}"
        )
    plan = []
    reached, rate = 1, 1
    for stride in strides:
        if reached * stride <= output_stride:
            plan.append((stride, rate))
            reached *= stride
        else:
            plan.append((1, rate))
            rate *= stride
    return tuple(plan)
