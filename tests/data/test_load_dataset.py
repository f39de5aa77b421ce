import dataclasses
import hashlib
import pathlib
import shutil
import sys
from types import MappingProxyType

import numpy as np
import pytest

from keras_deeplab.data import DATASETS, load_dataset
from tests.data import trees

CASES = {
    # Dataset, split: ids as in the list or else sorted, labels of a mask's first row.
    ("voc2012", "train"): (["2007_000063", "2007_000032"], [0, 20, 255]),
    ("voc2012", "val"): (["2007_000039"], [0, 20, 255]),
    ("voc2012_aug", "trainaug"): (["2007_000032", "2007_000063"], [0, 20, 255]),
    ("cityscapes", "train"): (
        ["aachen_000000_000019", "ulm_000007_000019"],
        [0, 18, 255],
    ),
    ("ade20k", "train"): (["ADE_train_00000001", "ADE_train_00000002"], [255, 0, 149]),
    ("camvid", "train"): (["0001TP_006690", "0001TP_006720"], [0, 10, 255]),
    ("oxford_pet", "trainval"): (["Abyssinian_100", "pug_9"], [0, 1, 2]),
}

CLASSES = {
    "voc2012": (21, "background", "tvmonitor"),
    "voc2012_aug": (21, "background", "tvmonitor"),
    "cityscapes": (19, "road", "bicycle"),
    "ade20k": (150, "wall", "flag"),
    "coco_voc": (21, "background", "tvmonitor"),
    "camvid": (11, "sky", "bicyclist"),
    "oxford_pet": (3, "pet", "border"),
}


@pytest.mark.parametrize(("name", "split"), CASES)
def test_pairs_and_labels_of_a_layout_are_those_of_the_distribution(
    name: str, split: str, tmp_path: pathlib.Path
) -> None:
    getattr(trees, name)(tmp_path)
    data = load_dataset(name, tmp_path, split, complete=False)
    ids, labels = CASES[name, split]
    assert [pair.image.stem.removesuffix("_leftImg8bit") for pair in data.pairs] == ids
    assert all(
        pair.mask.name.startswith(key)
        for key, pair in zip(ids, data.pairs, strict=True)
    )
    for index in range(len(data)):
        image, found = data.read(index)
        assert found.tolist() == [labels, labels]
        assert image.shape == (2, 3, 3)


@pytest.mark.parametrize("name", DATASETS)
def test_classes_of_a_dataset_are_named_once_each(name: str) -> None:
    names = DATASETS[name].class_names
    assert (len(names), names[0], names[-1]) == CLASSES[name]
    assert len(set(names)) == len(names)


def test_labels_of_cityscapes_are_the_19_train_ids() -> None:
    # The table of the dataset's own scripts, read there.
    known = {7: "road", 11: "building", 17: "pole", 19: "traffic light", 23: "sky"}
    known |= {24: "person", 26: "car", 28: "bus", 31: "train", 33: "bicycle"}
    spec = DATASETS["cityscapes"]
    label_map = spec.layouts[1].label_map
    assert label_map is not None
    for stored, name in known.items():
        assert spec.class_names[label_map[stored]] == name
    kept = {stored: label for stored, label in label_map.items() if label != 255}
    assert sorted(kept.values()) == list(range(19))
    assert set(label_map) == set(range(34))


def test_train_ids_of_cityscapes_are_preferred_and_read_as_they_are(
    tmp_path: pathlib.Path,
) -> None:
    trees.cityscapes(tmp_path)
    for key in ("aachen/aachen_000000_000019", "ulm/ulm_000007_000019"):
        path = f"gtFine/train/{key}_gtFine_labelTrainIds.png"
        trees.put(tmp_path, path, [18, 255, 0])
    data = load_dataset("cityscapes", tmp_path, "train", complete=False)
    assert data.read(0).labels[0].tolist() == [18, 255, 0]


def test_camvid_with_folders_of_images_and_masks_is_read_too(
    tmp_path: pathlib.Path,
) -> None:
    trees.put(tmp_path, "val/images/a.jpg")
    trees.put(tmp_path, "val/masks/a.png", [11, 3, 0])
    data = load_dataset("camvid", tmp_path, "val", complete=False)
    assert data.read(0).labels[0].tolist() == [255, 3, 0]


@pytest.mark.parametrize("below", ["VOCdevkit/VOC2012", "VOC2012", "."])
def test_dataset_below_the_folder_given_is_found(
    below: str, tmp_path: pathlib.Path
) -> None:
    trees.voc2012(tmp_path / below)
    assert len(load_dataset("voc2012", tmp_path, "train", complete=False)) == 2


@pytest.mark.parametrize(
    ("name", "split", "folder"),
    [
        ("voc2012", "train", "JPEGImages"),
        ("voc2012", "train", "SegmentationClass"),
        ("voc2012_aug", "trainaug", "SegmentationClassAug"),
        ("cityscapes", "train", "gtFine/train"),
        ("cityscapes", "train", "leftImg8bit/train"),
        ("ade20k", "train", "annotations/training"),
        ("camvid", "train", "trainannot"),
        ("oxford_pet", "trainval", "annotations/trimaps"),
    ],
)
def test_folder_that_is_missing_is_named(
    name: str, split: str, folder: str, tmp_path: pathlib.Path
) -> None:
    getattr(trees, name)(tmp_path)
    shutil.rmtree(tmp_path / folder)
    with pytest.raises(ValueError, match=f"no folder {tmp_path / folder}[. ].*root="):
        load_dataset(name, tmp_path, split, complete=False)


