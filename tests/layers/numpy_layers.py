"""What the layers compute, written a second time and plainly, in float64."""

import numpy as np


def convolve(
    inputs: np.ndarray,
    kernel: np.ndarray,
    *,
    strides: int = 1,
    rate: int | tuple[int, int] = 1,
    padding: str = "symmetric",
    depthwise: bool = False,
) -> np.ndarray:
    """An ordinary convolution with a kernel whose holes are filled with zeros."""
    down, across = (rate, rate) if isinstance(rate, int) else rate
    spans = [(kernel.shape[0] - 1) * step + 1 for step in (down, across)]
    filled = np.zeros((*spans, *kernel.shape[2:]))
    filled[::down, ::across] = kernel
    sides = zip(inputs.shape[1:3], spans, strict=True)
    pads = [pads_of(side, span, strides, padding) for side, span in sides]
    padded = np.pad(inputs.astype("float64"), [(0, 0), *pads, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans, (1, 2))
    equation = "bhwcij,ijcf->bhwc" if depthwise else "bhwcij,ijcf->bhwf"
    return np.einsum(equation, windows[:, ::strides, ::strides], filled)


def pads_of(side: int, span: int, strides: int, padding: str) -> tuple[int, int]:
    """Zeros before and after one axis."""
    total = span - 1
    if padding == "same":
        new_side = -(-side // strides)
        total = max((new_side - 1) * strides + span - side, 0)
    return total // 2, total - total // 2


def batch_norm(
    inputs: np.ndarray, parameters: list[np.ndarray], epsilon: float
) -> np.ndarray:
    """Takes gamma, beta, the moving mean and the moving variance."""
    gamma, beta, mean, variance = parameters
    return gamma * (inputs - mean) / np.sqrt(variance + epsilon) + beta


def relu(inputs: np.ndarray) -> np.ndarray:
    return np.maximum(inputs, 0)


def resize(
    inputs: np.ndarray, size: tuple[int, int], *, align_corners: bool = True
) -> np.ndarray:
    """Interpolates along the rows, then along the columns."""
    for axis, new_side in enumerate(size, start=1):
        inputs = _resize_axis(inputs, axis, new_side, align_corners)
    return inputs


def _resize_axis(
    inputs: np.ndarray, axis: int, new_side: int, align_corners: bool
) -> np.ndarray:
    side = inputs.shape[axis]
    lines = []
    for index in range(new_side):
        if align_corners:
            position = index * (side - 1) / (new_side - 1) if new_side > 1 else 0.0
        else:
            position = min(max((index + 0.5) * side / new_side - 0.5, 0), side - 1)
        low = min(int(position), side - 1)
        high = min(low + 1, side - 1)
        share = position - low
        lines.append(
            (1 - share) * inputs.take(low, axis) + share * inputs.take(high, axis)
        )
    return np.stack(lines, axis)
