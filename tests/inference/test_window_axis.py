import numpy as np
import pytest

from keras_deeplab.inference.window_axis import WindowAxis

CASES = [
    (side, window, overlap, step)
    for side in (1, 40, 65, 66, 129, 200, 1000)
    for window in (32, 33, 65)
    for overlap in (0.0, 0.25, 0.5, 0.8)
    for step in (1, 8, 16)
]


@pytest.mark.parametrize(("side", "window", "overlap", "step"), CASES)
def test_windows_cover_the_side_at_multiples_of_the_step(
    side: int, window: int, overlap: float, step: int
) -> None:
    axis = WindowAxis.over(side, window, overlap, step)
    starts = np.array(axis.starts)
    assert starts[0] == 0
    assert (starts % step == 0).all()
    assert side <= starts[-1] + window < max(side, window) + step
    gaps = np.diff(starts)
    assert (gaps > 0).all()
    # No less than was asked for, unless the step is too long for it.
    assert (gaps <= max(step, window * (1 - overlap))).all()


@pytest.mark.parametrize(("side", "window", "overlap", "step"), CASES)
def test_weights_of_every_pixel_add_up_to_one(
    side: int, window: int, overlap: float, step: int
) -> None:
    axis = WindowAxis.over(side, window, overlap, step)
    total = np.zeros(side)
    for index in range(len(axis.starts)):
        weights = axis.weights(index)
        assert weights.dtype == np.float32
        assert 0 <= weights.min() <= weights.max() <= 1
        total[axis.span(index)] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)
    if len(axis.starts) == 1:
        assert (weights == 1).all()


def test_weights_of_two_windows_are_a_cosine_between_the_outer_quarters() -> None:
    axis = WindowAxis.over(24, 16, 0.5, 8)
    assert axis.starts == (0, 8)
    left, right = axis.weights(0), axis.weights(1)
    fade = 0.5 + 0.5 * np.cos(np.pi * np.array([1, 3, 5, 7]) / 8)
    np.testing.assert_allclose(left, [*[1] * 10, *fade, 0, 0], atol=1e-7)
    np.testing.assert_allclose(right, left[::-1], atol=1e-7)
