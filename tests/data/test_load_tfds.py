import pathlib
import shutil
import sys
import zipfile
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_deeplab.data import (
    SampleError,
    SamplePair,
    SegmentationData,
    SegmentationSequence,
    load_dataset,
    load_tfds,
    make_dataset,
    write_labels,
)
from keras_deeplab.data.tfds_builder import SegmentationFolder
from tests.data import trees


def by_name(data: SegmentationData) -> dict[bytes, tuple[np.ndarray, np.ndarray]]:
    """The samples by what the photo holds, because TFDS has an order of its own."""
    samples = [data.read(index) for index in range(len(data))]
    return {sample.image.tobytes(): sample for sample in samples}


def check_equal(first: SegmentationData, second: SegmentationData) -> None:
    """The same photos with the same labels, which mean the same."""
    assert first.class_names == second.class_names
    assert first.ignore_label == second.ignore_label
    old, new = by_name(first), by_name(second)
    assert len(old) == len(first) == len(second)
    assert old.keys() == new.keys()
    for key, sample in old.items():
        np.testing.assert_array_equal(sample.image, new[key].image)
        np.testing.assert_array_equal(sample.labels, new[key].labels)


def prepare(builder: tfds.core.DatasetBuilder, **folders: pathlib.Path) -> None:
    """Lets TFDS make a dataset of what it would have downloaded and unpacked."""
    config = tfds.download.DownloadConfig(verify_ssl=False, register_checksums=False)
    with mock.patch.object(
        tfds.download.DownloadManager, "download_and_extract", return_value=folders
    ):
        builder.download_and_prepare(download_config=config)


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Oxford-IIIT Pet in the layout of its archives, and made by TFDS's own builder."""
    root = tmp_path_factory.mktemp("pets")
    trees.oxford_pet(root)
    for index, name in enumerate(("Abyssinian_100", "beagle_1", "pug_9")):
        color = (50 * index, 90, 200 - 30 * index)
        Image.new("RGB", (3, 2), color).save(root / "images" / f"{name}.jpg")
    trees.put_text(root, "annotations/test.txt", "beagle_1 6 2 1\n")
    box = "".join(f"<{k}>1</{k}>" for k in ("xmax", "xmin", "ymax", "ymin"))
    size = "<size><width>3</width><height>2</height></size>"
    for name in ("Abyssinian_100", "pug_9"):
        text = f"<a>{size}<object><bndbox>{box}</bndbox></object></a>"
        trees.put_text(root, f"annotations/xmls/{name}.xml", text)
    prepare(
        tfds.builder("oxford_iiit_pet", data_dir=root / "tfds"),
        images=root,
        annotations=root,
    )
    return root


@pytest.mark.parametrize(("split", "ours"), [("train", "trainval"), ("test", "test")])
def test_pets_of_tfds_are_those_of_the_distribution(
    split: str, ours: str, pets: pathlib.Path
) -> None:
    loaded = load_tfds("oxford_iiit_pet", split, data_dir=pets / "tfds")
    check_equal(load_dataset("oxford_pet", pets, ours, complete=False), loaded)
    # Stored are 1, 2 and 3.
    assert {*loaded.read(0).labels.flat} == {0, 1, 2}


def test_pets_of_tfds_are_trained_on(pets: pathlib.Path) -> None:
    data = load_tfds("oxford_iiit_pet", "train", data_dir=pets / "tfds")
    options = {"batch_size": 2, "crop_size": (2, 3)}
    (images, labels), *_ = make_dataset(data, **options)
    others = SegmentationSequence(data, **options)[0]
    np.testing.assert_array_equal(images, others[0])
    np.testing.assert_array_equal(labels, others[1])


