"""The weights that come with the package."""

import pathlib

import numpy as np
import pytest

from keras_deeplab import DeepLabV3Plus, load_model
from keras_deeplab.data import load_dataset
from keras_deeplab.inference import score_data
from keras_deeplab.weights import WeightsRow, manifest

OWN = [row for row in manifest().values() if not row.urls]
each = pytest.mark.parametrize("row", OWN, ids=lambda row: row.name)


def test_there_are_some_of_streets() -> None:
    assert {row.dataset for row in OWN} == {"camvid"}


@each
def test_own_weights_need_no_network(
    row: WeightsRow, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("KERAS_DEEPLAB_HOME", "KERAS_DEEPLAB_MIRROR"):
        monkeypatch.setenv(variable, str(tmp_path / "empty"))
    model = load_model(row.name)
    assert model.class_names is not None
    assert model.class_names[:4] == ("sky", "building", "pole", "road")
    assert not (tmp_path / "empty").exists()


def test_data_set_is_enough_of_a_name() -> None:
    model = DeepLabV3Plus("mobilenet_v2", alpha=0.35, weights="camvid")
    named = load_model("deeplabv3plus_mobilenet_v2_035_camvid")
    for ours, theirs in zip(model.weights, named.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.slow
@each
def test_own_weights_score_what_the_manifest_says(
    row: WeightsRow, data_dir: pathlib.Path
) -> None:
    val = load_dataset("camvid", data_dir / "camvid", "val")
    model = load_model(row.name)
    for score, size in zip(row.measured, (480, None), strict=True):
        found = score_data(model, val, size=size).mean_iou
        assert 100 * found == pytest.approx(score.value, abs=0.06)
