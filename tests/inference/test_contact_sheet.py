import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import (
    audit,
    label_colors,
    load_shards,
    write_labels,
    write_shards,
)
from keras_deeplab.inference import draw_contact_sheet

# Height of a row: a caption of 22, a tile of 240, a gap of 8.
ROW, LEFT, MIDDLE, RIGHT = 270, 8 + 160, 336 + 160, 664 + 160


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Ten pairs, photo and label of which tell their number."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for index in range(10):
        photo = Image.new("RGB", (64, 48), (20 * index, 0, 0))
        photo.save(tmp_path / "images" / f"{index}.png")
        write_labels(
            tmp_path / "masks" / f"{index}.png", np.full((48, 64), index, "u1")
        )
    (tmp_path / "classes.txt").write_text("\n".join("abcdefghij"))
    return tmp_path


def middles(sheet: Image.Image, rows: int, column: int) -> list[list[int]]:
    pixels = np.array(sheet)
    return [pixels[row * ROW + 142, column].tolist() for row in range(rows)]


def test_samples_are_spread_evenly_and_shown_in_three_ways(
    folder: pathlib.Path,
) -> None:
    sheet = draw_contact_sheet(audit(folder), samples=4)
    assert middles(sheet, 4, LEFT) == [[20 * i, 0, 0] for i in (0, 3, 6, 9)]
    colors = label_colors(10)[[0, 3, 6, 9]]
    assert middles(sheet, 4, MIDDLE) == colors.tolist()
    photos = np.array(middles(sheet, 4, LEFT))
    blends = 0.45 * photos + 0.55 * colors
    assert np.abs(np.array(middles(sheet, 4, RIGHT)) - blends).max() <= 1


def test_fewer_samples_than_asked_are_shown_once(folder: pathlib.Path) -> None:
    most, all_of_them = (
        draw_contact_sheet(audit(folder), samples=samples) for samples in (99, 10)
    )
    assert most.tobytes() == all_of_them.tobytes()
    assert middles(most, 10, LEFT) == [[20 * index, 0, 0] for index in range(10)]


def test_broken_files_come_first_also_those_without_a_partner(
    folder: pathlib.Path,
) -> None:
    write_labels(folder / "masks" / "7.png", np.full((48, 64), 200, "u1"))
    write_labels(folder / "masks" / "8.png", np.full((40, 40), 1, "u1"))
    (folder / "masks" / "2.png").unlink()
    (folder / "images" / "9.png").write_bytes(b"")
    (folder / "masks" / "9.png").unlink()
    sheet = draw_contact_sheet(audit(folder), samples=1)
    # 7 and 8; 2 has no partner; 9 cannot be shown; then one that is right, 0.
    assert middles(sheet, 4, LEFT) == [[20 * i, 0, 0] for i in (7, 8, 2, 0)]
    # What is stored is shown though it is no label.
    assert middles(sheet, 4, MIDDLE)[:3] == [
        label_colors(256)[200].tolist(),
        label_colors(2)[1].tolist(),
        [225] * 3,
    ]
    assert middles(sheet, 4, RIGHT)[1] == [225] * 3
    fewer = draw_contact_sheet(audit(folder), samples=1, broken=1)
    assert middles(fewer, 2, LEFT) == [[140, 0, 0], [0, 0, 0]]


def test_masks_are_shown_through_their_map(folder: pathlib.Path) -> None:
    data = audit(folder).data
    shifted = {label: (label + 1) % 10 for label in range(9)} | {9: 255}
    result = audit(type(data)(data.pairs, data.class_names, 255, shifted))
    found = middles(draw_contact_sheet(result, samples=10), 10, MIDDLE)
    assert found[:9] == label_colors(10)[1:].tolist()
    assert found[9] == label_colors(256)[255].tolist()


def test_sheet_of_shards_is_that_of_the_files(folder: pathlib.Path) -> None:
    result = audit(folder)
    write_shards(result.data, folder / "shards")
    shards = draw_contact_sheet(audit(load_shards(folder / "shards")))
    files = draw_contact_sheet(result)
    assert middles(shards, 6, RIGHT) == middles(files, 6, RIGHT)


def test_sheet_of_what_cannot_be_decoded_has_no_legend(folder: pathlib.Path) -> None:
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    sheet = draw_contact_sheet(audit(folder))
    assert sheet.size == (992, 10 * ROW)
