"""The CRF that a command is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli.output import fail
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.layers import DenseCRF

_ACCURACIES = ("finest", "accurate", "mobile")
_SOURCES = (
    "the published parameters of that name, or those in a JSON file of crf-search"
)
_CLOSENESS = (
    "How closely the CRF follows the exact answer; mobile takes a third of the time of "
    "accurate, finest twenty times as long."
)


def _check_accuracy(value: str | None) -> str | None:
    if value is not None and value not in _ACCURACIES:
        raise typer.BadParameter(f"{value} is not one of {', '.join(_ACCURACIES)}.")
    return value


CRFOption = Annotated[
    str | None,
    typer.Option(
        "--crf",
        metavar="v1|v2|pydensecrf|FILE",
        help="Refine the result along the photo's edges by a dense CRF, at the photo's "
        f"own size: {_SOURCES}.",
    ),
]
ExportedCRFOption = Annotated[
    str | None,
    typer.Option(
        "--crf",
        metavar="v1|v2|pydensecrf|FILE",
        help=f"Put a dense CRF into the graph, at the input's size: {_SOURCES}.",
    ),
]
AccuracyOption = Annotated[
    str,
    typer.Option(
        "--crf-accuracy",
        metavar="|".join(_ACCURACIES),
        callback=_check_accuracy,
        help=_CLOSENESS,
    ),
]
ExportedAccuracyOption = Annotated[
    str | None,
    typer.Option(
        "--crf-accuracy",
        metavar="|".join(_ACCURACIES),
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
    if source is None:
        return None
    with quiet_import():
        from keras_deeplab import inference

    try:
        return inference.load_crf(source, accuracy)
    except (OSError, ValueError) as error:
        fail(f"--crf {source}: {error}")
