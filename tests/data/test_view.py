import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data.color_shift import ColorShift
from keras_deeplab.data.decoded_pair import DecodedPair
from keras_deeplab.data.view import View

RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (20, 31, 3)).astype("uint8")
MASK = RANDOM.integers(0, 21, (20, 31)).astype("uint8")
PAIR = DecodedPair(Image.fromarray(PHOTO), MASK)
PAD = (1.4, 2.6, 3.0)
ROUNDED = (1, 3, 3)


# Sizes at which no centre falls between two pixels, where Pillow may take either.
@pytest.mark.parametrize("scaled", [(10, 15), (13, 40), (40, 62), (28, 42)])
@pytest.mark.parametrize("corner", [(0, 0), (3, 4)])
def test_window_is_that_of_the_whole_scaled_sample(
    scaled: tuple[int, int], corner: tuple[int, int]
) -> None:
    crop = (scaled[0] - 4, scaled[1] - 5)
    view = View(scaled=scaled, corner=corner, crop=crop).of(PAIR, PAD, 255)
    whole = Image.fromarray(PHOTO).resize(scaled[::-1], Image.Resampling.BILINEAR)
    mask = Image.fromarray(MASK).resize(scaled[::-1], Image.Resampling.NEAREST)
    (top, left), (height, width) = corner, crop
    window = slice(top, top + height), slice(left, left + width)
    # One step of rounding.
    np.testing.assert_allclose(
        view.image.astype(int), np.asarray(whole)[window], atol=1
    )
    np.testing.assert_array_equal(view.labels, np.asarray(mask)[window])
    assert view.image.dtype == "uint8"
    assert view.labels.dtype == MASK.dtype


def test_window_of_the_samples_own_size_is_exact() -> None:
    view = View(scaled=(20, 31), corner=(2, 3), crop=(8, 9)).of(PAIR, PAD, 255)
    np.testing.assert_array_equal(view.image, PHOTO[2:10, 3:12])
    np.testing.assert_array_equal(view.labels, MASK[2:10, 3:12])


def test_window_larger_than_the_sample_is_padded_at_the_bottom_and_right() -> None:
    view = View(scaled=(20, 31), corner=(0, 0), crop=(24, 40)).of(PAIR, PAD, 99)
    np.testing.assert_array_equal(view.image[:20, :31], PHOTO)
    np.testing.assert_array_equal(view.labels[:20, :31], MASK)
    outside = np.ones((24, 40), bool)
    outside[:20, :31] = False
    assert (view.image[outside] == ROUNDED).all()
    assert (view.labels[outside] == 99).all()


def test_flip_turns_photo_labels_and_padding_round() -> None:
    settings = {"scaled": (27, 42), "corner": (1, 0), "crop": (20, 50)}
    plain = View(**settings).of(PAIR, PAD, 255)
    flipped = View(**settings, flip=True).of(PAIR, PAD, 255)
    np.testing.assert_array_equal(flipped.image, plain.image[:, ::-1])
    np.testing.assert_array_equal(flipped.labels, plain.labels[:, ::-1])


def test_color_shift_changes_the_photo_and_not_its_padding() -> None:
    shift = ColorShift(brightness=0.5)
    view = View(scaled=(20, 31), corner=(0, 0), crop=(22, 31), color_shift=shift)
    image = view.of(PAIR, PAD, 255).image
    np.testing.assert_allclose(image[:20], PHOTO / 2, atol=0.51)
    assert (image[20:] == ROUNDED).all()


def test_pair_is_left_as_it_was() -> None:
    photo, mask = PHOTO.copy(), MASK.copy()
    view = View(scaled=(20, 31), corner=(0, 0), crop=(20, 31), flip=True)
    image, labels = view.of(PAIR, PAD, 255)
    image[:] = labels[:] = 0
    np.testing.assert_array_equal(np.asarray(PAIR.photo), photo)
    np.testing.assert_array_equal(PAIR.labels, mask)