def test_cityscapes_of_tfds_are_those_of_the_distribution(
    tmp_path: pathlib.Path,
) -> None:
    rng = np.random.default_rng(0)
    blocks = np.ones((32, 32), "uint8")
    for split in ("train", "val", "test"):
        key = f"{split}/ulm/ulm_000007_000019"
        (tmp_path / f"leftImg8bit/{split}/ulm").mkdir(parents=True)
        (tmp_path / f"gtFine/{split}/ulm").mkdir(parents=True)
        photo = Image.new("RGB", (2048, 1024), tuple(rng.integers(0, 256, 3)))
        photo.save(tmp_path / f"leftImg8bit/{key}_leftImg8bit.png")
        stored = np.kron(rng.integers(0, 34, (32, 64), "uint8"), blocks)
        mask = Image.fromarray(stored)
        mask.save(tmp_path / f"gtFine/{key}_gtFine_labelIds.png")
    (tmp_path / "manual").mkdir()
    for name, archive in (
        ("leftImg8bit", "leftImg8bit_trainvaltest.zip"),
        ("gtFine", "gtFine_trainvaltest.zip"),
    ):
        with zipfile.ZipFile(tmp_path / "manual" / archive, "w") as file:
            for path in sorted((tmp_path / name).rglob("*.png")):
                file.write(path, path.relative_to(tmp_path))
    builder = tfds.builder("cityscapes", data_dir=tmp_path / "tfds")
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "manual")
    builder.download_and_prepare(download_config=config)
    for split, ours in (("train", "train"), ("validation", "val")):
        loaded = load_tfds("cityscapes", split, data_dir=tmp_path / "tfds")
        check_equal(load_dataset("cityscapes", tmp_path, ours, complete=False), loaded)
        assert {*loaded.read(0).labels.flat} == {*range(19), 255}


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("voc", r"no segmentation masks: .*load_dataset\(\"voc2012\""),
        ("voc/2012", r"no segmentation masks.*source='voc/2012'"),
        ("scene_parse150", r"not the 150 classes .*load_dataset\(\"ade20k\""),
        ("coco/2017", r"no masks of classes: .*write_coco_masks"),
        ("mnist", "`source` must be one of 'cityscapes', 'oxford_iiit_pet'"),
    ],
)
def test_dataset_without_masks_is_refused_saying_what_to_use(
    name: str, advice: str
) -> None:
    with pytest.raises(ValueError, match=advice):
        load_tfds(name, "train")


def test_what_is_said_of_voc_and_ade20k_is_so() -> None:
    features = tfds.builder("voc/2012").info.features
    assert not [name for name in features if "mask" in name or "segm" in name]
    source = pathlib.Path(
        sys.modules[tfds.builder_cls("scene_parse150").__module__].__file__
    )
    assert "annotations_instance" in source.read_text()


def test_dataset_that_is_not_prepared_says_how(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"download_and_prepare\(\)` does.*no dataset"):
        load_tfds("oxford_iiit_pet", "train", data_dir=tmp_path)


def test_split_that_is_unknown_is_refused(pets: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"`split` must be one of 'test', 'train'"):
        load_tfds("oxford_iiit_pet", "val", data_dir=pets / "tfds")


def test_file_of_tfds_that_is_cut_short_is_named(
    pets: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    shutil.copytree(pets / "tfds", tmp_path / "tfds")
    (path,) = (tmp_path / "tfds").rglob("*test.tfrecord*")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"cut short or damaged.*test\.tfrecord"):
        load_tfds("oxford_iiit_pet", "test", data_dir=tmp_path / "tfds")