def test_coco_without_masks_says_how_to_draw_them(tmp_path: pathlib.Path) -> None:
    trees.put(tmp_path, "train2017/000000000009.jpg")
    with pytest.raises(ValueError, match=r"no folder .*voc_masks.*write_coco_masks"):
        load_dataset("coco_voc", tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "split", "file", "message"),
    [
        ("voc2012", "train", "ImageSets/Segmentation/train.txt", "list of ids is miss"),
        ("voc2012", "train", "JPEGImages/2007_000032.jpg", "Files are missing"),
        ("voc2012", "train", "SegmentationClass/2007_000032.png", "Files are missing"),
        ("voc2012_aug", "trainaug", "JPEGImages/2007_000032.jpg", "Files are missing"),
        ("ade20k", "train", "images/training/ADE_train_00000001.jpg", "are missing"),
    ],
)
def test_file_that_is_missing_is_named(
    name: str, split: str, file: str, message: str, tmp_path: pathlib.Path
) -> None:
    getattr(trees, name)(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ValueError, match=f"{message}.*no {tmp_path / file}"):
        load_dataset(name, tmp_path, split, complete=False)


def test_image_without_a_mask_is_not_left_out_silently(tmp_path: pathlib.Path) -> None:
    trees.ade20k(tmp_path)
    (tmp_path / "annotations/training/ADE_train_00000002.png").unlink()
    with pytest.raises(ValueError, match="no mask for ADE_train_00000002"):
        load_dataset("ade20k", tmp_path, "train", complete=False)


@pytest.mark.parametrize(("name", "split"), [("voc2012", "train"), ("ade20k", "train")])
def test_split_that_is_not_complete_is_refused_with_both_numbers(
    name: str, split: str, tmp_path: pathlib.Path
) -> None:
    getattr(trees, name)(tmp_path)
    count = DATASETS[name].splits[split].count
    with pytest.raises(ValueError, match=f"has {count} pairs.*Received: 2 pairs"):
        load_dataset(name, tmp_path, split)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("digest", "accepted"),
    [
        (digest_of("2007_000032\n2007_000063\n"), True),
        (digest_of("2007_000032\n2007_000063"), True),
        (digest_of("2007_000063\n2007_000032\n"), False),
    ],
)
def test_ids_of_trainaug_must_have_the_published_digest(
    digest: str, accepted: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.voc2012_aug(tmp_path)
    spec = DATASETS["voc2012_aug"]
    published = spec.splits["trainaug"]
    assert (published.count, published.digest[:8]) == (10582, "d1326bd5")
    split = dataclasses.replace(published, count=2, digest=digest)
    row = dataclasses.replace(spec, splits={"trainaug": split})
    table = MappingProxyType({"voc2012_aug": row})
    module = sys.modules["keras_deeplab.data.load_dataset"]
    monkeypatch.setattr(module, "DATASETS", table)
    if accepted:
        assert len(load_dataset("voc2012_aug", tmp_path, "trainaug")) == 2
    else:
        with pytest.raises(ValueError, match="not those of the published list"):
            load_dataset("voc2012_aug", tmp_path, "trainaug")


def test_list_of_trainaug_with_paths_is_read_as_ids(tmp_path: pathlib.Path) -> None:
    trees.voc2012_aug(tmp_path)
    line = "/JPEGImages/2007_000063.jpg /SegmentationClassAug/2007_000063.png\n\n"
    trees.put_text(tmp_path, "ImageSets/Segmentation/trainaug.txt", line)
    data = load_dataset("voc2012_aug", tmp_path, "trainaug", complete=False)
    assert [pair.mask.stem for pair in data.pairs] == ["2007_000063"]


def test_list_that_names_an_id_twice_is_refused(tmp_path: pathlib.Path) -> None:
    trees.voc2012(tmp_path)
    text = "2007_000063\n2007_000063\n"
    trees.put_text(tmp_path, "ImageSets/Segmentation/train.txt", text)
    with pytest.raises(ValueError, match=r"train\.txt with 2 lines, 1 different"):
        load_dataset("voc2012", tmp_path, "train", complete=False)


def test_names_that_are_unknown_are_answered_with_those_that_are(
    tmp_path: pathlib.Path,
) -> None:
    with pytest.raises(ValueError, match=r"`name` .*'cityscapes'.*name='voc'"):
        load_dataset("voc", tmp_path, "train")
    with pytest.raises(ValueError, match=r"`split` .*'trainval'.*split='test'"):
        load_dataset("voc2012", tmp_path, "test")


def test_camvid_of_the_real_files_is_complete(data_dir: pathlib.Path) -> None:
    for split, count in (("train", 367), ("val", 101)):
        data = load_dataset("camvid", data_dir / "camvid", split)
        assert len(data) == count
    image, labels = data.read(0)
    assert image.shape == (360, 480, 3)
    assert set(np.unique(labels)) <= {*range(11), 255}
