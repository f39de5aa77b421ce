import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_deeplab.data import (
    Augmentation,
    SegmentationData,
    SegmentationSequence,
    load_folder,
    make_dataset,
    write_labels,
)
from tests.data import replicas_worker

ROOT = pathlib.Path(__file__).parents[2]
OPTIONS = {"crop_size": (33, 49), "augment": Augmentation(hue=0.1), "seed": 5}


def batches(dataset: tf.data.Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


@pytest.mark.parametrize("options", [OPTIONS, {"crop_size": 81}])
@pytest.mark.parametrize("cache", [False, True])
def test_batches_of_every_epoch_are_those_of_the_sequence(
    options: dict, cache: bool, colored: SegmentationData
) -> None:
    settings = {**options, "batch_size": 3, "cache": cache}
    dataset = make_dataset(colored, **settings)
    sequence = SegmentationSequence(colored, **settings)
    for _ in range(3):
        found = batches(dataset)
        assert len(found) == len(dataset) == len(sequence)
        for (images, labels), index in zip(found, range(len(sequence)), strict=True):
            np.testing.assert_array_equal(images, sequence[index][0])
            np.testing.assert_array_equal(labels, sequence[index][1])
        sequence.on_epoch_begin()
        sequence.on_epoch_end()


def test_epochs_differ_and_begin_where_asked(colored: SegmentationData) -> None:
    first = make_dataset(colored, batch_size=7, **OPTIONS)
    third = make_dataset(colored, batch_size=7, first_epoch=2, **OPTIONS)
    epochs = [batches(first)[0][0] for _ in range(3)]
    assert not np.array_equal(epochs[0], epochs[1])
    np.testing.assert_array_equal(batches(third)[0][0], epochs[2])


def test_endless_dataset_goes_on_with_new_epochs_and_begins_anew(
    colored: SegmentationData,
) -> None:
    settings = {"batch_size": 3, **OPTIONS}
    endless = make_dataset(colored, repeat=True, **settings)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    apart = make_dataset(colored, **settings)
    expected = [*batches(apart), *batches(apart), *batches(apart)]
    assert len(expected) == 6
    for _ in range(2):
        for found, wanted in zip(batches(endless.take(6)), expected, strict=True):
            np.testing.assert_array_equal(found[0], wanted[0])
            np.testing.assert_array_equal(found[1], wanted[1])


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        (OPTIONS, [3, 3]),
        ({**OPTIONS, "drop_remainder": False}, [3, 3, 1]),
        ({"crop_size": 81}, [3, 3, 1]),
        ({"crop_size": 81, "drop_remainder": True}, [3, 3]),
        ({**OPTIONS, "batch_size": 9}, [7]),
        ({"crop_size": None, "batch_size": 1}, [1] * 7),
    ],
)
def test_batches_are_full_where_asked(
    options: dict, sizes: list[int], colored: SegmentationData
) -> None:
    settings = {"batch_size": 3, **options}
    dataset = make_dataset(colored, **settings)
    assert [len(images) for images, _ in batches(dataset)] == sizes
    assert len(SegmentationSequence(colored, **settings)) == len(dataset) == len(sizes)


def test_shapes_and_types_are_known_beforehand(colored: SegmentationData) -> None:
    images, labels = make_dataset(colored, batch_size=3, **OPTIONS).element_spec
    assert images == tf.TensorSpec((3, 33, 49, 3), tf.float32)
    assert labels == tf.TensorSpec((3, 33, 49), tf.int32)


