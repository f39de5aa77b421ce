import pathlib

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
