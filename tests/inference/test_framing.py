import numpy as np
import pytest

from keras_deeplab.inference.framing import PhotoFrame, frame_for, lay_out
from tests.inference.color_model import ColorModel

CROP = (33, 33)


@pytest.mark.parametrize(
    ("photo", "size", "content", "canvas"),
    [
        # Smaller than the crop: padded to it, never enlarged.
        ((10, 20), None, (10, 20), (33, 33)),
        ((33, 33), None, (33, 33), (33, 33)),
        # Longer than the crop: scaled down to it.
        ((66, 99), None, (22, 33), (33, 33)),
        ((4000, 3), None, (33, 1), (33, 33)),
        # Allowed to be larger: sides become 8 k + 1.
        ((50, 41), 99, (50, 41), (57, 41)),
        ((34, 20), 99, (34, 20), (41, 33)),
        ((200, 100), 100, (100, 50), (105, 57)),
        ((100, 100), 10, (10, 10), (33, 33)),
    ],
)
def test_frame_with_a_crop_and_free_input_is_padded_and_aligned(
    photo: tuple[int, int],
    size: int | None,
    content: tuple[int, int],
    canvas: tuple[int, int],
) -> None:
    frame = frame_for(ColorModel(crop_size=CROP), photo, size)
    assert frame == PhotoFrame(content=content, canvas=canvas)


def test_frame_without_a_crop_has_no_limit() -> None:
    frame = frame_for(ColorModel(crop_size=None), (100, 1))
    assert frame == PhotoFrame(content=(100, 1), canvas=(105, 1))


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_frame_at_any_output_stride_has_sides_of_its_multiples_and_one(
    output_stride: int,
) -> None:
    model = ColorModel(crop_size=(65, 65), output_stride=output_stride)
    for side in range(60, 140):
        ((height, width),) = [frame_for(model, (side, 1), 999).canvas]
        assert width == 65
        assert height >= max(side, 65)
        assert height < max(side, 65) + output_stride
        assert (height - 1) % output_stride == 0


def test_frame_for_a_fixed_input_fits_it_exactly() -> None:
    model = ColorModel(height=40, width=50)
    assert frame_for(model, (20, 20)) == PhotoFrame((20, 20), (40, 50))
    assert frame_for(model, (80, 50), 999) == PhotoFrame((40, 25), (40, 50))
    assert frame_for(model, (10, 100), 999) == PhotoFrame((5, 50), (40, 50))


def test_frame_for_a_stretching_model_is_its_whole_input() -> None:
    model = ColorModel(resize_mode="stretch", height=40, width=50)
    assert frame_for(model, (7, 900)) == PhotoFrame((40, 50), (40, 50), antialias=False)


def test_frame_for_a_stretching_model_of_free_input_is_padded() -> None:
    model = ColorModel(resize_mode="stretch")
    assert frame_for(model, (10, 20)) == PhotoFrame((10, 20), (33, 33))


def test_size_that_has_no_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 1\. Received: size=0"):
        frame_for(ColorModel(), (5, 5), 0)
    model = ColorModel(resize_mode="stretch", height=40, width=50)
    with pytest.raises(ValueError, match=r"40 x 50.* Received: size=99"):
        frame_for(model, (5, 5), 99)


def test_layout_of_a_padded_photo_keeps_its_pixels_and_pads_the_rest() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (3, 5, 3), "uint8")
    laid = lay_out(photo, PhotoFrame((3, 5), (9, 17)), (1.0, 2.5, 3.0))
    assert laid.dtype == np.float32
    assert laid.shape == (1, 9, 17, 3)
    np.testing.assert_array_equal(laid[0, :3, :5], photo)
    assert np.unique(laid[0, 3:], axis=None).tolist() == [1.0, 2.5, 3.0]
    np.testing.assert_array_equal(laid[0, 0, 5], [1.0, 2.5, 3.0])


def test_layout_of_a_shrunk_photo_averages_all_its_pixels() -> None:
    stripes = np.zeros((64, 64, 3), "uint8")
    stripes[:, ::2] = 200
    laid = lay_out(stripes, PhotoFrame((8, 8), (8, 8)), (0, 0, 0))
    np.testing.assert_allclose(laid, 100, atol=6)


def test_layout_of_a_stretched_photo_samples_at_half_pixel_centres() -> None:
    # Eight pixels to two: the centres lie at 1.5 and 5.5.
    ramp = np.zeros((1, 8, 3), "uint8")
    ramp[0, :, 0] = [0, 0, 10, 0, 0, 0, 90, 0]
    laid = lay_out(ramp, PhotoFrame((1, 2), (1, 2), antialias=False), (0, 0, 0))
    assert laid[0, 0, :, 0].tolist() == [5, 45]
