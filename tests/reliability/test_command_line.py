"""Words of any kind at any place of the command line: an exit code and one sentence."""

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from keras_deeplab import weights
from keras_deeplab_cli import app, main
from tests.reliability.clearly import told_clearly
from tests.reliability.trees import files_in, write_pairs

# Every command, so that it gets as far as it can and ends with an error all the same.
START: dict[str, tuple[str, ...]] = {
    "segment": ("images", "--weights", "broken"),
    "evaluate": ("--images", "images", "--masks", "masks", "--weights", "broken"),
    "crf-search": ("--images", "images", "--masks", "masks", "--weights", "broken"),
    "audit": ("masks", "--dataset", "voc2012", "--split", "train"),
    "train": ("--recipe", "broken", "--data", ".", "--out", "run"),
    "export": ("--weights", "broken", "--out", "model.tflite"),
    "bench": ("broken",),
    "weights convert": ("broken", "broken.keras"),
    "weights fetch": ("broken",),
    "weights info": ("broken",),
    "weights verify": ("broken",),
}
WORDS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        ["-1", "0", "1", "8", "255", "1.5", "nan", "inf", "1e99", "9" * 30]
    ),
    st.sampled_from(["", "-", "--", "images", "images/0.png", "a" * 5000, "[/bold]"]),
    st.sampled_from(["\n", "a\nb", "\x1b[31m", "\udcff", "{}", "[" * 9999, "none"]),
    st.sampled_from(["x.json", "x.tflite", "no/x.keras", "a=b", "=", "epochs=", "v1"]),
)


def options() -> Iterator[tuple[str, str, int]]:
    """Every command, with each of its options that takes words, and how many."""
    for name in START:
        command: Any = typer.main.get_command(app)
        for word in name.split():
            command = command.commands[word]
        for parameter in command.params:
            named = parameter.param_type_name == "option"
            if named and not getattr(parameter, "is_flag", False):
                yield name, parameter.opts[0], parameter.nargs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    folder = write_pairs(tmp_path_factory.mktemp("words"))

    def load(source: str) -> None:
        raise ValueError("A tensor is missing.\nReceived: source='broken'")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(weights, "load_model", load)
        # A cache keeps its locks, and a mirror asks no host.
        cache = tmp_path_factory.mktemp("cache")
        patch.setenv("KERAS_DEEPLAB_HOME", str(cache))
        patch.setenv("KERAS_DEEPLAB_MIRROR", str(cache / "mirror"))
        yield folder


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@settings(max_examples=150)
@given(st.sampled_from(list(options())), WORDS, WORDS)
def test_any_value_of_any_option_ends_with_one_sentence(
    folder: pathlib.Path, option: tuple[str, str, int], first: str, second: str
) -> None:
    name, flag, count = option
    before = files_in(folder)
    words = [*name.split(), *START[name], flag, *(first, second)[:count]]
    told_clearly(invoke(*words))
    assert files_in(folder) == before


@settings(max_examples=60)
@given(st.sampled_from(list(START)), WORDS)
def test_any_word_in_the_place_of_a_file_ends_with_one_sentence(
    folder: pathlib.Path, name: str, word: str
) -> None:
    before = files_in(folder)
    told_clearly(invoke(*name.split(), "--", word, *START[name][1:]))
    assert files_in(folder) == before


def test_every_command_that_takes_words_is_tried() -> None:
    commands: Any = typer.main.get_command(app)
    names = set()
    for name, command in commands.commands.items():
        below = getattr(command, "commands", None)
        names |= {f"{name} {each}" for each in below} if below else {name}
    assert names - START.keys() <= {"models", "weights list", "demo"}


def test_results_printed_to_a_full_disk_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["keras-deeplab", "weights", "list"])
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 2
    told = "Error: The results cannot be printed: No space left on device\n"
    assert capsys.readouterr().err == told
