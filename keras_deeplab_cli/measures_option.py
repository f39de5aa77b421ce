"""What a command is to measure beside the scores."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli.output import fail

if TYPE_CHECKING:
    from keras_deeplab.data import DatasetSpec
    from keras_deeplab.inference import Measures, Predictor

_WORST = 6
_WIDTHS = "[0-9]{1,9}(,[0-9]{1,9})*"


def _check_widths(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(_WIDTHS, value):
        raise typer.BadParameter(
            f"{value} is not like 1,2,4,8: whole numbers of at most nine digits."
        )
    return value


TrimapOption = Annotated[
    str | None,
    typer.Option(
        "--trimap",
        metavar="W,W,...",
        callback=_check_widths,
        help="Also the mean IoU within so many pixels of boundaries: 1,2,4,8,16,32 "
        "are those of --report.",
    ),
]
CalibrationOption = Annotated[
    bool,
    typer.Option(
        "--calibration",
        help="Also whether the model is as often right as it is sure.",
    ),
]


def find_measures(
    model: Predictor,
    spec: DatasetSpec | None,
    trimap: str | None,
    calibration: bool,
    report: bool,
) -> Measures:
    """Returns what the options above ask for, or fails with one line.

    Args:
        model: The model, which a report asks for all it can tell.
        spec: The public dataset that is scored on, if it is one.
        trimap: Widths, if any.
        calibration: Whether confidence is compared with accuracy.
        report: Whether there is to be a report.

    Returns:
        The measures.
    """
    from keras_deeplab.inference import Measures
    from keras_deeplab.metrics import TRIMAP_WIDTHS

    widths: tuple[int, ...] = TRIMAP_WIDTHS if report else ()
    if trimap is not None:
        widths = tuple(map(int, trimap.split(",")))
    try:
        return Measures(
            mean_over="truth" if spec is None else spec.mean_over,
            trimap=widths,
            calibration=calibration or (report and model.output_kind != "labels"),
            worst=_WORST if report else 0,
        )
    except ValueError as error:
        fail(str(error))
