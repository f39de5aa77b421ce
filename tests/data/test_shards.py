import json
import pathlib
import pickle
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.data import (
    Augmentation,
    SampleError,
    SegmentationData,
    SegmentationSequence,
    audit,
    load_folder,
    load_shards,
    make_dataset,
    write_shards,
)


def content(source: object) -> bytes:
    if isinstance(source, pathlib.Path):
        return source.read_bytes()
    whole = source.path.read_bytes()
    return whole[source.start : source.start + source.size]


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_files_come_back_byte_for_byte_in_their_order(
    shards: int, colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    steps: list[tuple[str, int, int]] = []
    write_shards(
        colored,
        tmp_path / "shards",
        shards=shards,
        progress=lambda *step: steps.append(step),
    )
    loaded = load_shards(tmp_path / "shards")
    assert len(list((tmp_path / "shards").glob("*.tfrecord"))) == shards
    assert steps[-1] == ("writing shards", 7, 7)
    assert len(loaded) == len(colored)
    for before, after in zip(colored.pairs, loaded.pairs, strict=True):
        for old, new in ((before.image, after.image), (before.mask, after.mask)):
            assert content(old) == content(new)
            assert old.name == new.name
    # Nothing but the folder is left.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images", "masks", "shards"]


def test_what_the_masks_mean_comes_back(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    for number, (ignore_label, label_map) in enumerate(
        [(255, None), (None, {0: 1, 1: 0}), (9, {0: 0, 1: 1, 200: 9})]
    ):
        data = SegmentationData(colored.pairs, ["a", "ü"], ignore_label, label_map)
        write_shards(data, tmp_path / f"{number}")
        loaded = load_shards(tmp_path / f"{number}")
        assert loaded.class_names == ("a", "ü")
        assert loaded.ignore_label == ignore_label
        assert loaded.label_map == label_map


def test_shards_are_records_that_tensorflow_reads(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards", shards=2)
    files = sorted(map(str, (tmp_path / "shards").glob("*.tfrecord")))
    spec = {
        name: tf.io.FixedLenFeature([], tf.string)
        for name in ("image", "mask", "image_name", "mask_name")
    }
    found = [
        tf.io.parse_single_example(record, spec)
        for record in tf.data.TFRecordDataset(files)
    ]
    for pair, example in zip(colored.pairs, found, strict=True):
        assert example["image"].numpy() == pair.image.read_bytes()
        assert example["mask"].numpy() == pair.mask.read_bytes()
        assert example["image_name"].numpy().decode() == pair.image.name


@pytest.mark.parametrize("maker", [make_dataset, SegmentationSequence])
def test_batches_of_shards_are_those_of_the_files(
    maker: object, colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards", shards=2)
    loaded = load_shards(tmp_path / "shards")
    options = {"batch_size": 3, "crop_size": 33, "augment": Augmentation(), "seed": 4}
    old, new = maker(colored, **options), maker(loaded, **options)
    assert len(old) == len(new) == 2
    pairs = zip(old, new, strict=True) if maker is make_dataset else [(old[1], new[1])]
    for (images, labels), (other_images, other_labels) in pairs:
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)


def test_shards_are_audited_and_sent_to_other_processes(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards")
    loaded = pickle.loads(pickle.dumps(load_shards(tmp_path / "shards")))
    assert audit(loaded).as_dict() == audit(colored).as_dict()


def test_shards_of_shards_are_the_same(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "a", shards=2)
    write_shards(load_shards(tmp_path / "a"), tmp_path / "b", shards=2)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_real_pairs_come_back(data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    data = load_folder(data_dir / "voc_sample")
    write_shards(data, tmp_path / "shards", shards=3)
    loaded = load_shards(tmp_path / "shards")
    for index in range(len(data)):
        old, new = data.read(index), loaded.read(index)
        np.testing.assert_array_equal(old.image, new.image)
        np.testing.assert_array_equal(old.labels, new.labels)


def test_loading_needs_no_tensorflow(
    colored: SegmentationData, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shards(colored, tmp_path / "shards")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    loaded = load_shards(tmp_path / "shards")
    np.testing.assert_array_equal(loaded.read(3).labels, colored.read(3).labels)


def test_broken_mask_in_a_shard_is_named_in_fit(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    colored.pairs[4].mask.write_bytes(b"no mask")
    write_shards(colored, tmp_path / "shards")
    loaded = load_shards(tmp_path / "shards")
    with pytest.raises(SampleError, match=r"tfrecord\[4\.png\] is not an image"):
        loaded.read(4)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(5, 1)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = make_dataset(loaded, batch_size=1, crop_size=None)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Put a whole copy"):
        model.fit(batches, verbose=0, shuffle=False)


def cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lengthen(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes() + b"0")


def damage(path: pathlib.Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut, r"is cut short: .*00001-of-00002\.tfrecord of \d+ bytes, not \d+"),
        (lengthen, r"is too long: .*00001-of-00002\.tfrecord"),
        (damage, r"is damaged: .*00001-of-00002\.tfrecord with SHA-256"),
    ],
)
def test_shard_that_is_not_whole_is_refused_by_name(
    spoil: object, message: str, colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards", shards=2)
    spoil(tmp_path / "shards" / "00001-of-00002.tfrecord")
    with pytest.raises(ValueError, match=message):
        load_shards(tmp_path / "shards")
    if spoil is damage:
        assert len(load_shards(tmp_path / "shards", verify=False)) == 7


def test_shard_that_is_cut_while_in_use_is_named(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards")
    loaded = load_shards(tmp_path / "shards")
    cut(tmp_path / "shards" / "00000-of-00001.tfrecord")
    with pytest.raises(OSError, match=r"tfrecord\[6\.png\] ends too early"):
        loaded.read(6)


def test_shard_that_is_missing_is_named(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards", shards=2)
    (tmp_path / "shards" / "00000-of-00002.tfrecord").unlink()
    with pytest.raises(FileNotFoundError, match="00000-of-00002"):
        load_shards(tmp_path / "shards")
    with pytest.raises(FileNotFoundError, match=r"shards\.json"):
        load_shards(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"shards": 3},
        {"shards": [{"file": "00000-of-00001.tfrecord"}]},
        {"label_map": [1]},
        {"class_names": None},
    ],
)
def test_index_of_another_form_is_refused(
    change: dict, colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    write_shards(colored, tmp_path / "shards")
    path = tmp_path / "shards" / "shards.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=r"another form.*shards\.json"):
        load_shards(tmp_path / "shards")
    path.write_text("{")
    with pytest.raises(ValueError, match=r"another form.*shards\.json"):
        load_shards(tmp_path / "shards")


def test_writing_that_fails_leaves_nothing(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    colored.pairs[5].mask.unlink()
    with pytest.raises(FileNotFoundError, match=r"5\.png"):
        write_shards(colored, tmp_path / "shards", shards=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "masks"]


def test_folder_appears_when_it_is_whole_and_not_if_writing_is_stopped(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    def stop(task: str, done: int, total: int) -> None:
        assert not (tmp_path / "shards").exists()
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(colored, tmp_path / "shards", shards=3, progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "masks"]


def test_folder_that_holds_something_is_refused_and_kept(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "shards").mkdir()
    write_shards(colored, tmp_path / "shards")
    before = {p: p.read_bytes() for p in (tmp_path / "shards").iterdir()}
    with pytest.raises(ValueError, match=r"`folder` must be new or empty.*shards"):
        write_shards(colored, tmp_path / "shards")
    assert {p: p.read_bytes() for p in (tmp_path / "shards").iterdir()} == before


@pytest.mark.parametrize("shards", [0, 8])
def test_number_of_shards_that_makes_no_sense_is_refused(
    shards: int, colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match=rf"`shards` .*shards={shards}"):
        write_shards(colored, tmp_path / "shards", shards=shards)
