import dataclasses
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_deeplab.inference import plan_jobs, read_labels, run_jobs
from tests.inference.color_model import ColorModel


def test_jobs_of_a_folder_write_both_files_and_go_on_after_a_failure(
    tmp_path: pathlib.Path,
) -> None:
    for name, color in (("a.png", "red"), ("c.jpg", "black")):
        Image.new("RGB", (20, 10), color).save(tmp_path / name)
    (tmp_path / "b.jpg").write_bytes(b"no image")
    out = tmp_path / "out"
    out.mkdir()
    photos = [tmp_path / name for name in ("a.png", "b.jpg", "c.jpg")]
    results = dict(run_jobs(ColorModel(), plan_jobs(photos, out)))
    counts, error, _ = results.values()
    assert counts[1] == 200
    assert isinstance(error, ValueError)
    assert sorted(os.listdir(out)) == [
        "a.labels.png",
        "a.overlay.png",
        "c.labels.png",
        "c.overlay.png",
    ]
    np.testing.assert_array_equal(read_labels(out / "a.labels.png"), np.ones((10, 20)))


@dataclasses.dataclass
class ExhaustedModel(ColorModel):
    """A model whose backend has no memory for the larger photo."""

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        if x.shape[1] > 40:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        return super().predict_on_batch(x)


def test_jobs_after_one_that_exhausts_the_backend_are_still_done(
    tmp_path: pathlib.Path,
) -> None:
    photos = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for photo, side in zip(photos, (20, 50, 20), strict=True):
        Image.new("RGB", (side, side), "red").save(photo)
    model = ExhaustedModel(crop_size=None)
    results = [result for _, result in run_jobs(model, plan_jobs(photos, tmp_path))]
    assert [type(result) for result in results] == [
        np.ndarray,
        tf.errors.ResourceExhaustedError,
        np.ndarray,
    ]
    assert not (tmp_path / "b.labels.png").exists()


@pytest.mark.parametrize("other", ["b/photo.jpg", "a/photo.png", "b/PHOTO.jpg"])
def test_jobs_of_photos_with_one_name_are_refused(
    other: str, tmp_path: pathlib.Path
) -> None:
    photos = [tmp_path / "a/photo.jpg", tmp_path / other]
    with pytest.raises(ValueError, match=r"\.labels\.png.*a/photo\.jpg and"):
        plan_jobs(photos, tmp_path)


def test_jobs_that_would_replace_a_photo_are_refused(tmp_path: pathlib.Path) -> None:
    photos = [tmp_path / "a.jpg", tmp_path / "a.labels.png"]
    with pytest.raises(ValueError, match=r"same file, a\.labels\.png"):
        plan_jobs(photos, tmp_path)
    assert len(plan_jobs(photos, tmp_path / "out")) == 2
