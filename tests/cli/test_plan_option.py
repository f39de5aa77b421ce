import io
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import Result

from keras_deeplab import weights
from keras_deeplab.inference import InferencePlan, evaluate, read_labels, segment
from keras_deeplab_cli import output
from tests.inference.color_model import ColorModel
from tests.inference.network import random_network

Run = Callable[..., Result]


@pytest.fixture
def noise(tmp_path: pathlib.Path) -> pathlib.Path:
    photo = np.random.default_rng(0).integers(0, 256, (50, 70, 3), "uint8")
    path = tmp_path / "noise.png"
    Image.fromarray(photo).save(path)
    return path


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        (["--scales", "0.5,2", "--flip"], InferencePlan(scales=(0.5, 2), flip=True)),
        (["--scales", "papers", "--flip"], InferencePlan.multi_scale()),
        (["--window", "33"], InferencePlan(window=33)),
        (
            ["--window", "33x41", "--overlap", "0.5", "--batch-size", "4"],
            InferencePlan(window=(33, 41), overlap=0.5),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_segment_follows_the_plan_of_its_options(
    words: list[str], plan: InferencePlan, run: Run, noise: pathlib.Path
) -> None:
    result = run("segment", noise, "--weights", "any", *words)
    assert result.exit_code == 0, result.output
    labels = read_labels(noise.with_suffix(".labels.png"))
    np.testing.assert_array_equal(labels, segment(ColorModel(), noise, plan=plan))


def test_evaluate_follows_the_plan_of_its_options(
    run: Run, noise: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    noise.rename(images / "noise.png")
    mask = np.random.default_rng(1).integers(0, 4, (50, 70), "uint8")
    Image.fromarray(mask).save(masks / "noise.png")
    folders = ["--images", images, "--masks", masks]
    result = run("evaluate", "--weights", "any", *folders, "--window", "33", "--flip")
    assert result.exit_code == 0, result.output
    plan = InferencePlan(window=33, flip=True)
    scores = evaluate(ColorModel(), images, masks, plan=plan)
    assert f"Mean IoU {100 * scores.mean_iou:.2f} %" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scales", "big"], "big is neither papers nor factors like 0.75,1"),
        (["--scales", "1,1"], "--scales must hold different factors above 0"),
        (["--scales", "1.2.3"], "1.2.3 is neither papers nor factors"),
        (["--window", "33by33"], "33by33 is neither a number of pixels nor like"),
        (["--window", "4"], "--window must be at least the model's output stride, 8"),
        (["--overlap", "1"], "0.99"),
        (["--batch-size", "0"], "greater than or equal to 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_segment_with_an_impossible_plan_says_so_and_exits_with_2(
    words: list[str], message: str, run: Run, noise: pathlib.Path, model: ColorModel
) -> None:
    result = run("segment", noise, "--weights", "any", "--out", "new", *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert model.seen == []
    assert not pathlib.Path("new").exists()


def test_segment_writes_how_sure_the_model_is_if_asked(
    run: Run, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ["--weights", "any", "--confidence", "--probabilities", "--out", "out"]
    result = run("segment", photos / "a.png", *words)
    assert result.exit_code == 0, result.output
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    names = "confidence.png labels.png overlay.png probabilities.npy"
    assert found == [f"a.{name}" for name in names.split()]
    assert (
        "Wrote NAME.labels.png, NAME.overlay.png, NAME.confidence.png and "
        "NAME.probabilities.npy to" in result.stdout
    )
    assert "earlier run" not in result.stderr
    # A run without them leaves them, and says that they are of other labels.
    again = run("segment", photos / "a.png", "--weights", "any", "--out", "out")
    assert again.stderr == (
        "Note: Files of an earlier run lie beside these results, and are of its "
        "labels: a.confidence.png, a.probabilities.npy\n"
    )
    # Of a photo that failed nothing was written, which an old file could differ from.
    (tmp_path / "broken.png").write_bytes(b"no photo")
    (tmp_path / "out" / "broken.confidence.png").write_bytes(b"")
    again = run("segment", "broken.png", "--weights", "any", "--out", "out")
    assert "earlier run" not in again.stderr
    # A second run over the same folder takes none of them for a photo.
    again = run("segment", "out", "--weights", "any")
    assert "only label maps and overlays" in again.stderr


def test_segment_tells_once_of_image_pooling_unlike_that_of_training(
    run: Run, photos: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = random_network(crop_size=33)
    monkeypatch.setattr(weights, "load_model", lambda source: network)
    result = run(
        "segment",
        photos / "a.png",
        photos / "b.png",
        "--weights",
        "x",
        "--window",
        "16",
    )
    assert result.exit_code == 0, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        "Note: The model's image pooling is not that of its training"
    )


def test_segment_of_one_large_photo_on_a_terminal_shows_how_far_it_is(
    run: Run, noise: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "_stderr", terminal)
    result = run("segment", noise, "--weights", "any", "--window", "33")
    assert result.exit_code == 0, result.output
    assert "This photo" in terminal.file.getvalue()
    assert "6/6" in terminal.file.getvalue()
