"""`segment` of any photo, by any way it is stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_deeplab import segment
from tests.inference.color_model import ColorModel
from tests.reliability.clearly import outcome

# What turns the stored picture upright, by the value of the EXIF tag.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a),
}
ORIENTATION = 0x0112

# Of each way to store black, red, green, blue and white: which of them it knows.
GREYS, COLORS = (0, 4), (0, 1, 2, 3, 4)
RGB = np.array(
    [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], "uint8"
)
# White is as red as it is green, and the first of them wins.
LABELS = np.array([0, 1, 2, 3, 1], "uint8")


def palette(indices: np.ndarray) -> Image.Image:
    image = Image.fromarray(indices.astype("uint8"))
    image.putpalette(RGB.tobytes())
    return image


def transparent(indices: np.ndarray) -> Image.Image:
    # White is what shows through: black that is not there.
    pixels = np.concatenate([RGB[indices], np.full((*indices.shape, 1), 255)], axis=-1)
    pixels[indices == 4] = 0
    return Image.fromarray(pixels.astype("uint8"), "RGBA")


MODES = {
    "grey": (GREYS, lambda i: Image.fromarray(RGB[i][..., 0])),
    "bits": (GREYS, lambda i: Image.fromarray(RGB[i][..., 0]).convert("1")),
    "16 bit": (GREYS, lambda i: Image.fromarray(RGB[i][..., 0].astype("uint16") * 257)),
    "palette": (COLORS, palette),
    "rgb": (COLORS, lambda i: Image.fromarray(RGB[i])),
    "rgba": (COLORS, transparent),
    "cmyk": (COLORS, lambda i: Image.fromarray(RGB[i]).convert("CMYK")),
}


@st.composite
def stored(draw: st.DrawFn) -> tuple[np.ndarray, Image.Image, int]:
    """Indices of colours, the picture of them, and how it lies."""
    side = st.sampled_from([1, 2, 3, 7, 32, 33])
    known, make = MODES[draw(st.sampled_from(list(MODES)))]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    indices = random.choice(known, (draw(side), draw(side)))
    return indices, make(indices), draw(st.sampled_from(list(UPRIGHT)))


@given(stored())
def test_labels_of_any_small_photo_are_those_of_its_pixels(
    tmp_path_factory: pytest.TempPathFactory,
    photo: tuple[np.ndarray, Image.Image, int],
) -> None:
    indices, image, orientation = photo
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path_factory.getbasetemp() / "any.tiff"
    image.save(path, exif=exif)
    expected = UPRIGHT[orientation](LABELS[indices])
    np.testing.assert_array_equal(segment(ColorModel(), path), expected)


@given(
    st.tuples(st.integers(1, 200), st.integers(1, 200)),
    st.sampled_from([None, 1, 5, 33, 500]),
    st.sampled_from([(None, None), (33, 17), (1, 1)]),
    st.sampled_from(["pad", "stretch"]),
)
def test_labels_of_any_size_at_any_input_have_the_size_of_the_photo(
    size: tuple[int, int],
    limit: int | None,
    sides: tuple[int | None, int | None],
    resize_mode: str,
) -> None:
    model = ColorModel(height=sides[0], width=sides[1], resize_mode=resize_mode)
    photo = np.zeros((*size, 3), "uint8")
    photo[..., 2] = 255
    if limit is not None and resize_mode == "stretch" and sides[0] is not None:
        with pytest.raises(ValueError, match=f"Received: size={limit}"):
            segment(model, photo, size=limit)
        return
    np.testing.assert_array_equal(segment(model, photo, size=limit), np.full(size, 3))


@given(
    st.sampled_from(["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM"]),
    st.data(),
)
def test_photo_with_any_bytes_changed_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, form: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.img"
    Image.fromarray(RGB[np.arange(20).reshape(4, 5) % 5]).save(path, form)
    path.write_bytes(changed(path.read_bytes(), data))
    labels, refusal = outcome(lambda: segment(ColorModel(), path))
    assert labels is not None or str(path) in refusal


def changed(whole: bytes, data: st.DataObject) -> bytes:
    """A file of which some bytes are others, or whose end is missing."""
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    return bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
