"""Errors of the package in the words of the command, and options that do nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import Result

from keras_deeplab_cli import app
from keras_deeplab_cli.wording import in_options, wording_of

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("command", "message", "told"),
    [
        (
            "segment",
            "An input of 361 x 481: `window` must be (361, 481). Received: "
            "window=(4, 4)",
            "An input of 361x481: --window must be 361x481. Received: --window 4x4",
        ),
        (
            "evaluate",
            "leave `scales` out, give `window=(33, 41)`. Received: scales=(0.5, 1.0)",
            "leave --scales out, give --window 33x41. Received: --scales 0.5,1.0",
        ),
        (
            "evaluate",
            "`widths` must be rising. Received: widths=(4, 2)",
            "--trimap must be rising. Received: --trimap 4,2",
        ),
        (
            "evaluate",
            "or pass `complete=False`. Received: 2 pairs in name=3",
            "or pass --incomplete. Received: 2 pairs in name=3",
        ),
        (
            "crf-search",
            "`ranges` must be one of 'v1'. Received: ranges='v9'",
            "--preset must be one of 'v1'. Received: --preset 'v9'",
        ),
        (
            "export",
            "`size` is needed, such as (513, 513). Received: size=None",
            "--size is needed, such as 513 513. Received: no --size",
        ),
        (
            "export",
            "ask for less with `least_agreement`",
            "less with --least-agreement",
        ),
        (
            "audit",
            "`name` must be one of 'camvid'",
            "--dataset must be one of 'camvid'",
        ),
        ("train", "`name` must be one of 'none'", "--strategy must be one of 'none'"),
        # What is no option stays as it is: fields of a recipe are typed like that.
        ("train", "`batch_size` must be 1", "`batch_size` must be 1"),
        ("weights convert", "Received: source='x'", "Received: SOURCE 'x'"),
        ("segment", "A photo of 361 x 481", "A photo of 361 x 481"),
    ],
)
def test_message_names_options_in_place_of_arguments(
    command: str, message: str, told: str
) -> None:
    found: Any = get_command(app)
    for word in command.split():
        found = found.commands[word]
    with wording_of(found.params):
        assert in_options(message).endswith(told)
    assert in_options(message) == message


@pytest.mark.parametrize(
    ("words", "option", "needed"),
    [
        (["segment", "photos", "--overlap", "0.5"], "--overlap", "--window"),
        (["segment", "photos", "--crf-accuracy", "mobile"], "--crf-accuracy", "--crf"),
        (
            ["evaluate", "--images", "photos", "--masks", "photos", "--incomplete"],
            "--incomplete",
            "--dataset",
        ),
        (
            ["export", "--out", "m.tflite", "--crf-accuracy", "mobile"],
            "--crf-accuracy",
            "--crf",
        ),
    ],
)
def test_option_without_the_one_it_needs_is_refused(
    words: list[str], option: str, needed: str, run: Run, photos: object
) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {option} has no effect without {needed}: leave it out, or give both.\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["export", "--out", "m.tflite", "--calibration", "photos", "--photos", "."],
            "--calibration has no effect with --photos and without --quantize int8",
        ),
        (
            ["train", "--recipe", "x", "--data", ".", "--out", "o", "--workers", "3"],
            "--workers has no effect on TensorFlow",
        ),
    ],
)
def test_option_that_would_do_nothing_is_refused(
    words: list[str], message: str, run: Run, photos: object
) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_accuracy_of_the_crf_that_the_demo_begins_with_is_taken(run: Run) -> None:
    result = run("demo", "--crf-accuracy", "finest", "--weights", "broken")
    assert "A tensor is missing" in result.stderr
