import io
import os
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import Result

from keras_deeplab.inference import predict_logits, read_labels, write_crf
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab_cli import output
from tests.inference.color_model import ColorModel

Run = Callable[..., Result]


def test_segment_of_one_photo_writes_both_files_and_a_table(
    run: Run, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = run("segment", photos / "a.png", "--weights", "any")
    assert result.exit_code == 0, result.output
    assert sorted(os.listdir(tmp_path)) == ["a.labels.png", "a.overlay.png", "photos"]
    labels = read_labels(tmp_path / "a.labels.png")
    np.testing.assert_array_equal(labels, [[1] * 10 + [0] * 10] * 10)
    with Image.open(tmp_path / "a.overlay.png") as overlay:
        assert overlay.mode == "RGB"
    rows = [line.split("│") for line in result.stdout.splitlines() if " %" in line]
    assert [[cell.strip() for cell in row[2:5]] for row in rows] == [
        ["0", "background", "50.0 %"],
        ["1", "red", "50.0 %"],
    ]
    assert str(tmp_path) in result.stdout
    assert result.stderr == ""


def test_segment_of_a_folder_does_the_rest_after_a_failure_and_exits_with_1(
    run: Run, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = run("segment", photos, "--weights", "any", "--out", "new/out")
    assert result.exit_code == 1
    assert sorted(os.listdir(tmp_path / "new" / "out")) == [
        "a.labels.png",
        "a.overlay.png",
        "b.labels.png",
        "b.overlay.png",
    ]
    summary, failure = result.stderr.splitlines()
    assert summary == "1 of 3 photos failed:"
    assert failure.startswith(f"{photos / 'c.jpg'}: `image` is not an image")
    assert failure.count("c.jpg") == 1
    blue = next(line for line in result.stdout.splitlines() if "blue" in line)
    assert "50.0 %" in blue


def test_segment_of_nothing_but_failures_prints_no_table(
    run: Run, photos: pathlib.Path
) -> None:
    result = run("segment", photos / "c.jpg", "--weights", "any")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "1 of 1 photos failed:" in result.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            PermissionError(13, "Permission denied", "a.jpg"),
            "[Errno 13] Permission deni",
        ),
        (
            RuntimeError("RESOURCE_EXHAUSTED:\nout of memory"),
            "RuntimeError: RESOURCE_EX",
        ),
        (MemoryError(), "MemoryError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_segment_names_the_photo_of_any_failure_once(
    error: Exception,
    line: str,
    run: Run,
    photos: pathlib.Path,
    model: ColorModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(x: np.ndarray) -> np.ndarray:
        raise error

    monkeypatch.setattr(model, "predict_on_batch", fail)
    Image.new("RGB", (2, 2)).save("a.jpg")
    result = run("segment", "a.jpg", "--weights", "any")
    assert result.exit_code == 1
    _, failure = result.stderr.splitlines()
    assert failure.startswith(f"a.jpg: {line}")
    assert failure.count("a.jpg") == 1


def test_segment_of_many_photos_on_a_terminal_shows_how_far_it_is(
    run: Run, photos: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "_stderr", terminal)
    assert run("segment", photos, "--weights", "any").exit_code == 1
    shown = terminal.file.getvalue()
    assert "Loading the model" in shown
    assert "Segmenting" in shown
    assert "3/3" in shown


def test_segment_of_one_photo_on_a_terminal_shows_no_bar(
    run: Run, photos: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "_stderr", terminal)
    assert run("segment", photos / "a.png", "--weights", "any").exit_code == 0
    assert "Segmenting" not in terminal.file.getvalue()


def test_segment_passes_output_stride_and_size_on(
    run: Run, photos: pathlib.Path, model: ColorModel
) -> None:
    Image.new("RGB", (100, 60)).save(photos / "large.png")
    large = photos / "large.png"
    options = ["--weights", "any", "--output-stride", "32", "--size", "90"]
    assert run("segment", large, *options).exit_code == 0
    # 90 x 54 pixels, and one more than the next multiples of 32.
    assert model.seen[0].shape == (1, 65, 97, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.jpg", "--weights", "any"], "'nowhere.jpg' does not exist"),
        (["photos", "--weights", "any", "--output-stride", "12"], "8, 16, 32"),
        (["photos", "--weights", "any", "--size", "0"], "greater than or equal to 1"),
        (["photos", "--weights", "broken"], "broken: A tensor is missing. Received"),
        (["photos", "--weights", "broken", "--out", "new"], "A tensor is missing"),
        (["photos"], "deeplabv3_mnv2_pascal_train_aug_2018_01_29.tar.gz cannot be"),
        (["photos", "twin", "--weights", "any"], "same file, a.labels.png"),
        (["empty", "--weights", "any"], "no image files"),
        (["photos", "--weights", "any", "--out", "photos/a.png"], "made a folder"),
        ([], "Missing argument 'PHOTO'"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_segment_that_cannot_start_says_why_in_one_line_and_exits_with_2(
    words: list[str],
    message: str,
    run: Run,
    photos: pathlib.Path,
    tmp_path: pathlib.Path,
    model: ColorModel,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "twin").mkdir()
    Image.new("RGB", (2, 2)).save(tmp_path / "twin" / "a.png")
    before = sorted(path for path in tmp_path.rglob("*"))
    result = run("segment", *words)
    assert result.exit_code == 2
    # Typer draws its own messages as a box.
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output
    assert result.stderr.startswith("Usage") or result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert model.seen == []
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_segment_without_a_library_that_weights_need_says_so_in_one_line(
    run: Run, photos: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(source: str) -> None:
        raise ImportError("`pip install tensorflow`")

    monkeypatch.setattr("keras_deeplab.weights.load_model", load)
    result = run("segment", photos, "--weights", "model.pb")
    assert result.exit_code == 2
    assert result.stderr == "Error: --weights model.pb: `pip install tensorflow`\n"


def test_segment_with_a_size_for_a_stretching_model_is_a_usage_error(
    run: Run, photos: pathlib.Path, model: ColorModel
) -> None:
    model.resize_mode, model.height, model.width = "stretch", 33, 33
    result = run("segment", photos, "--weights", "any", "--size", "40")
    assert result.exit_code == 2
    assert "stretches every photo to 33 x 33 pixels" in result.stderr


def test_segment_without_weights_takes_the_official_file_where_it_is(
    run: Run,
    photos: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = tmp_path / "data" / "models" / "deeplab"
    models.mkdir(parents=True)
    (models / "deeplabv3_mnv2_pascal_trainval_folded.npz").touch()
    monkeypatch.setenv("KERAS_DEEPLAB_TEST_DATA", str(tmp_path / "data"))
    assert run("segment", photos / "a.png").exit_code == 0


def test_segment_with_a_crf_writes_its_labels(
    run: Run, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), "uint8")
    Image.fromarray(noise).save("noise.png")
    write_crf("own.json", CRF_PRESETS["v2"])
    for words, layer in (
        (["v1"], DenseCRF("v1")),
        (["own.json", "--crf-accuracy", "mobile"], DenseCRF("v2", accuracy="mobile")),
    ):
        result = run("segment", "noise.png", "--weights", "any", "--crf", *words)
        assert result.exit_code == 0, result.output
        refined = layer(predict_logits(ColorModel(), noise)[None], noise[None])
        expected = np.asarray(refined)[0].argmax(-1)
        np.testing.assert_array_equal(read_labels("noise.labels.png"), expected)
