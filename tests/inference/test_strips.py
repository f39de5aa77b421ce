import keras
import numpy as np
import pytest

from keras_deeplab.inference import strips
from keras_deeplab.inference.strips import resized_strips
from keras_deeplab.layers import resize_bilinear


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(9, 13, 4)).astype("float32")


@pytest.mark.parametrize("size", [(9, 13), (35, 50), (35, 13), (9, 50), (5, 3), (1, 1)])
def test_strips_of_any_height_are_the_whole_map(
    logits: np.ndarray, size: tuple[int, int]
) -> None:
    whole = np.concatenate(list(resized_strips(logits, size)))
    assert whole.shape == (*size, 4)
    for rows in (1, 2, 7, 100):
        parts = list(resized_strips(logits, size, rows))
        assert {len(part) for part in parts[:-1]} <= {rows}
        np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("size", [(9, 13), (35, 50), (5, 3), (1, 50), (257, 1)])
def test_strips_together_equal_the_one_resize(
    logits: np.ndarray, size: tuple[int, int]
) -> None:
    whole = np.concatenate(list(resized_strips(logits, size, rows=3)))
    expected = resize_bilinear(logits[None], size, align_corners=True)
    expected = keras.ops.convert_to_numpy(expected)[0]
    np.testing.assert_allclose(whole, expected, atol=1e-5)


def test_strips_of_a_map_of_one_row_repeat_it() -> None:
    row = np.array([[[1.0], [3.0]]], "float32")
    whole = np.concatenate(list(resized_strips(row, (2, 3))))
    assert whole[..., 0].tolist() == [[1, 2, 3], [1, 2, 3]]


def test_strips_take_their_weights_from_the_one_resize(
    logits: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nearest(
        side: int, new_side: int, align_corners: bool, rows: slice
    ) -> np.ndarray:
        assert align_corners
        return np.eye(new_side, side, dtype="float32")[rows]

    monkeypatch.setattr(strips, "interpolation_matrix", nearest)
    (strip,) = resized_strips(logits, (5, 13))
    np.testing.assert_array_equal(strip, logits[:5])


def test_strips_of_a_huge_photo_are_small() -> None:
    logits = np.zeros((5, 5, 21), "float32")
    parts = resized_strips(logits, (10_000, 10_000))
    assert next(parts).nbytes <= 64 * 2**20
