"""What a training arrived at, and whether it was worth it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from keras_deeplab_cli import output


def say_scores(scores: Mapping[str, Any]) -> None:
    """Prints the scores of a report, and whether they are no better than the start's.

    Args:
        scores: The report's, of the best and the last evaluation, and of the start.
    """
    output.say(_table(scores))
    start, best = (
        (scores.get(name) or {}).get("mean_iou") for name in ("start", "best")
    )
    if start is not None and (best or 0.0) <= start:
        output.say(
            f"No epoch is better than the start, whose mean IoU is {100 * start:.2f} "
            "%: keep the weights that it began with, or train otherwise, with a lower "
            "learning rate for one."
        )


def _table(scores: Mapping[str, Any]) -> Table:
    from keras_deeplab.metrics.fraction import percent

    best, last, start = scores["best"], scores["last"], scores.get("start")
    columns = {
        **({} if start is None else {"Start": start}),
        f"Best: epoch {best['epoch']}": best,
        f"Last: epoch {last['epoch']}": last,
    }
    table = Table(title="IoU of each class on the validation images, in %")
    table.add_column("Class")
    for title in columns:
        table.add_column(title, justify="right")
    for name in best["class_iou"]:
        row = (percent(found["class_iou"][name]) for found in columns.values())
        table.add_row(Text(name), *row)
    table.add_section()
    table.add_row("mean", *(percent(found["mean_iou"]) for found in columns.values()))
    return table
