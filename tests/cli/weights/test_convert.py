import os
import pathlib
import shutil
import sys
from collections.abc import Callable

import numpy as np
import pytest
from typer.testing import Result

from keras_deeplab import DeepLabV3
from keras_deeplab.weights.load import load_model
from tests.weights.test_tf1_parity import mobilenet_case

Run = Callable[..., Result]

OPTIONS = {"alpha": 0.35, "atrous_rates": ()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A small model with weights of its own, saved."""
    path = tmp_path_factory.mktemp("trained") / "tiny.keras"
    model = DeepLabV3("mobilenet_v2", **OPTIONS)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0, 0.1, w.shape) for w in model.get_weights()])
    model.save(path)
    return path


@pytest.fixture
def named(trained: pathlib.Path, mirror: pathlib.Path) -> pathlib.Path:
    """The small model as the weights `tiny_voc`."""
    return pathlib.Path(shutil.copy(trained, mirror / "tiny.keras"))


def logits(model: DeepLabV3) -> np.ndarray:
    pixels = np.random.default_rng(1).integers(0, 256, (1, 33, 33, 3))
    return np.asarray(model(model.preprocess(pixels)))


def test_convert_of_a_name_gives_the_same_model(
    run: Run, named: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = run("weights", "convert", "tiny_voc", "out.keras")
    assert result.exit_code == 0, result.output
    model = load_model(tmp_path / "out.keras")
    # That of the row, not that of the file.
    assert (model.output_stride, model.crop_size) == (16, (33, 65))
    expected = load_model(named)
    np.testing.assert_array_equal(logits(model), logits(expected))
    about, summary, wrote = result.stdout.splitlines()
    assert about == "DeepLabV3, backbone mobilenet_v2, 21 classes, output stride 16"
    count = len(expected.weights)
    assert summary.endswith(f": {count} variables used, 0 skipped, 0 weights kept")
    assert wrote == f"Wrote {tmp_path / 'out.keras'}"


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_convert_to_float16_halves_the_file_and_rounds_the_weights(
    run: Run, trained: pathlib.Path, tmp_path: pathlib.Path, ending: str
) -> None:
    sizes = []
    for name, options in (("whole", ()), ("half", ("--float16",))):
        result = run("weights", "convert", trained, name + ending, *options)
        assert result.exit_code == 0, result.output
        sizes.append((tmp_path / f"{name}{ending}").stat().st_size)
    # Both have a header for each array.
    assert sizes[1] < 0.65 * sizes[0]
    source = tmp_path / f"half{ending}"
    model = (
        load_model(source)
        if ending == ".keras"
        else DeepLabV3("mobilenet_v2", weights=str(source), **OPTIONS)
    )
    for found, exact in zip(model.weights, load_model(trained).weights, strict=True):
        assert found.dtype == "float32"
        rounded = np.asarray(exact, "float16").astype("float32")
        np.testing.assert_array_equal(found, rounded)


def test_convert_to_float16_of_a_number_too_large_writes_nothing(
    run: Run, tmp_path: pathlib.Path
) -> None:
    model = DeepLabV3("mobilenet_v2", **OPTIONS)
    model.weights[0].assign(model.weights[0] * 0 + 1e5)
    model.save(tmp_path / "large.keras")
    result = run("weights", "convert", "large.keras", "half.keras", "--float16")
    assert result.exit_code == 2
    assert "has numbers above 65504" in result.stderr
    assert not list(tmp_path.glob("*half*"))


def test_convert_to_weights_alone_gives_the_same_logits(
    run: Run, trained: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "out.weights.h5").write_bytes(b"older")
    result = run("weights", "convert", trained, "out.weights.h5")
    assert result.exit_code == 0, result.output
    model = DeepLabV3("mobilenet_v2", weights=tmp_path / "out.weights.h5", **OPTIONS)
    np.testing.assert_array_equal(logits(model), logits(load_model(trained)))


def test_convert_of_a_checkpoint_accounts_for_its_variables(
    run: Run, tmp_path: pathlib.Path
) -> None:
    source = mobilenet_case(0.35, 16).written(tmp_path / "official").checkpoint
    result = run("weights", "convert", source, "out.keras")
    assert result.exit_code == 0, result.output
    model, expected = load_model(tmp_path / "out.keras"), load_model(source)
    np.testing.assert_array_equal(logits(model), logits(expected))
    assert f"{len(model.weights)} variables used, " in result.stdout


@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        ("tiny_voc", "out.h5", "OUT must end in .keras or .weights.h5"),
        ("tiny_voc", "nowhere/out.keras", "a folder that exists"),
        ("tiny_vok", "out.keras", "Did you mean tiny_voc?"),
        ("none.keras", "out.keras", "not a file"),
        ("tiny_voc", "out.keras", "cannot be read as a Keras file"),
        ("stated_cityscapes", "out.keras", "cannot be downloaded"),
    ],
)
def test_convert_that_fails_says_why_and_keeps_what_was_there(
    source: str, out: str, message: str, run: Run, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "mirror" / "stated.keras").unlink()
    (tmp_path / "out.keras").write_bytes(b"older")
    before = sorted(os.listdir(tmp_path))
    result = run("weights", "convert", source, out)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert (tmp_path / "out.keras").read_bytes() == b"older"
    assert sorted({*os.listdir(tmp_path)} - {"home"}) == before


def test_convert_of_a_backbone_alone_says_what_takes_it_and_downloads_nothing(
    run: Run, mirror: pathlib.Path, home: pathlib.Path
) -> None:
    (mirror / "backbone.tar.gz").write_bytes(b"x")
    result = run("weights", "convert", "xception65_imagenet", "out.keras")
    assert result.exit_code == 2
    assert "a backbone alone: give a model the argument weights=" in result.stderr
    assert not home.exists()


def test_convert_when_saving_fails_keeps_what_was_there(
    run: Run,
    trained: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: object, path: pathlib.Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(DeepLabV3, "save", fail)
    (tmp_path / "out.keras").write_bytes(b"older")
    before = sorted(os.listdir(tmp_path))
    result = run("weights", "convert", trained, "out.keras")
    assert result.exit_code == 2
    assert "disk full" in result.stderr
    assert (tmp_path / "out.keras").read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == before


def test_convert_without_tensorflow_says_so_in_one_line(
    run: Run,
    tmp_path: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = mobilenet_case(0.35, 16).written(tmp_path_factory.mktemp("official"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    result = run("weights", "convert", written.frozen, "out.keras")
    assert result.exit_code == 2
    assert "`pip install tensorflow`, or convert SOURCE once" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out.keras").exists()
