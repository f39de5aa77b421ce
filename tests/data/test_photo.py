import io
import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import read_photo

UPRIGHT = np.arange(2 * 3 * 3, dtype="uint8").reshape(2, 3, 3) * 10
# How a camera stores the upright picture under each EXIF orientation.
STORED = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.swapaxes(0, 1),
    6: np.rot90(UPRIGHT, 1),
    7: np.rot90(UPRIGHT.swapaxes(0, 1), 2),
    8: np.rot90(UPRIGHT, -1),
}


def saved(path: pathlib.Path, image: Image.Image, **options) -> pathlib.Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", STORED)
def test_photo_of_any_exif_orientation_comes_upright(
    orientation: int, suffix: str, tmp_path: pathlib.Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation]))
    path = saved(tmp_path / f"photo{suffix}", image, exif=exif)
    np.testing.assert_array_equal(read_photo(path), UPRIGHT)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(read_photo(opened), UPRIGHT)


def test_photo_from_a_jpeg_with_orientation_has_its_sides_swapped(
    tmp_path: pathlib.Path,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (40, 20), "red"), exif=exif)
    assert read_photo(path).shape == (40, 20, 3)


def test_photo_from_a_path_a_string_an_image_and_an_array_is_the_same(
    tmp_path: pathlib.Path,
) -> None:
    image = Image.fromarray(UPRIGHT)
    path = saved(tmp_path / "a.png", image)
    for source in (path, str(path), image, UPRIGHT):
        photo = read_photo(source)
        assert photo.dtype == np.uint8
        np.testing.assert_array_equal(photo, UPRIGHT)


def test_photo_made_of_an_array_is_a_copy() -> None:
    source = UPRIGHT.copy()
    read_photo(source)[:] = 0
    np.testing.assert_array_equal(source, UPRIGHT)


def palette_image(**info) -> Image.Image:
    image = Image.new("P", (1, 1), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.info.update(info)
    return image


@pytest.mark.parametrize(
    ("image", "suffix", "pixel"),
    [
        (Image.new("1", (1, 1), 1), ".png", (255, 255, 255)),
        (Image.new("L", (1, 1), 77), ".png", (77, 77, 77)),
        (Image.new("LA", (1, 1), (77, 0)), ".png", (255, 255, 255)),
        (Image.new("RGBA", (1, 1), (10, 20, 30, 255)), ".png", (10, 20, 30)),
        (Image.new("RGBA", (1, 1), (10, 20, 30, 0)), ".png", (255, 255, 255)),
        (Image.new("RGBA", (1, 1), (0, 100, 255, 51)), ".png", (204, 224, 255)),
        (palette_image(), ".png", (10, 20, 30)),
        (palette_image(transparency=1), ".png", (255, 255, 255)),
        (palette_image(), ".gif", (10, 20, 30)),
        (Image.new("CMYK", (1, 1), (255, 0, 0, 0)), ".tif", (0, 255, 255)),
        (Image.new("CMYK", (1, 1), (0, 0, 0, 255)), ".tif", (0, 0, 0)),
        (Image.new("I;16", (1, 1), 257 * 9), ".png", (9, 9, 9)),
        (Image.new("I;16", (1, 1), 65535), ".tif", (255, 255, 255)),
        (Image.new("I", (1, 1), 257 * 9 + 129), ".tif", (10, 10, 10)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_photo_of_any_mode_comes_as_rgb(
    image: Image.Image, suffix: str, pixel: tuple[int, ...], tmp_path: pathlib.Path
) -> None:
    for source in (image, saved(tmp_path / f"photo{suffix}", image)):
        assert read_photo(source).tolist() == [[list(pixel)]]


def test_photo_from_a_cmyk_jpeg_keeps_its_colours(tmp_path: pathlib.Path) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    photo = read_photo(saved(tmp_path / "a.jpg", image, quality=100))
    assert np.abs(photo.astype(int) - [255, 0, 0]).max() <= 2


def test_photo_from_a_16_bit_rgb_png_keeps_the_high_bytes(
    tmp_path: pathlib.Path,
) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", 0x1000, 0x8000, 0xFF00)
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )
    assert read_photo(path).tolist() == [[[0x10, 0x80, 0xFF]]]


def test_photo_from_an_animation_is_its_first_frame(tmp_path: pathlib.Path) -> None:
    frames = [Image.new("RGB", (2, 2), color) for color in ("red", "blue")]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert read_photo(path)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("array", "pixel"),
    [
        (np.full((1, 1), 7, "uint8"), [7, 7, 7]),
        (np.full((1, 1, 1), 7, "uint8"), [7, 7, 7]),
        (np.full((1, 1, 4), 0, "uint8"), [255, 255, 255]),
        (np.full((1, 1, 3), 257 * 5, "uint16"), [5, 5, 5]),
    ],
    ids=lambda value: str(getattr(value, "shape", "")),
)
def test_photo_of_an_array_of_any_shape_comes_as_rgb(
    array: np.ndarray, pixel: list[int]
) -> None:
    assert read_photo(array).tolist() == [[pixel]]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2, 3), "float32"),
        np.zeros((2, 2, 5), "uint8"),
        np.zeros((1, 2, 2, 3), "uint8"),
        np.zeros((0, 2, 3), "uint8"),
        np.zeros((2, 2), bool),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_photo_of_an_unusable_array_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Received: image of shape .*, dtype"):
        read_photo(array)


def test_photo_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="Received: image of type list"):
        read_photo([[0, 0, 0]])  # type: ignore[arg-type]


def png_bytes() -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), "uint8")
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def jpeg_bytes() -> bytes:
    file = io.BytesIO()
    read = Image.open(io.BytesIO(png_bytes()))
    read.save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not an image"),
        (b"hello, world", "is not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image"),
        (png_bytes()[:1000], "cannot be decoded"),
        (png_bytes()[:20], ""),
        (jpeg_bytes()[:1000], "cannot be decoded: image file is truncated"),
        (jpeg_bytes()[:100], ""),
    ],
    ids=["empty", "text", "eps", "png", "png header", "jpeg", "jpeg header"],
)
def test_photo_from_a_broken_file_is_refused_by_name(
    data: bytes, reason: str, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"{reason}.*Received: image=.*broken\.jpg"):
        read_photo(path)


def test_photo_that_unpacks_to_too_many_pixels_is_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    large = saved(tmp_path / "large.png", Image.new("L", (15, 10)))
    assert read_photo(large).shape == (10, 15, 3)
    bomb = saved(tmp_path / "bomb.png", Image.new("L", (21, 10)))
    with pytest.raises(ValueError, match=r"\(210 pixels\) exceeds .* image=.*bomb.png"):
        read_photo(bomb)


def test_photo_of_floating_point_is_refused(tmp_path: pathlib.Path) -> None:
    path = saved(tmp_path / "a.tif", Image.new("F", (2, 2), 0.5))
    with pytest.raises(ValueError, match=r"floating point.*a\.tif"):
        read_photo(path)


def test_photo_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.jpg"):
        read_photo(tmp_path / "no.jpg")
