"""Scores as tables, and as JSON takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from keras_deeplab_cli import output

if TYPE_CHECKING:
    from keras_deeplab.inference import Evaluation
    from keras_deeplab.metrics import Calibration, SegmentationScores


def say_scores(found: Evaluation, names: Sequence[str]) -> None:
    """Prints all that was measured."""
    output.say(class_table(found.scores, names))
    if not output.say_if_it_fits(confusion_table(found.scores, names)):
        output.say("The confusion matrix is too wide for this terminal: use --json.")
    if found.trimap:
        output.say(trimap_table(found))
    if found.plain is not None:
        output.say(f"Without the CRF: {summary(found.plain)}")
    output.say(summary(found))


def class_table(scores: SegmentationScores, names: Sequence[str]) -> Table:
    """The IoU of each class."""
    from keras_deeplab.metrics.fraction import percent

    table = Table(title="IoU of each class, in %")
    table.add_column("Label", justify="right")
    table.add_column("Class")
    table.add_column("IoU", justify="right")
    table.add_column("Pixels in the masks", justify="right")
    rows = zip(names, scores.class_iou, scores.truth_pixels, strict=True)
    for label, (name, iou, pixels) in enumerate(rows):
        table.add_row(str(label), Text(name), percent(iou), f"{pixels:,}")
    return table


def confusion_table(scores: SegmentationScores, names: Sequence[str]) -> Table:
    """Where the pixels of each class went."""
    title = "Where the pixels of each class went, in %"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0)
    table.add_column("True class", no_wrap=True)
    for label in range(len(names)):
        table.add_column(str(label), justify="right", min_width=3, no_wrap=True)
    rows = zip(names, scores.confusion, scores.truth_pixels, strict=True)
    for label, (name, row, total) in enumerate(rows):
        if total:
            cells = [f"{100 * count / total:.0f}" if count else "" for count in row]
            table.add_row(Text(f"{label} {name}"), *cells)
    return table


def trimap_table(found: Evaluation) -> Table:
    """The mean IoU near boundaries."""
    from keras_deeplab.metrics.fraction import percent

    table = Table(title="Along boundaries, in %")
    table.add_column("Pixels from them", justify="right")
    table.add_column("Mean IoU", justify="right")
    lines = [found]
    if found.plain is not None:
        table.add_column("without the CRF", justify="right")
        lines.append(found.plain)
    for width in found.trimap:
        cells = (percent(line.trimap[width].mean_iou) for line in lines)
        table.add_row(str(width), *cells)
    return table


def summary(found: Evaluation) -> str:
    """The numbers over all classes in one line."""
    from keras_deeplab.metrics.fraction import percent

    line = (
        f"Mean IoU {percent(found.scores.mean_iou)} %, "
        f"pixel accuracy {percent(found.scores.pixel_accuracy)} %"
    )
    if found.calibration is None:
        return line
    return (
        f"{line}, expected calibration error "
        f"{percent(found.calibration.expected_error)} %, negative log likelihood "
        f"{found.calibration.log_loss:.4f}"
    )


def as_data(found: Evaluation, names: Sequence[str]) -> dict[str, Any]:
    """All that was measured as JSON takes it."""
    data: dict[str, Any] = {
        "mean_over": found.mean_over,
        **_scores_data(found.scores),
        "class_names": list(names),
        "class_iou": [_known(value) for value in found.scores.class_iou],
        "confusion": found.scores.confusion,
    }
    if found.trimap:
        rows = found.trimap.items()
        data["trimap"] = [
            {"width": width, **_scores_data(scores)} for width, scores in rows
        ]
    if found.calibration is not None:
        data["calibration"] = _calibration_data(found.calibration)
    if found.plain is not None:
        data["without_crf"] = as_data(found.plain, names)
    return data


def _scores_data(scores: SegmentationScores) -> dict[str, float | None]:
    return {
        "mean_iou": _known(scores.mean_iou),
        "pixel_accuracy": _known(scores.pixel_accuracy),
    }


def _calibration_data(found: Calibration) -> dict[str, Any]:
    return {
        "expected_error": _known(found.expected_error),
        "log_loss": _known(found.log_loss),
        "pixels": found.pixels,
        "confidence": [_known(value) for value in found.confidence],
        "accuracy": [_known(value) for value in found.accuracy],
    }


def _known(value: float) -> float | None:
    # JSON has no NaN: a class that never occurs has the IoU null.
    return None if math.isnan(value) else value
