import io
import os
import pathlib
from collections.abc import Callable

import pytest
from rich.console import Console
from typer.testing import Result

from keras_deeplab_cli import output
from tests.cli.weights.conftest import CONTENT, OWN, SHA256, STATED

Run = Callable[..., Result]
Rows = Callable[..., None]


def files(folder: pathlib.Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def test_fetch_prints_the_path_and_the_digest_it_pinned_once(
    run: Run, home: pathlib.Path
) -> None:
    for pinned in (True, False):
        result = run("weights", "fetch", "tiny_voc", "stated_cityscapes")
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == [
            str(home / "tiny.keras"),
            str(home / "stated.keras"),
        ]
        assert result.stderr.count(SHA256) == pinned
        assert ("tiny.keras is published" in result.stderr) == pinned
    assert (home / "tiny.keras").read_bytes() == CONTENT


def test_fetch_of_all_does_the_rest_after_a_failure_and_exits_with_1(
    run: Run, home: pathlib.Path
) -> None:
    result = run("weights", "fetch", "--all")
    assert result.exit_code == 1
    assert files(home) == ["stated.keras", "tiny.keras"]
    *_, summary, failure = result.stderr.splitlines()
    assert summary == "1 of 3 weights failed:"
    assert failure.startswith("xception65_imagenet: backbone.tar.gz cannot be downlo")
    assert "KERAS_DEEPLAB_MIRROR" in failure


def test_fetch_of_another_file_than_stated_keeps_nothing(
    run: Run, home: pathlib.Path, mirror: pathlib.Path
) -> None:
    (mirror / "stated.keras").write_bytes(CONTENT.upper())
    result = run("weights", "fetch", "stated_cityscapes")
    assert result.exit_code == 1
    assert "sha256" in result.stderr
    assert files(home) == []


@pytest.mark.parametrize("words", [[], ["--all", "tiny_voc"]], ids=["none", "both"])
def test_fetch_of_neither_names_nor_all_is_a_usage_error(
    words: list[str], run: Run, home: pathlib.Path
) -> None:
    result = run("weights", "fetch", *words)
    assert result.exit_code == 2
    assert "names of weights, or else --all" in result.stderr
    assert not home.exists()


def test_fetch_with_an_unknown_name_fetches_none(run: Run, home: pathlib.Path) -> None:
    assert run("weights", "fetch", "tiny_voc", "nothing").exit_code == 2
    assert not home.exists()


def test_fetch_on_a_terminal_shows_the_bytes_that_have_come(
    run: Run, monkeypatch: pytest.MonkeyPatch, mirror: pathlib.Path, rows: Rows
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "_stderr", terminal)
    name = "deeplabv3_mnv2_pascal_trainval_2018_01_29.keras"
    rows({**STATED, "file": name})
    (mirror / "stated.keras").rename(mirror / name)
    assert run("weights", "fetch", "stated_cityscapes").exit_code == 0
    assert isinstance(terminal.file, io.StringIO)
    shown = terminal.file.getvalue()
    assert "Downloading deeplabv3_mnv2_pascal_train…" in shown
    # On one line, however long the name.
    assert "11/11 bytes" in shown


def test_segment_by_name_downloads_first_and_shows_what_it_pinned(
    run: Run, photos: pathlib.Path, home: pathlib.Path
) -> None:
    result = run("segment", photos / "a.png", "--weights", "tiny_voc")
    assert result.exit_code == 0, result.output
    assert files(home) == ["tiny.keras"]
    assert SHA256 in result.stderr


def test_segment_by_name_that_cannot_be_had_is_one_line(
    run: Run, photos: pathlib.Path, mirror: pathlib.Path
) -> None:
    (mirror / "tiny.keras").unlink()
    result = run("segment", photos / "a.png", "--weights", "tiny_voc")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "--weights tiny_voc: tiny.keras cannot be downloaded" in result.stderr


def states(result: Result) -> dict[str, str]:
    """The table of `verify`."""
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    return {words[0]: words[1].strip() for words in lines if len(words) > 1}


def test_verify_of_an_empty_cache_finds_nothing_to_do(
    run: Run, home: pathlib.Path
) -> None:
    result = run("weights", "verify")
    assert (result.exit_code, result.stdout) == (
        0,
        "None of the weights are on this machine.\n",
    )
    assert not home.exists()


def test_verify_of_what_was_fetched_is_ok(run: Run) -> None:
    run("weights", "fetch", "tiny_voc", "stated_cityscapes")
    result = run("weights", "verify")
    assert result.exit_code == 0, result.output
    assert states(result) == {
        "Name": "State",
        "tiny_voc": "ok",
        "stated_cityscapes": "ok",
    }


@pytest.mark.parametrize("name", ["tiny_voc", "stated_cityscapes"])
@pytest.mark.parametrize("content", [CONTENT[:-1] + b"S", b"", CONTENT + b"s"])
def test_verify_of_a_damaged_file_says_how_to_mend_it_and_leaves_it(
    name: str, content: bytes, run: Run, home: pathlib.Path
) -> None:
    run("weights", "fetch", "tiny_voc", "stated_cityscapes")
    path = home / f"{name.partition('_')[0]}.keras"
    path.write_bytes(content)
    result = run("weights", "verify")
    assert result.exit_code == 1
    assert states(result)[name] == "damaged"
    assert list(states(result).values()).count("ok") == 1
    assert result.stderr.startswith(f"{path}: it")
    assert f"`keras-deeplab weights fetch {name}` deletes it" in result.stderr
    assert path.read_bytes() == content
    assert run("weights", "fetch", name).exit_code == 0
    assert run("weights", "verify").exit_code == 0


def test_verify_with_a_damaged_pin_is_no_success(run: Run, home: pathlib.Path) -> None:
    run("weights", "fetch", "tiny_voc")
    (home / ".tiny.keras.pin.json").write_text("{")
    result = run("weights", "verify")
    assert result.exit_code == 1
    assert "Delete its file" in result.stderr
    assert (home / ".tiny.keras.pin.json").read_text() == "{"


def test_verify_of_a_file_put_there_by_hand_pins_nothing(
    run: Run, home: pathlib.Path
) -> None:
    home.mkdir()
    (home / "tiny.keras").write_bytes(CONTENT)
    result = run("weights", "verify")
    assert result.exit_code == 0
    assert states(result)["tiny_voc"] == "no digest yet"
    assert os.listdir(home) == ["tiny.keras"]


def test_verify_of_a_name_that_is_not_there_exits_with_1(run: Run) -> None:
    result = run("weights", "verify", "tiny_voc")
    assert result.exit_code == 1
    assert states(result)["tiny_voc"] == "not there"


def test_verify_of_a_damaged_file_of_the_package_says_how_to_mend_it(
    run: Run, rows: Rows, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras_deeplab.weights.weights_row.ASSETS", tmp_path)
    (tmp_path / "own.keras").write_bytes(CONTENT)
    stated = {**OWN, "digest": SHA256, "algorithm": "sha256"}
    rows(stated)
    assert states(run("weights", "verify"))["own_voc"] == "ok"
    rows({**stated, "bytes": 12})
    result = run("weights", "verify")
    assert result.exit_code == 1
    assert "it has 11 bytes, not 12. Install the package again." in result.stderr
