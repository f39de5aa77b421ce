import colorsys

import numpy as np
import pytest

from keras_deeplab.data.color_shift import ColorShift

PHOTO = np.random.default_rng(0).integers(60, 180, (5, 7, 3)).astype("uint8")
LUMA = np.array([0.299, 0.587, 0.114])


def test_shift_by_nothing_is_the_photo() -> None:
    np.testing.assert_allclose(ColorShift().apply(PHOTO), PHOTO, atol=1e-3)


def test_brightness_is_a_factor_and_stops_at_white() -> None:
    np.testing.assert_allclose(ColorShift(0.5).apply(PHOTO), PHOTO / 2, atol=1e-3)
    bright = ColorShift(2.0).apply(PHOTO)
    np.testing.assert_allclose(bright, np.minimum(PHOTO * 2.0, 255), atol=1e-3)


def test_contrast_is_a_factor_around_the_mean_luma() -> None:
    mean = (PHOTO @ LUMA).mean()
    expected = mean + 0.25 * (PHOTO - mean)
    found = ColorShift(contrast=0.25).apply(PHOTO)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    found = ColorShift(brightness=0.5, contrast=0.25).apply(PHOTO)
    np.testing.assert_allclose(found, expected / 2, atol=1e-3)


@pytest.mark.parametrize("saturation", [0.0, 0.5, 1.2])
def test_saturation_is_a_factor_around_each_pixels_luma(saturation: float) -> None:
    luma = (PHOTO @ LUMA)[..., None]
    expected = np.clip(luma + saturation * (PHOTO - luma), 0, 255)
    found = ColorShift(saturation=saturation).apply(PHOTO)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_hue_turns_colours_and_keeps_luma_and_grey() -> None:
    grey = np.full((2, 2, 3), 77, "uint8")
    np.testing.assert_allclose(ColorShift(hue=0.3).apply(grey), 77, atol=0.05)
    turned = ColorShift(hue=0.1).apply(PHOTO)
    np.testing.assert_allclose(turned @ LUMA, PHOTO @ LUMA, atol=0.05)
    assert np.abs(turned - PHOTO).max() > 5
    back = ColorShift(hue=-0.1).apply(turned)
    np.testing.assert_allclose(back, PHOTO, atol=0.05)


def test_hue_of_half_the_circle_is_the_opposite_hue() -> None:
    reddish = np.array([[[140, 100, 100]]], "uint8")
    red, green, blue = ColorShift(hue=0.5).apply(reddish)[0, 0] / 255
    assert colorsys.rgb_to_hsv(red, green, blue)[0] == pytest.approx(0.5, abs=0.05)
