import os
import pathlib
import sys
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.export import LiteModel
from keras_deeplab.inference import (
    InferencePlan,
    plan_jobs,
    predict_probabilities,
    read_labels,
    run_jobs,
    segment,
)
from tests.inference.color_model import ColorModel

# Widths and heights; all fill a crop of 33 x 33 but those that are longer, if they may.
SIZES = [(20, 10), (33, 30), (10, 20), (66, 33), (30, 30), (5, 5), (99, 30)]


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> list[pathlib.Path]:
    rng = np.random.default_rng(0)
    found = []
    for index, size in enumerate(SIZES):
        path = tmp_path / f"{index}.png"
        Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), "uint8")).save(path)
        found.append(path)
    return found


@pytest.mark.parametrize(
    ("size", "plan", "shapes"),
    [
        (None, None, [(3, 33), (3, 33), (1, 33)]),
        (99, None, [(3, 33), (1, 73), (2, 33), (1, 105)]),
        (99, InferencePlan(scales=(0.5,)), [(3, 17), (1, 33), (2, 17), (1, 57)]),
        # One whole photo after the other, and its windows at once.
        (99, InferencePlan(flip=True), None),
        (99, InferencePlan(window=33, overlap=0.5), None),
    ],
    ids=["crop", "sizes", "scale", "flip", "windows"],
)
def test_photos_in_batches_get_the_labels_that_they_get_alone(
    photos: list[pathlib.Path],
    tmp_path: pathlib.Path,
    size: int | None,
    plan: InferencePlan | None,
    shapes: list[tuple[int, int]] | None,
) -> None:
    model = ColorModel()
    jobs = plan_jobs(photos, tmp_path)
    results = list(run_jobs(model, jobs, size=size, plan=plan, batch_size=3))
    assert [job for job, _ in results] == list(jobs)
    for job, counts in results:
        labels = segment(ColorModel(), job.photo, size=size, plan=plan)
        np.testing.assert_array_equal(read_labels(job.labels), labels)
        assert isinstance(counts, np.ndarray)
        assert counts.sum() == labels.size
    if shapes is not None:
        assert [x.shape[:3:2] for x in model.seen] == shapes
    else:
        assert max(len(x) for x in model.seen) == (1 if plan and plan.flip else 3)


def test_failures_in_a_batch_are_those_of_single_photos(
    photos: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    class SmallModel(ColorModel):
        """Has no memory for more than one photo, and never for a black one."""

        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            if len(x) > 1 or (x[0, 0, 0] == -1).all():
                raise MemoryError
            return super().predict_on_batch(x)

    photos[1].write_bytes(b"no photo")
    Image.new("RGB", (9, 9)).save(photos[2])
    model = SmallModel()
    results = list(run_jobs(model, plan_jobs(photos, tmp_path), batch_size=4))
    kinds = (np.ndarray, ValueError, MemoryError, *[np.ndarray] * 4)
    for (_, result), kind in zip(results, kinds, strict=True):
        assert isinstance(result, kind)
    assert not (tmp_path / "2.labels.png").exists()


def test_photos_are_decoded_ahead_by_other_threads_but_never_many(
    photos: list[pathlib.Path],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = sys.modules["keras_deeplab.inference.run_jobs"]
    read, threads, done = module.read_photo, set(), 0
    ahead = []

    def reading(path: pathlib.Path) -> np.ndarray:
        threads.add(threading.get_ident())
        ahead.append(photos.index(path) - done)
        return read(path)

    monkeypatch.setattr(module, "read_photo", reading)
    for _ in run_jobs(ColorModel(), plan_jobs(photos, tmp_path), batch_size=2):
        done += 1
    assert threading.get_ident() not in threads
    assert len(ahead) == len(photos)
    assert 1 < max(ahead) <= 2 * 2 + 1


def test_filters_of_warnings_stay_as_they_are_while_the_model_works(
    photos: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    class WarnedModel(ColorModel):
        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            found.append(warnings.filters)
            return super().predict_on_batch(x)

    found: list[object] = []
    before = warnings.filters
    list(run_jobs(WarnedModel(), plan_jobs(photos, tmp_path)))
    *early, last = found
    # One list, which hides Pillow's warnings, until the threads are at their end.
    assert len({id(filters) for filters in early}) == 1
    assert early[0] is not before
    assert last is warnings.filters is before


def test_file_that_takes_one_photo_answers_to_a_batch_one_by_one(
    data_dir: pathlib.Path,
) -> None:
    model = LiteModel(data_dir / "models/deeplab/deeplabv3_257_mv_gpu.tflite")
    photos = np.random.default_rng(0).integers(0, 256, (2, 257, 257, 3))
    inputs = model.preprocess(photos)
    each = [model.predict_on_batch(one[None])[0] for one in inputs]
    np.testing.assert_array_equal(model.predict_on_batch(inputs), each)


def test_batch_size_of_none_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"at least 1. Received: batch_size=0"):
        next(run_jobs(ColorModel(), [], batch_size=0))


def test_plan_that_no_photo_can_follow_is_refused_before_the_first(
    photos: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    plan = InferencePlan(window=4)
    with pytest.raises(ValueError, match="`window` must be at least"):
        next(run_jobs(ColorModel(), plan_jobs(photos, tmp_path), plan=plan))


def test_confidence_and_probabilities_are_written_as_they_are_documented(
    photos: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    plan = InferencePlan(flip=True)
    jobs = plan_jobs(photos[:2], out, confidence=True, probabilities=True)
    for _, result in run_jobs(ColorModel(), jobs, plan=plan):
        assert isinstance(result, np.ndarray)
    kinds = ["confidence.png", "labels.png", "overlay.png", "probabilities.npy"]
    names = [f"{index}.{kind}" for index in (0, 1) for kind in kinds]
    assert sorted(os.listdir(out)) == names
    for job in jobs:
        expected = predict_probabilities(ColorModel(), job.photo, plan=plan)
        stored = np.load(job.results[3], mmap_mode="r")
        assert stored.dtype == np.float16
        np.testing.assert_array_equal(stored, expected.astype("float16"))
        with Image.open(job.results[2]) as image:
            assert image.mode == "L"
            sure = np.asarray(image)
        np.testing.assert_array_equal(sure, np.rint(255 * expected.max(axis=-1)))


def test_probabilities_that_cannot_be_finished_leave_no_file(
    photos: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()

    class BrokenModel(ColorModel):
        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            if self.seen:
                raise RuntimeError
            return super().predict_on_batch(x)

    jobs = plan_jobs(photos[3:4], out, confidence=True, probabilities=True)
    plan = InferencePlan(window=33)
    ((_, error),) = run_jobs(BrokenModel(), jobs, plan=plan)
    assert isinstance(error, RuntimeError)
    assert os.listdir(out) == []


@pytest.mark.parametrize("name", ["confidence", "probabilities"])
def test_model_of_labels_alone_says_nothing_of_how_sure_it_is(
    photos: list[pathlib.Path], tmp_path: pathlib.Path, name: str
) -> None:
    model = ColorModel(output_kind="labels")
    jobs = plan_jobs(photos, tmp_path / "out", **{name: True})
    with pytest.raises(ValueError, match=f"`{name}` needs logits or probabilities"):
        list(run_jobs(model, jobs))
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="needs logits or probabilities"):
        predict_probabilities(model, photos[0])