def test_tfds_that_is_not_installed_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    monkeypatch.delitem(sys.modules, "keras_deeplab.data.tfds_builder")
    with pytest.raises(ImportError, match=r"pip install 'keras-deeplab\[tfds\]'"):
        load_tfds("oxford_iiit_pet", "train")
    with pytest.raises(ImportError, match=r"pip install 'keras-deeplab\[tfds\]'"):
        import keras_deeplab.data.tfds_builder  # noqa: F401


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> SegmentationData:
    """Photos that TFDS would not read rightly as they are, and one that it would."""
    root = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    (root / "images").mkdir()
    (root / "masks").mkdir()
    pairs = []
    for name in (
        "plain.jpg",
        "turned.jpg",
        "cmyk.jpg",
        "grey.png",
        "clear.png",
        "a.tif",
    ):
        pixels = rng.integers(0, 256, (8, 16, 3), "uint8").repeat(4, 0).repeat(4, 1)
        photo, options = Image.fromarray(pixels), {}
        size = (32, 64)
        if name == "turned.jpg":
            options["exif"] = exif = Image.Exif()
            exif[0x0112] = 6
            size = (64, 32)
        modes = {"cmyk.jpg": "CMYK", "grey.png": "L", "clear.png": "RGBA"}
        photo.convert(modes.get(name, "RGB")).save(root / "images" / name, **options)
        labels = rng.integers(0, 3, size).astype("uint8")
        labels[0] = 9
        mask = root / "masks" / f"{pathlib.Path(name).stem}.png"
        write_labels(mask, labels)
        pairs.append((root / "images" / name, mask))
    return SegmentationData(
        [SamplePair(*pair) for pair in pairs],
        ["wall", "door", "window"],
        label_map={0: 2, 1: 1, 2: 0, 9: 255},
    )


def test_folder_made_a_tfds_dataset_is_read_by_tfds_and_by_us(
    own: SegmentationData, tmp_path: pathlib.Path
) -> None:
    part = SegmentationData(own.pairs[:2], own.class_names, label_map=own.label_map)
    builder = SegmentationFolder(
        {"train": own, "val": part}, name="rooms", data_dir=tmp_path
    )
    builder.download_and_prepare()
    assert builder.info.splits["train"].num_examples == 6
    names = {pair.image.name: index for index, pair in enumerate(own.pairs)}
    for example in tfds.as_numpy(builder.as_dataset(split="train")):
        index = names.pop(example["file_name"].decode())
        image, labels = own.read(index)
        # Two decoders of JPEG may differ by a little; all else became PNG.
        jpeg = own.pairs[index].image.name == "plain.jpg"
        difference = np.abs(example["image"].astype(int) - image).mean()
        assert difference <= (1 if jpeg else 0)
        np.testing.assert_array_equal(example["segmentation_mask"][..., 0], labels)
    assert names == {}
    folder = tmp_path / "segmentation_folder" / "rooms" / "1.0.0"
    plain = SegmentationData(own.pairs, own.class_names, label_map=own.label_map)
    check_equal(plain, load_tfds(folder, "train"))
    check_equal(part, load_tfds(folder, "val"))
    stored = own.pairs[0].image.read_bytes()
    assert any(stored in path.read_bytes() for path in folder.glob("*train*"))


def test_broken_folder_makes_no_tfds_dataset(
    own: SegmentationData, tmp_path: pathlib.Path
) -> None:
    data = SegmentationData(own.pairs, ["wall", "door"])
    builder = SegmentationFolder({"train": data}, name="rooms", data_dir=tmp_path)
    with pytest.raises(SampleError, match=r"plain\.png holds 2, 9, but labels"):
        builder.download_and_prepare()
    assert not (tmp_path / "segmentation_folder" / "rooms" / "1.0.0").exists()


def test_splits_of_different_classes_are_refused(own: SegmentationData) -> None:
    other = SegmentationData(own.pairs, ["a", "b"])
    with pytest.raises(ValueError, match=r"`splits` .*2 lists"):
        SegmentationFolder({"train": own, "val": other}, name="rooms")
    with pytest.raises(ValueError, match=r"`splits` .*splits=\[\]"):
        SegmentationFolder({}, name="rooms")


def test_tfds_folder_that_is_not_ours_is_refused(pets: pathlib.Path) -> None:
    folder = pets / "tfds" / "oxford_iiit_pet" / "4.0.0"
    with pytest.raises(ValueError, match=r"SegmentationFolder` made\. .*4\.0\.0"):
        load_tfds(folder, "train")
