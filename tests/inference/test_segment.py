import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.inference import predict_logits, segment, strips
from tests.inference.color_model import ColorModel

BLACK, RED, GREEN, BLUE = np.eye(4, 3, -1, "uint8") * 255


def picture(rows: int, columns: int) -> np.ndarray:
    """Red at the top left, green at the bottom right, black elsewhere."""
    photo = np.zeros((rows, columns, 3), "uint8")
    photo[: rows // 2, : columns // 2] = RED
    photo[rows // 2 :, columns // 2 :] = GREEN
    return photo


def expected(rows: int, columns: int) -> np.ndarray:
    labels = np.zeros((rows, columns), "uint8")
    labels[: rows // 2, : columns // 2] = 1
    labels[rows // 2 :, columns // 2 :] = 2
    return labels


@pytest.mark.parametrize("size", [(1, 1), (10, 20), (33, 33), (20, 32)])
def test_labels_of_a_photo_within_the_crop_are_exact(size: tuple[int, int]) -> None:
    labels = segment(ColorModel(), picture(*size))
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, expected(*size))


@pytest.mark.parametrize("size", [(400, 300), (60, 400)])
def test_labels_of_a_scaled_photo_have_its_own_size(size: tuple[int, int]) -> None:
    labels = segment(ColorModel(), picture(*size))
    assert labels.shape == size
    # Only along the edges, which lie between pixels of the small picture.
    assert (labels == expected(*size)).mean() > 0.9


def test_labels_of_a_stretched_photo_have_its_own_size() -> None:
    model = ColorModel(resize_mode="stretch", height=33, width=33)
    labels = segment(model, picture(60, 200))
    assert (labels == expected(60, 200)).mean() > 0.95
    assert [x.shape for x in model.seen] == [(1, 33, 33, 3)]


def test_padding_reaches_the_model_as_zeros_and_no_further() -> None:
    model = ColorModel(crop_size=(33, 41))
    segment(model, np.full((10, 20, 3), 255, "uint8"))
    (seen,) = model.seen
    assert seen.shape == (1, 33, 41, 3)
    assert (seen[0, :10, :20] == 1).all()
    assert np.count_nonzero(seen) == 10 * 20 * 3


def test_logits_of_a_photo_within_the_crop_are_those_of_the_model() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), "uint8")
    logits = predict_logits(ColorModel(), photo)
    assert logits.dtype == np.float32
    assert logits.shape == (20, 30, 4)
    np.testing.assert_allclose(logits[..., 1:], photo / 127.5 - 1, atol=1e-6)


def test_labels_are_the_argmax_of_the_logits_in_strips_of_any_height(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (90, 70, 3), "uint8")
    logits = predict_logits(ColorModel(), photo)
    for values in (1, 70 * 4 * 7, 2**24):
        monkeypatch.setattr(strips, "_STRIP_VALUES", values)
        labels = segment(ColorModel(), photo)
        np.testing.assert_array_equal(labels, logits.argmax(axis=-1))


def test_labels_at_another_size_come_from_another_input() -> None:
    model = ColorModel()
    photo = picture(64, 64)
    np.testing.assert_array_equal(segment(model, photo, size=64), expected(64, 64))
    assert model.seen[0].shape == (1, 65, 65, 3)


def test_labels_of_a_turned_photo_are_upright(tmp_path: pathlib.Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(picture(20, 30), 1))
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    labels = segment(ColorModel(), tmp_path / "a.png")
    np.testing.assert_array_equal(labels, expected(20, 30))


def test_model_with_more_classes_than_a_byte_holds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Received: model.classes=257"):
        segment(ColorModel(classes=257), picture(4, 4))
