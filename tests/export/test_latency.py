"""What a timed file is given, and the times it takes."""

import pathlib

import numpy as np
import pytest

from keras_deeplab.export import measure_latency, to_tflite
from keras_deeplab.export.latency_worker import _pixels
from keras_deeplab.models import DeepLabV3


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("uint8", 0, 255), ("int8", 0, 127), ("float32", -1, 1)],
)
@pytest.mark.parametrize("shape", [(1, 40, 30, 3), (2, 9, 9, 3), (3, 500)])
def test_timed_file_is_given_numbers_of_its_dtype(
    dtype: str, low: int, high: int, shape: tuple[int, ...]
) -> None:
    values = _pixels(shape, np.dtype(dtype))
    assert (values.shape, values.dtype) == (shape, dtype)
    assert low <= values.min() < values.max() <= high
    assert values.std() > 0.1 * (high - low)


def test_files_of_one_run_are_timed_alike(
    model: DeepLabV3, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "m.tflite"
    to_tflite(model, path, photos=photos)
    rows = measure_latency([path, path], threads=(1, 2), seconds=0.01)
    assert [row.threads for row in rows] == [1, 1, 2, 2]
    assert {row.file for row in rows} == {"m.tflite"}
    assert {row.runs for row in rows[:2]} == {rows[0].runs}
    for row in rows:
        assert 0 < row.p10_ms <= row.median_ms <= row.p90_ms
