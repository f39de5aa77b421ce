import colorsys

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data.color_shift import ColorShift

PHOTO = np.random.default_rng(0).integers(60, 180, (5, 7, 3)).astype("uint8")
# Half a step of rounding.
STEP = 0.51
LUMA = np.array([0.299, 0.587, 0.114])


def shifted(photo: np.ndarray, shift: ColorShift) -> np.ndarray:
    image = Image.fromarray(photo.astype("uint8"))
    return np.asarray(shift.apply(image)).astype(float)


def test_shift_by_nothing_is_the_photo() -> None:
    np.testing.assert_allclose(shifted(PHOTO, ColorShift()), PHOTO, atol=STEP)


def test_brightness_is_a_factor_and_stops_at_white() -> None:
    np.testing.assert_allclose(shifted(PHOTO, ColorShift(0.5)), PHOTO / 2, atol=STEP)
    bright = shifted(PHOTO, ColorShift(2.0))
    np.testing.assert_allclose(bright, np.minimum(PHOTO * 2.0, 255), atol=STEP)


def test_contrast_is_a_factor_around_the_mean_luma() -> None:
    # Pillow rounds the luma of each pixel.
    mean = (PHOTO @ LUMA).round().mean()
    expected = mean + 0.25 * (PHOTO - mean)
    found = shifted(PHOTO, ColorShift(contrast=0.25))
    np.testing.assert_allclose(found, expected, atol=STEP)
    found = shifted(PHOTO, ColorShift(brightness=0.5, contrast=0.25))
    np.testing.assert_allclose(found, expected / 2, atol=STEP)


@pytest.mark.parametrize("saturation", [0.0, 0.5, 1.2])
def test_saturation_is_a_factor_around_each_pixels_luma(saturation: float) -> None:
    luma = (PHOTO @ LUMA)[..., None]
    expected = np.clip(luma + saturation * (PHOTO - luma), 0, 255)
    found = shifted(PHOTO, ColorShift(saturation=saturation))
    np.testing.assert_allclose(found, expected, atol=STEP)


def test_hue_turns_colours_and_keeps_luma_and_grey() -> None:
    grey = np.full((2, 2, 3), 77, "uint8")
    np.testing.assert_allclose(shifted(grey, ColorShift(hue=0.3)), 77, atol=STEP)
    turned = shifted(PHOTO, ColorShift(hue=0.1))
    np.testing.assert_allclose(turned @ LUMA, PHOTO @ LUMA, atol=STEP)
    assert np.abs(turned - PHOTO).max() > 5
    back = shifted(turned, ColorShift(hue=-0.1))
    # Cut to whole steps once more on the way.
    np.testing.assert_allclose(back, PHOTO, atol=3)


def test_hue_of_half_the_circle_is_the_opposite_hue() -> None:
    reddish = np.array([[[140, 100, 100]]], "uint8")
    red, green, blue = shifted(reddish, ColorShift(hue=0.5))[0, 0] / 255
    assert colorsys.rgb_to_hsv(red, green, blue)[0] == pytest.approx(0.5, abs=0.05)
