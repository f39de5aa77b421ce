"""docs/usecases.md: the three commands on real photos of each use, in few steps."""

import json
import pathlib
from dataclasses import dataclass

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_deeplab.data import load_folder
from keras_deeplab.export import tflite
from keras_deeplab_cli import app

# As docs/usecases.md has them, and then what makes it quick.
START = (
    "--recipe=fine_tune_mobilenet_v2_035 "
    "--weights=deeplabv3plus_mobilenet_v2_035_camvid"
)
QUICK = "--set=crop_size=257 --set=evaluate_every=6 --epochs=6 --cache"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """A folder of the test data, and the file of its classes or their names.

    Of a driving photo the weights know all, and their loss need not fall; of the `new`
    others they have to learn it.
    """

    folder: str
    classes: str
    least: float
    new: bool = True


CASES = {
    "driving": Case("camvid/train", "camvid/classes.txt", least=0.4, new=False),
    "medical": Case("usecases/isbi_em", "membrane\ncell\n", least=0.5),
    "aerial": Case(
        "usecases/dubai_aerial", "building\nland\nroad\nvegetation\nwater\n", least=0.15
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_three_commands_lead_from_photos_to_a_file_that_knows_their_classes(
    name: str,
    data_dir: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tflite, "_SECONDS", 0.01)
    case = CASES[name]
    data, run, out = tmp_path / "data", tmp_path / "run", tmp_path / "model.tflite"
    prepare(data, data_dir, case)
    say(f"audit {data} --out {tmp_path}")
    trained = say(f"train {START} --data {data} --validation 3 --out {run} {QUICK}")
    assert "Scoring on the last 3 of 10 photos by name" in trained
    say(f"export --weights {run}/best.keras --photos {data}/images --out {out}")
    report = json.loads((run / "report.json").read_text())
    assert [report["data"][part]["pairs"] for part in ("train", "val")] == [7, 3]
    found = report["scores"]["best"]["mean_iou"]
    assert found > max(case.least, 1.2 * majority(data))
    losses = np.genfromtxt(run / "history.csv", delimiter=",", names=True)["loss"]
    if case.new:
        assert losses[-2:].mean() < 0.9 * losses[0]
    written = json.loads(out.with_name("model.tflite.report.json").read_text())
    assert written["parity"]["agreement"] > 0.99


def prepare(data: pathlib.Path, data_dir: pathlib.Path, case: Case) -> None:
    """Ten photos, evenly over all, and the names of the classes."""
    for part in ("images", "masks"):
        (data / part).mkdir(parents=True)
        files = sorted((data_dir / case.folder / part).iterdir())
        for index in np.linspace(0, len(files) - 1, 10).astype(int):
            (data / part / files[index].name).symlink_to(files[index])
    listed = data_dir / case.classes
    names = listed.read_text() if case.classes.endswith(".txt") else case.classes
    (data / "classes.txt").write_text(names)


def say(line: str) -> str:
    """What a command prints; it must succeed."""
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 0, result.output
    return result.stdout


def majority(data: pathlib.Path) -> float:
    """The mean IoU of calling all pixels of the last three what most of them are."""
    samples = load_folder(data)
    labels = np.concatenate([samples.read(index).labels.ravel() for index in (7, 8, 9)])
    shares = np.bincount(labels[labels != samples.ignore_label])
    return float(shares.max() / shares.sum() / np.count_nonzero(shares))
