import os
import pathlib
import subprocess
from collections.abc import Mapping

import numpy as np
import pytest

from keras_deeplab.data import Samples, SegmentationData, SegmentationSequence
from tests.data import sequence_worker

ROOT = pathlib.Path(__file__).parents[2]


def folders(data: SegmentationData) -> list[str]:
    return [str(data.pairs[0].image.parent), str(data.pairs[0].mask.parent)]


def test_batches_are_the_samples_in_order(colored: SegmentationData) -> None:
    sequence = SegmentationSequence(colored, batch_size=3, crop_size=81)
    samples = Samples(colored, crop_size=81)
    images, labels = sequence[2]
    assert images.shape == (1, 81, 81, 3)
    np.testing.assert_array_equal(images[0], samples.sample(0, 6).image)
    np.testing.assert_array_equal(labels[0], samples.sample(0, 6).labels)


def test_preprocess_is_applied_to_the_images(colored: SegmentationData) -> None:
    plain = SegmentationSequence(colored, batch_size=7, crop_size=81)
    small = SegmentationSequence(
        colored, batch_size=7, crop_size=81, preprocess=lambda images: images / 255
    )
    np.testing.assert_allclose(small[0][0], plain[0][0] / 255)


def check(
    met: Mapping[str, np.ndarray], data: SegmentationData, epochs: set[str]
) -> None:
    """Training met whole epochs, in the numbers that the arguments promise."""
    batches = {name.split(maxsplit=1)[1] for name in met if name != "losses"}
    for epoch in range(3):
        sequence = SegmentationSequence(
            data, **sequence_worker.OPTIONS, first_epoch=epoch
        )
        for index in range(len(sequence)):
            if f"{epoch} {index}" in batches:
                images, labels = sequence[index]
                np.testing.assert_array_equal(met[f"images {epoch} {index}"], images)
                np.testing.assert_array_equal(met[f"labels {epoch} {index}"], labels)
    assert {name.split()[0] for name in batches if name.endswith(" 1")} == epochs
    assert np.isfinite(met["losses"]).all()


@pytest.mark.parametrize("workers", [1, 3])
def test_fit_meets_each_batch_of_each_epoch(
    workers: int, colored: SegmentationData
) -> None:
    met = sequence_worker.fitted(*folders(colored), workers=workers)
    check(met, colored, {"0", "1"})


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_fit_on_another_backend_needs_no_tensorflow_and_meets_the_same(
    backend: str,
    colored: SegmentationData,
    backends_python: str,
    tmp_path: pathlib.Path,
) -> None:
    out = tmp_path / "batches.npz"
    script = str(ROOT / "tests" / "data" / "sequence_worker.py")
    # A folder before all others, in which TensorFlow is not to be had.
    blocked = tmp_path / "blocked"
    (blocked / "tensorflow").mkdir(parents=True)
    (blocked / "tensorflow" / "__init__.py").write_text("raise ImportError('blocked')")
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": f"{blocked}{os.pathsep}{ROOT}",
    }
    run = subprocess.run(
        [backends_python, script, *folders(colored), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    with np.load(out) as met:
        # Epoch 0 is begun for the shape of a batch.
        check(met, colored, {"1", "2"})
