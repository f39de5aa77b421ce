"""The weights that come with the package."""

import pathlib
import re

import numpy as np
import pytest

from keras_deeplab import DeepLabV3Plus, load_model
from keras_deeplab.data import load_dataset
from keras_deeplab.inference import score_data
from keras_deeplab.weights import WeightsRow, manifest

ROOT = pathlib.Path(__file__).parents[2]
OWN = [row for row in manifest().values() if not row.urls]
each = pytest.mark.parametrize("row", OWN, ids=lambda row: row.name)


def test_there_are_some_of_streets() -> None:
    assert {row.dataset for row in OWN} == {"camvid"}


@each
def test_own_weights_need_no_network_and_are_the_model_of_their_file(
    row: WeightsRow, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("KERAS_DEEPLAB_HOME", "KERAS_DEEPLAB_MIRROR"):
        monkeypatch.setenv(variable, str(tmp_path / "empty"))
    model = load_model(row.name)
    assert model.class_names is not None
    assert model.class_names[:4] == ("sky", "building", "pole", "road")
    assert not (tmp_path / "empty").exists()
    config = model.get_config()
    assert config == load_model(row.asset).get_config()
    assert config["crop_size"] == (361, 481)


def test_data_set_is_enough_of_a_name() -> None:
    for width, part in ((1.0, ""), (0.35, "_035")):
        model = DeepLabV3Plus("mobilenet_v2", alpha=width, weights="camvid")
        named = load_model(f"deeplabv3plus_mobilenet_v2{part}_camvid")
        for ours, theirs in zip(model.weights, named.weights, strict=True):
            np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def scores_of_the_card(column: int) -> dict[str, float]:
    card = (ROOT / "docs" / "camvid.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"<!-- table: camvid -->(.*)<!-- end", card, re.S)
    lines = [line.replace("*", "").split("|") for line in table.split("\n") if line]
    cells = [[cell.strip() for cell in line] for line in lines[2:]]
    return {name: float(line[column]) for _, name, *line in cells}


@pytest.mark.slow
@each
def test_own_weights_score_what_the_manifest_and_the_card_say(
    row: WeightsRow, data_dir: pathlib.Path
) -> None:
    val = load_dataset("camvid", data_dir / "camvid", "val")
    model = load_model(row.name)
    (score, finer) = row.measured
    found = score_data(model, val)
    assert 100 * found.mean_iou == pytest.approx(score.value, abs=0.06)
    told = scores_of_the_card(OWN.index(row))
    assert told.pop("mean") == score.value
    assert list(told) == list(model.class_names or ())
    for name, iou in zip(told, found.class_iou, strict=True):
        assert 100 * iou == pytest.approx(told[name], abs=0.3)
    found = score_data(model.with_output_stride(8), val)
    assert 100 * found.mean_iou == pytest.approx(finer.value, abs=0.06)
