"""The pictures of a run: curves and samples."""

import pathlib
from typing import Any

import numpy as np
import pytest

from keras_deeplab.data import label_colors
from keras_deeplab.training import find_data, sample_sheet
from keras_deeplab.training.curves import draw_curves
from keras_deeplab.training.sample_sheet import draw_samples
from tests.inference.color_model import ColorModel
from tests.training import tiny_run

BLUE = (31, 119, 180)


def line(rows: list[dict[str, Any]], column: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the line's pixels."""
    picture = np.asarray(draw_curves(rows, [column]))
    return np.nonzero((picture == BLUE).all(axis=-1))


def test_curve_of_a_falling_loss_falls_over_the_whole_panel() -> None:
    rows = [{"epoch": e, "loss": 3.0 - e} for e in (1, 2, 3)]
    down, across = line(rows, "loss")
    left, right = down[across < 120].mean(), down[across > 820].mean()
    assert left < 60
    assert right > 290
    middle = down[abs(across - np.mean([across.min(), across.max()])) < 2].mean()
    assert middle == pytest.approx((left + right) / 2, abs=12)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_epochs_without_a_score_are_left_out(missing: float | None) -> None:
    rows = [{"epoch": 1}, {"epoch": 2, "mean_iou": missing}]
    assert line(rows, "mean_iou")[0].size == 0
    one = [*rows, {"epoch": 3, "mean_iou": 0.5}]
    down, across = line(one, "mean_iou")
    assert (across.mean(), down.mean()) == pytest.approx((470, 180), abs=8)


def test_panels_stand_one_below_the_other() -> None:
    page = draw_curves([{"epoch": 1, "loss": 1.0}], ["loss", "mean_iou", "rate"])
    assert page.size == (900, 3 * 360)


def test_sheet_shows_photo_truth_and_answer_of_each_sample(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = find_data(tiny_run.recipe(), tiny_run.write_data(tmp_path)).val
    shown = []

    def overlay(photo: Any, labels: Any, names: Any) -> Any:
        shown.append(labels)
        return original(photo, labels, names)

    original = sample_sheet.draw_overlay
    monkeypatch.setattr(sample_sheet, "draw_overlay", overlay)
    model = ColorModel()
    page = np.asarray(draw_samples(model, data, count=4))
    assert len(shown) == 2 * len(data)
    for index in range(len(data)):
        sample = data.read(index)
        np.testing.assert_array_equal(shown[2 * index], sample.labels)
        assert shown[2 * index + 1].shape == sample.labels.shape
    height, width = sample.labels.shape
    first = data.read(0).image
    np.testing.assert_array_equal(page[:height, :width], first)
    assert {tuple(c) for c in first.reshape(-1, 3).tolist()} <= {
        tuple(c) for c in label_colors().tolist()
    }
