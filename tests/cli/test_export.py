import dataclasses
import io
import json
import os
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner, Result

from keras_deeplab import export
from keras_deeplab.export import ExportError, ExportReport, tflite
from keras_deeplab.export.parity import Parity
from keras_deeplab.export.quantization import QUANTIZATIONS
from keras_deeplab.inference import read_labels, write_crf
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab_cli import app
from keras_deeplab_cli.report_table import report_table
from tests.export.conftest import make_model

Run = Callable[..., Result]


@pytest.fixture
def run_here(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs a command in a folder that has a model."""
    monkeypatch.chdir(tmp_path)
    make_model(input_shape=(33, 33, 3), crop_size=33).save("model.keras")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_export_writes_a_file_that_segments_scores_and_is_timed(
    run_here: Run, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (photos / "c.jpg").unlink()
    result = run_here(
        "export", "--weights", "model.keras", "--out", "m.tflite", "--photos", photos
    )
    assert result.exit_code == 0, result.output
    assert "Same labels as the model" in result.stdout
    assert "Wrote m.tflite and its report" in result.stdout
    report = json.loads((tmp_path / "m.tflite.report.json").read_text())
    assert report["parity"]["agreement"] == 1
    engine = ["--weights", "m.tflite", "--engine", "tflite"]
    result = run_here("segment", *engine, "--out", "lite", photos / "a.png")
    assert result.exit_code == 0, result.output
    keras = ["--weights", "model.keras", "--out", "keras", photos / "a.png"]
    assert run_here("segment", *keras).exit_code == 0
    # The file itself is nothing to be loaded, and the error tells what to do.
    result = run_here("segment", "--weights", "m.tflite", photos / "a.png")
    assert result.exit_code == 2
    assert "--weights is a file that `keras-deeplab export` wrote" in result.stderr
    assert "`--engine tflite`" in result.stderr
    # It answers with labels, of which nobody knows how sure they are.
    unsure = ["--confidence", "--out", "unsure", photos / "a.png"]
    result = run_here("segment", *engine, *unsure)
    assert result.exit_code == 2
    assert "--confidence needs logits or probabilities" in result.stderr
    assert not (tmp_path / "unsure").exists()
    labels = "a.labels.png"
    lite, truth = (read_labels(tmp_path / name / labels) for name in ("lite", "keras"))
    # Bytes cannot hold the padding, 127.5.
    assert (lite == truth).mean() > 0.9
    (tmp_path / "lite" / labels).rename(tmp_path / "lite" / "a.png")
    (photos / "b.png").unlink()
    masks = ["--images", photos, "--masks", "lite"]
    (tmp_path / "lite" / "a.overlay.png").unlink()
    result = run_here("evaluate", *engine, *masks)
    assert result.exit_code == 0, result.output
    assert "Mean IoU 100.00 %, pixel accuracy 100.00 %" in result.stdout
    timed = ["--threads", 1, "--seconds", 0, "--json", "times.json"]
    result = run_here("bench", "m.tflite", "m.tflite", *timed)
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "times.json").read_text())
    assert [(row["file"], row["threads"]) for row in rows] == [("m.tflite", 1)] * 2
    assert all(np.isfinite(row["median_ms"]) for row in rows)


def test_export_with_a_crf_says_what_it_costs_and_changes(
    run_here: Run,
    photos: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tflite, "_SECONDS", 0.01)
    (photos / "c.jpg").unlink()
    short = dataclasses.replace(CRF_PRESETS["v1"], iterations=1)
    write_crf("own.json", short)
    words = ["export", "--weights", "model.keras", "--crf", "own.json"]
    result = run_here(*words, "--out", "m.tflite", "--photos", photos)
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "m.tflite.report.json").read_text())
    assert told["crf"]["accuracy"] == "mobile"
    shown = " ".join(result.stdout.replace("│", " ").split())
    changed = f"{100 * told['parity']['crf_changed']:.2f}% of these pixels"
    assert f"Labels that it changes {changed}" in shown
    assert "CRF mobile, w_bilateral 4, theta_alpha 49, theta_beta 5" in shown
    sizes = (told["size_bytes"] / 1e6, told["crf"]["plain_bytes"] / 1e6)
    assert "{:.2f} MB, without the CRF {:.2f} MB".format(*sizes) in shown


def test_default_agreement_is_that_of_the_help(run_here: Run) -> None:
    shown = run_here("export", "--help").stdout
    told = " ".join(shown.replace("│", " ").split()).partition("keep their label. ")[2]
    assert told.startswith("By default 0.999; 0.995 with float16, 0.95 with dynamic")
    found = {name: row.agreement for name, row in QUANTIZATIONS.items()}
    assert found == {"none": 0.999, "float16": 0.995, "dynamic": 0.95, "int8": 0.95}


def test_table_sums_the_operations_up_and_the_report_has_them_all() -> None:
    parity = Parity(
        photos=("a.png",), agreement=1.0, max_difference=None, mean_difference=None
    )
    report = ExportReport(
        path=pathlib.Path("1"),
        format="saved_model",
        outputs="labels",
        input_size=(None, None),
        size_bytes=1,
        operations={"Add": 2, "Const": 900, "Conv2D": 7, "E": 1, "Mul": 5, "Sub": 3},
        parity=parity,
        least_agreement=0.999,
    )
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(report_table(report))
    text = console.export_text()
    assert "18 of 5 kinds, most of all 7 Conv2D, 5 Mul, 3 Sub, 2 Add " in text
    assert json.loads(report.to_json())["operations"]["Const"] == 900


def test_several_folders_and_photos_calibrate(
    run_here: Run, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (photos / "c.jpg").unlink()
    more = tmp_path / "more.png"
    Image.new("RGB", (33, 33), "green").save(more)
    words = ["export", "--weights", "model.keras", "--out", "m.tflite"]
    words += ["--quantize", "int8", "--calibration", photos, "--calibration", more]
    # Photos of one colour have all their pixels between two classes.
    result = run_here(*words, "--least-agreement", 0)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "m.tflite.report.json").read_text())
    assert report["parity"]["photos"] == ["a.png", "b.png", "more.png"]


def test_file_that_differs_too_much_is_refused_in_one_line(
    run_here: Run,
    photos: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def write(*_: Any, **__: Any) -> None:
        os.write(2, b"the converter\n")
        warnings.warn("Averages more.", UserWarning, stacklevel=1)
        raise ExportError("Ask for less with `least_agreement`.")

    monkeypatch.setattr(export, "to_tflite", write)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    result = run_here("export", "--weights", "model.keras", "--out", "m.tflite")
    assert result.exit_code == 1
    told = "Note: Averages more.\nError: Ask for less with --least-agreement.\n"
    assert result.stderr == told
    assert "the converter" not in capfd.readouterr().err


def test_export_smaller_than_the_training_crop_says_what_it_does(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tflite, "_SECONDS", 0.01)
    make_model(image_pooling=True, crop_size=49).save("model.keras")
    words = ["export", "--weights", "model.keras", "--out", "m.tflite"]
    result = CliRunner().invoke(app, [*words, "--size", "33", "33"])
    assert result.exit_code == 0, result.output
    assert result.stderr == (
        "Note: The model's image pooling is not that of its training: its input, 33 x "
        "33, is smaller than its training crop. Take one of at least 49 x 49, or of "
        "any size.\n"
    )


def test_what_is_missing_is_told_before_the_model_is_loaded(
    run_here: Run, tmp_path: pathlib.Path
) -> None:
    # It would fail if it were.
    (tmp_path / "model.keras").write_bytes(b"no model")
    words = ["export", "--weights", "model.keras", "--quantize", "int8"]
    result = run_here(*words, "--out", "m.tflite")
    assert result.stderr.startswith("Error: --quantize int8 needs --calibration: a ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["export", "--format", "pb", "--out", "m"], 2, "pb is not one of tflite"),
        (["export", "--format", "onnx", "--out", "m"], 2, "must end in .onnx: m"),
        (
            ["export", "--format", "onnx", "--quantize", "int8", "--out", "m.onnx"],
            2,
            "--quantize has no effect on onnx",
        ),
        (
            ["export", "--format", "saved_model", "--outputs", "logits", "--out", "m"],
            2,
            "--outputs has no effect on saved_model",
        ),
        (["export", "--out", "m.bin"], 2, "must end in .tflite: m.bin"),
        (["export", "--quantize", "int3", "--out", "m.tflite"], 2, "int3 is not one"),
        (["export", "--outputs", "text", "--out", "m.tflite"], 2, "text is not one"),
        (
            ["export", "--quantize", "int8", "--out", "m.tflite"],
            2,
            "--quantize int8 needs --calibration",
        ),
        (["export", "--crf", "v9", "--out", "m.tflite"], 2, "Error: --crf must be"),
        (["segment", "--engine", "onnx", "photos"], 2, "keras, tflite"),
        (["segment", "--engine", "tflite", "photos"], 2, "is not a TFLite model that"),
        (
            ["segment", "--engine", "tflite", "--output-stride", "8", "photos"],
            2,
            "no effect on a .tflite file",
        ),
        (["bench", "model.keras"], 2, "cannot be run by LiteRT"),
    ],
)
def test_export_that_cannot_start_says_why(
    words: list[str], code: int, message: str, run_here: Run, photos: pathlib.Path
) -> None:
    if words[0] != "bench":
        words = [words[0], "--weights", "model.keras", *words[1:]]
    result = run_here(*words)
    assert result.exit_code == code, result.output
    assert message in " ".join(result.stderr.replace("│", " ").split())
