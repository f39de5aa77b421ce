import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.inference import read_labels, write_atomically, write_labels

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


def test_labels_in_colours_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(path)
    with pytest.raises(ValueError, match=r"not colours.*a\.png with mode RGB"):
        read_labels(path)


def test_labels_from_a_broken_file_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.png"
    write_labels(path, np.random.default_rng(0).integers(0, 9, (99, 99), "uint8"))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"whole image file.*a\.png"):
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
