import pathlib
import shutil

import pytest

from keras_deeplab.training import find_data
from keras_deeplab.training.find_data import data_digest
from tests.data import trees
from tests.training import tiny_run


def test_folder_of_ones_own_takes_the_place_of_the_dataset(
    tmp_path: pathlib.Path,
) -> None:
    tiny_run.write_data(tmp_path)
    splits = find_data(tiny_run.recipe(), tmp_path)
    assert (len(splits.train), len(splits.val)) == (6, 2)
    assert splits.train.class_names == splits.val.class_names == tiny_run.CLASSES
    names = tmp_path / "other.txt"
    names.write_text("a\nb\nc\nd")
    named = find_data(tiny_run.recipe(), tmp_path, classes=names)
    assert named.val.class_names == ("a", "b", "c", "d")


def whole(root: pathlib.Path) -> pathlib.Path:
    """Six photos in a folder that is not split."""
    tiny_run.write_data(root)
    for part in ("images", "masks"):
        (root / "train" / part).rename(root / part)
    for part in ("train", "val"):
        shutil.rmtree(root / part)
    return root


@pytest.mark.parametrize(("validation", "count"), [(None, 1), (1, 1), (2, 2), (5, 5)])
def test_last_photos_by_name_of_a_folder_that_is_not_split_are_scored_on(
    validation: int | None, count: int, tmp_path: pathlib.Path
) -> None:
    said: list[str] = []
    splits = find_data(
        tiny_run.recipe(), whole(tmp_path), validation=validation, say=said.append
    )
    names = [[pair.image.name for pair in part.pairs] for part in splits]
    expected = [f"{index}.png" for index in range(6)]
    assert names == [expected[:-count], expected[-count:]]
    assert splits.train.class_names == splits.val.class_names == tiny_run.CLASSES
    assert said == [
        f"Scoring on the last {count} of 6 photos by name, {6 - count}.png to 5.png"
    ]


def test_number_of_photos_to_score_on_that_cannot_be_is_refused(
    tmp_path: pathlib.Path,
) -> None:
    root = whole(tmp_path / "whole")
    for wrong, message in ((6, r"must leave photos .* of 6"), (0, "of at least 1")):
        with pytest.raises(ValueError, match=message):
            find_data(tiny_run.recipe(), root, validation=wrong)
    split = tiny_run.write_data(tmp_path / "split")
    with pytest.raises(ValueError, match="`validation` is for a folder with images/"):
        find_data(tiny_run.recipe(), split, validation=2)


def test_dataset_of_the_recipe_is_found_in_its_own_layout(
    tmp_path: pathlib.Path,
) -> None:
    trees.voc2012(tmp_path)
    recipe = tiny_run.recipe(
        train_data=["voc2012", "train"], val_data=["voc2012", "val"]
    )
    with pytest.raises(ValueError, match="has 1464 pairs"):
        find_data(recipe, tmp_path)


def test_folder_that_is_neither_says_what_is_missing_of_both(
    tmp_path: pathlib.Path,
) -> None:
    with pytest.raises(ValueError, match="The dataset is not there"):
        find_data(tiny_run.recipe(), tmp_path)
    tiny_run.write_data(tmp_path)
    (tmp_path / "classes.txt").unlink()
    with pytest.raises(ValueError, match=r"367 pairs.*The second: .*no names"):
        find_data(tiny_run.recipe(), tmp_path)


def test_splits_of_different_classes_are_refused(tmp_path: pathlib.Path) -> None:
    tiny_run.write_data(tmp_path)
    (tmp_path / "val" / "classes.txt").write_text("sky\nstreet\nlawn")
    with pytest.raises(ValueError, match="must have the same classes"):
        find_data(tiny_run.recipe(), tmp_path)


def test_digest_changes_with_a_file_and_not_with_the_folder(
    tmp_path: pathlib.Path,
) -> None:
    digests = []
    for name in ("a", "b"):
        root = tiny_run.write_data(tmp_path / name)
        digests.append(data_digest(find_data(tiny_run.recipe(), root).train))
    assert digests[0] == digests[1]
    photo = tmp_path / "b" / "train" / "images" / "3.png"
    photo.write_bytes(photo.read_bytes() + b" ")
    changed = find_data(tiny_run.recipe(), tmp_path / "b").train
    assert data_digest(changed) != digests[0]


def test_recipe_of_an_unknown_dataset_is_told_by_its_field(
    tmp_path: pathlib.Path,
) -> None:
    recipe = tiny_run.recipe(val_data=["kitti", "val"], train_data=["kitti", "train"])
    with pytest.raises(ValueError, match="`train_data` must be one of 'voc2012'"):
        find_data(recipe, tmp_path)
