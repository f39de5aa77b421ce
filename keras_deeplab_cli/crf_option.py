"""The CRF that a command is asked for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli.output import fail, warnings_told
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.layers import CRFParameters, DenseCRF

_ACCURACIES = ("finest", "accurate", "mobile")
_SOURCES = (
    "v1, v2 or pydensecrf, the published parameters of that name; or a JSON file of "
    "crf-search"
)
_CLOSENESS = (
    "How closely the CRF follows the exact answer: finest, accurate or mobile. mobile "
    "takes a third of the time of accurate, finest twenty times as long."
)


def _check_accuracy(value: str | None) -> str | None:
    if value is not None and value not in _ACCURACIES:
        raise typer.BadParameter(f"{value} is not one of {', '.join(_ACCURACIES)}.")
    return value


CRFOption = Annotated[
    str | None,
    typer.Option(
        "--crf",
        metavar="PRESET",
        help="Refine the result along the photo's edges by a dense CRF, at the photo's "
        f"own size: {_SOURCES}.",
    ),
]
ExportedCRFOption = Annotated[
    str | None,
    typer.Option(
        "--crf",
        metavar="PRESET",
        help=f"Put a dense CRF into the graph, at the input's size: {_SOURCES}.",
    ),
]
AccuracyOption = Annotated[
    str,
    typer.Option(
        "--crf-accuracy",
        metavar="LEVEL",
        callback=_check_accuracy,
        help=_CLOSENESS,
    ),
]
ExportedAccuracyOption = Annotated[
    str | None,
    typer.Option(
        "--crf-accuracy",
        metavar="LEVEL",
        callback=_check_accuracy,
        help=f"{_CLOSENESS} By default mobile in a .tflite file, else accurate.",
    ),
]


def find_crf(source: str | None, accuracy: str) -> DenseCRF | None:
    """Returns the layer that `--crf` stands for, or fails with one line.

    Args:
        source: What the user asked for, if anything.
        accuracy: A key of `layers.CRF_ACCURACIES`.

    Returns:
        The layer, if there is to be one.
    """
    return None if source is None else load_crf(source, accuracy)


def load_crf(source: str, accuracy: str) -> DenseCRF:
    """Returns the layer that a source of a CRF stands for, or fails with one line.

    Args:
        source: What the user asked for.
        accuracy: A key of `layers.CRF_ACCURACIES`.

    Returns:
        The layer.
    """
    with quiet_import():
        from keras_deeplab import inference

    try:
        with warnings_told():
            return inference.load_crf(source, accuracy)
    except OSError as error:
        fail(f"--crf {source}: {error}")
    except ValueError as error:
        fail(str(error))


def describe_crf(accuracy: str, parameters: CRFParameters) -> str:
    """Says in one line what a CRF is.

    Args:
        accuracy: A key of `layers.CRF_ACCURACIES`.
        parameters: Its parameters.

    Returns:
        The line.
    """
    values = dataclasses.asdict(parameters).items()
    return f"{accuracy}, " + ", ".join(f"{key} {value:g}" for key, value in values)
