import os
import pathlib
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from typer.main import get_command
from typer.testing import Result

import keras_deeplab_cli.quiet
from keras_deeplab._version import __version__
from keras_deeplab_cli import app, output

ROOT = pathlib.Path(__file__).parents[2]

Run = Callable[..., Result]


def python(*words: object, cwd: pathlib.Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    command = [sys.executable, *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_version_is_that_of_the_package(run: Run) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"keras-deeplab {__version__}\n"


def test_help_names_the_commands_and_how_to_start(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for text in (
        "segment",
        "demo",
        "evaluate",
        "train",
        "export",
        "bench",
        "photo.jpg",
        "--vers",
    ):
        assert text in result.stdout


@pytest.mark.parametrize(
    ("command", "texts"),
    [
        ("segment", ["PHOTO", "--weights", "--output-stride", "--size", "--out"]),
        ("evaluate", ["--weights", "--images", "--masks", "--ignore-label", "--json"]),
        ("demo", ["--weights", "--crf", "--host", "--port", "--no-browser"]),
        ("models", ["--json"]),
        ("train", ["--recipe", "--data", "--out", "--set", "--weights", "--resume"]),
        ("weights", ["list", "info", "fetch", "verify", "convert", "KERAS_DEEPLAB_H"]),
        ("weights list", ["--dataset", "--model", "--json"]),
        ("weights info", ["NAME"]),
        ("weights fetch", ["NAME", "--all"]),
        ("weights verify", ["NAME"]),
        ("weights convert", ["SOURCE", "OUT", ".keras", ".weights.h5"]),
    ],
)
def test_help_of_a_command_names_its_options(
    command: str, texts: list[str], run: Run
) -> None:
    result = run(*command.split(), "-h")
    assert result.exit_code == 0
    for text in texts:
        assert text in result.stdout


def test_command_that_does_not_exist_is_a_usage_error(run: Run) -> None:
    assert run("segmnt").exit_code == 2


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, and those of the groups."""
    yield words
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


@pytest.mark.parametrize("words", list(commands(get_command(app))), ids=" ".join)
def test_help_is_whole_in_80_columns(
    words: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) == 80
    # What does not fit is cut off, or a list of choices broken.
    assert "…" not in result.stdout
    assert not re.search(r"\|\w+ *│|│ +\w+\|", result.stdout)


def test_without_a_terminal_lines_tell_how_far_the_work_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([0, 1, 31, 60])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(times))
    with output.progress_bar() as report:
        for done in (1, 2, 3):
            report("round 1 of 3", done, 8)
    assert capsys.readouterr().err == "Round 1 of 3: 2 of 8\n"


@pytest.mark.parametrize("at_end", [False, True])
def test_warnings_are_told_once_each_and_at_the_end_if_need_be(
    at_end: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.warnings_told(at_end):
        for message in ("one", "two", "one"):
            warnings.warn(message, UserWarning, stacklevel=1)
        assert bool(capsys.readouterr().err) != at_end
    assert capsys.readouterr().err == ("Note: one\nNote: two\n" if at_end else "")


def test_help_and_usage_errors_do_not_import_keras(tmp_path: pathlib.Path) -> None:
    code = """
import sys
from typer.testing import CliRunner
from keras_deeplab_cli import app
for words in (
    "--help", "--version", "segment --help", "segment no.jpg", "train --help", "train",
    "demo --help", "demo --port no",
    "weights --help",
    "weights list --help", "weights convert --help", "weights fetch",
):
    CliRunner().invoke(app, words.split())
print({"keras", "keras_deeplab", "numpy", "PIL", "tensorflow"} & set(sys.modules))
"""
    done = python("-c", code, cwd=tmp_path)
    assert done.stdout == "set()\n", done.stderr


def test_native_messages_while_importing_are_hidden_unless_it_fails(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet_import = keras_deeplab_cli.quiet.quiet_import
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    with quiet_import():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3"
    # The level was not the user's wish.
    with keras_deeplab_cli.quiet.quiet_native():
        os.write(2, b"chatter later\n")
    assert capfd.readouterr().err == ""
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")

    def fail() -> None:
        with quiet_import():
            os.write(2, b"the reason\n")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == "the reason\n"
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with quiet_import():
        os.write(2, b"wanted\n")
    assert capfd.readouterr().err == "wanted\n"


def test_real_program_segments_real_photos_and_names_the_broken_one(
    data_dir: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pets = data_dir / "photos" / "pets.jpg"
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(pets.read_bytes()[:9000])
    weights = data_dir / "models/deeplab/deeplabv3_mnv2_pascal_trainval_folded.npz"
    words = ["segment", pets, broken, "--weights", weights, "--out", "out"]
    # As the console script does; nothing else may be on stderr.
    code = "from keras_deeplab_cli import main; main()"
    done = python("-c", code, *words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    summary, failure = done.stderr.splitlines()
    assert summary == "1 of 2 photos failed:"
    assert failure.startswith(f"{broken}: `image` cannot be decoded")
    assert failure.count(str(broken)) == 1
    assert "Traceback" not in done.stderr
    assert "dog" in done.stdout
    assert sorted(os.listdir(tmp_path / "out")) == [
        "pets.labels.png",
        "pets.overlay.png",
    ]
    with Image.open(pets) as photo, Image.open(tmp_path / "out/pets.labels.png") as png:
        assert png.size == photo.size


@pytest.mark.parametrize("module", ["keras_deeplab", "keras_deeplab_cli"])
def test_module_runs_as_the_command_does(module: str, tmp_path: pathlib.Path) -> None:
    done = python("-m", module, "--version", cwd=tmp_path)
    assert done.stdout == f"keras-deeplab {__version__}\n"
    # The other one imports Keras first, whose backend may print at its start.
    assert module == "keras_deeplab" or done.stderr == ""


def test_error_is_one_line_that_keeps_the_spaces_of_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.complain("No such file:\n  two  spaces.jpg\nReceived: x")
    assert capsys.readouterr().err == "No such file: two  spaces.jpg Received: x\n"
