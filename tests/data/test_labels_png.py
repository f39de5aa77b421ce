import os
import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.data import read_labels, write_labels

LABELS = np.arange(256, dtype="uint8").reshape(16, 16)


def test_labels_written_and_read_are_the_same_and_8_bit_palette(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "a.png"
    write_labels(path, LABELS)
    np.testing.assert_array_equal(read_labels(path), LABELS)
    # Depth and colour type in the header: 8 bits, palette.
    assert path.read_bytes()[24:26] == b"\x08\x03"
    with Image.open(path) as image:
        assert image.convert("RGB").getpixel((1, 0)) == (128, 0, 0)


def test_labels_of_few_classes_are_8_bit_palette_too(tmp_path: pathlib.Path) -> None:
    write_labels(tmp_path / "a.png", np.zeros((3, 5), "uint8"))
    assert (tmp_path / "a.png").read_bytes()[24:26] == b"\x08\x03"


def test_labels_read_from_grey_files_are_the_stored_values(
    tmp_path: pathlib.Path,
) -> None:
    for index, image in enumerate(
        [
            Image.fromarray(LABELS),
            Image.fromarray(LABELS.astype("uint16")),
            Image.fromarray(LABELS > 9),
        ]
    ):
        path = tmp_path / f"{index}.png"
        image.save(path)
        expected = (LABELS > 9) if image.mode == "1" else LABELS
        np.testing.assert_array_equal(read_labels(path), expected)
        assert read_labels(path).dtype == ("uint16" if "16" in image.mode else "uint8")


def write_grey_png(path: pathlib.Path, bits: int, width: int, row: bytes) -> None:
    """Pillow does not write grey of 2 and 4 bits."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, bits, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("bits", "row", "labels"),
    [
        (1, b"\xb0", [1, 0, 1, 1]),
        (2, b"\x1b", [0, 1, 2, 3]),
        (4, b"\x01\x7f", [0, 1, 7, 15]),
        (16, b"\0\0\0\1\0\xff\xff\xff", [0, 1, 255, 65535]),
    ],
    ids=lambda value: f"{value} bits" if isinstance(value, int) else "",
)
def test_labels_from_grey_of_any_depth_are_the_stored_values(
    bits: int, row: bytes, labels: list[int], tmp_path: pathlib.Path
) -> None:
    write_grey_png(tmp_path / "a.png", bits, 4, row)
    assert read_labels(tmp_path / "a.png").tolist() == [labels]


@pytest.mark.parametrize("suffix", [".jpg", ".jp2", ".tif", ".gif"])
def test_labels_in_another_format_are_refused_with_the_reason(
    suffix: str, tmp_path: pathlib.Path
) -> None:
    # Whatever its name says.
    path = tmp_path / f"a{suffix}"
    Image.fromarray(LABELS).save(path)
    path.rename(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is of the format.*as PNG"):
        read_labels(tmp_path / "a.png")


def test_labels_are_not_looked_for_in_programs(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.png"
    # Pillow would hand this to Ghostscript.
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(ValueError, match=r"The mask is not an image.*a\.png"):
        read_labels(path)


def test_labels_that_unpack_to_too_many_pixels_are_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    write_labels(tmp_path / "large.png", np.zeros((10, 15), "uint8"))
    assert read_labels(tmp_path / "large.png").shape == (10, 15)
    write_labels(tmp_path / "bomb.png", np.zeros((10, 21), "uint8"))
    with pytest.raises(ValueError, match=r"\(210 pixels\) exceeds .*bomb\.png"):
        read_labels(tmp_path / "bomb.png")


def test_labels_in_colours_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(path)
    with pytest.raises(ValueError, match=r"a\.png holds colours.*mode is RGB"):
        read_labels(path)


def test_labels_from_a_broken_file_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.png"
    write_labels(path, np.random.default_rng(0).integers(0, 9, (99, 99), "uint8"))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"whole PNG file.*a\.png"):
        read_labels(path)


@pytest.mark.parametrize("labels", [LABELS.astype(int), LABELS[0]])
def test_labels_of_another_type_are_refused(
    labels: np.ndarray, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match=r"uint8 of shape \(H, W\)"):
        write_labels(tmp_path / "a.png", labels)


def test_file_that_fails_half_way_leaves_the_old_one_and_nothing_else(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(file) -> None:
        file.write(b"ne")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_file_written_has_the_permissions_of_any_new_file(
    tmp_path: pathlib.Path,
) -> None:
    write_atomically(tmp_path / "a", lambda file: file.write(b"1"))
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