def test_preprocess_is_applied_to_the_images(colored: SegmentationData) -> None:
    plain = make_dataset(colored, batch_size=7, **OPTIONS)
    small = make_dataset(
        colored, batch_size=7, preprocess=lambda images: images / 127.5 - 1, **OPTIONS
    )
    (expected, truth), (images, labels) = batches(plain)[0], batches(small)[0]
    np.testing.assert_allclose(images, expected / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(labels, truth)
    padding = images[labels == 255]
    assert len(padding)
    assert np.abs(padding).max() < 0.004


def test_model_fitted_on_a_dataset_learns_colours(colored: SegmentationData) -> None:
    model = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(5, 1, name="logits")]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=255
    )
    model.compile(keras.optimizers.Adam(0.1), loss)
    options = {
        "crop_size": 33,
        "preprocess": keras.layers.Rescaling(1 / 127.5, -1),
        "augment": Augmentation(scale=(1, 1.5)),
    }
    train = make_dataset(colored, batch_size=2, **options)
    whole = make_dataset(colored, batch_size=2, crop_size=81)
    before = model.evaluate(whole, verbose=0)
    history = model.fit(train, epochs=15, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < history[0] / 5
    assert before > 1


def test_replicas_get_their_parts_of_the_global_batch(
    colored: SegmentationData, tmp_path: pathlib.Path
) -> None:
    folders = [colored.pairs[0].image.parent, colored.pairs[0].mask.parent]
    command = [sys.executable, replicas_worker.__file__, *folders, tmp_path / "out.npz"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    # One full batch of four in seven samples: a step is an epoch.
    whole = make_dataset(colored, **replicas_worker.OPTIONS)
    with np.load(tmp_path / "out.npz") as found:
        for step in range(3):
            for name, expected in zip(
                ("images", "labels"), batches(whole)[0], strict=True
            ):
                parts = [found[f"{name} {step} {replica}"] for replica in range(2)]
                assert [len(part) for part in parts] == [2, 2]
                np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_labels_of_real_palette_masks_are_indices(data_dir: pathlib.Path) -> None:
    folder = data_dir / "voc_sample"
    data = load_folder(folder)
    dataset = make_dataset(data, batch_size=1, crop_size=None)
    for pair, (_, labels) in zip(data.pairs, dataset, strict=True):
        with Image.open(pair.mask) as stored:
            assert stored.mode == "P"
            np.testing.assert_array_equal(labels[0], np.asarray(stored))


def test_file_that_cannot_be_used_is_named(colored: SegmentationData) -> None:
    bad = colored.pairs[4].mask
    write_labels(bad, np.zeros((3, 3), "uint8"))
    dataset = make_dataset(colored, batch_size=1, crop_size=None)
    sizes = []
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{bad} is 3 x 3 pixels"):
        sizes.extend(labels.shape for _, labels in dataset)
    assert len(sizes) <= 4


ENDING = """
import sys, time
from keras_deeplab.data import Samples, load_folder, make_dataset
from keras_deeplab.data import Augmentation

sample = Samples.sample
def slow(*arguments):
    time.sleep(0.3)
    return sample(*arguments)
Samples.sample = slow
data = load_folder(sys.argv[1], classes=list("abcde"))
options = {"crop_size": 33, "augment": Augmentation(), "repeat": True}
batches = iter(make_dataset(data, batch_size=1, **options))
next(batches)
"""


def test_program_ends_while_samples_are_made(colored: SegmentationData) -> None:
    folder = str(colored.pairs[0].image.parents[1])
    run = subprocess.run(
        [sys.executable, "-c", ENDING, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` .*batch_size=0"),
        ({"batch_size": 2, "crop_size": None}, "`batch_size` must be 1 where"),
        ({"batch_size": 8, "drop_remainder": True}, "number of samples, 7,"),
    ],
)
def test_batches_that_cannot_be_made_are_refused(
    options: dict, message: str, colored: SegmentationData
) -> None:
    for maker in (make_dataset, SegmentationSequence):
        with pytest.raises(ValueError, match=message):
            maker(colored, **{"crop_size": 81, **options})


def test_option_that_is_unknown_is_refused(colored: SegmentationData) -> None:
    with pytest.raises(TypeError, match="crop"):
        make_dataset(colored, batch_size=1, crop=33)


def test_dataset_without_tensorflow_says_what_works_without(
    colored: SegmentationData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"pip install tensorflow.*Sequence"):
        make_dataset(colored, batch_size=1, crop_size=81)
