import pathlib

import pytest

from keras_deeplab.data import list_photos, match_pairs


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("b.JPG", "a.png", "c.webp", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).touch()
    for name in ("a.labels.png", "a.overlay.png"):
        (tmp_path / name).touch()
    (tmp_path / "below.jpg").mkdir()
    return tmp_path


def test_photos_of_a_folder_are_its_images_sorted(folder: pathlib.Path) -> None:
    names = [path.name for path in list_photos([folder])]
    assert names == ["a.png", "b.JPG", "c.webp"]


def test_photos_of_files_and_folders_keep_their_order_and_come_once(
    folder: pathlib.Path,
) -> None:
    named = folder / "c.webp"
    names = [path.name for path in list_photos([named, str(folder), named])]
    assert names == ["c.webp", "a.png", "b.JPG"]


def test_photos_named_one_by_one_may_have_any_name(folder: pathlib.Path) -> None:
    paths = [folder / "notes.txt", folder / "a.labels.png"]
    assert list_photos(paths) == tuple(paths)


def test_photos_that_are_not_there_are_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.jpg"):
        list_photos([tmp_path / "no.jpg"])


def test_photos_of_an_empty_folder_are_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"no image files .*\.jpg"):
        list_photos([tmp_path])
    (tmp_path / "a.labels.png").touch()
    with pytest.raises(ValueError, match="only label maps and overlays"):
        list_photos([tmp_path])


def test_masks_are_found_by_the_name_of_their_photo_or_as_segment_calls_them(
    tmp_path: pathlib.Path,
) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder, names in (
        (images, ("a.jpg", "b.jpg", "c.labels.jpg")),
        (masks, ("a.png", "b.labels.png", "b.overlay.png", "c.labels.png")),
    ):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    found = [(pair.image.name, pair.mask.name) for pair in match_pairs(images, masks)]
    assert found == [
        ("a.jpg", "a.png"),
        ("b.jpg", "b.labels.png"),
        ("c.labels.jpg", "c.labels.png"),
    ]
    (masks / "a.labels.png").touch()
    with pytest.raises(ValueError, match="has the name of a"):
        match_pairs(images, masks)
