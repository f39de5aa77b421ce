"""`keras-deeplab weights list`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.filesize import decimal
from rich.table import Table

from keras_deeplab_cli import output
from keras_deeplab_cli.weights.rows import all_rows

if TYPE_CHECKING:
    from keras_deeplab.weights import LocalWeights, WeightsRow

# What tells whether a file is the right one, where no digest is published.
CHECKED_BY = {"pin": "pinned", None: "pinned on first use"}


def list_weights(
    dataset: Annotated[
        str | None,
        typer.Option(metavar="DATASET", help="Only those last trained on this."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Only those of this model."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Also write all that is known of them to a JSON file.",
        ),
    ] = None,
) -> None:
    """List the weights that can be had by name.

    The score is the first of those that their authors publish; `keras-deeplab weights
    info NAME` tells how it was measured, and all the rest.

    For example:

    * `keras-deeplab weights list --dataset cityscapes`
    """
    output.check_file_can_be_written(json)
    rows = _filter(_filter(all_rows(), "dataset", dataset), "model", model)
    from keras_deeplab.weights import find_local

    try:
        found = [(row, find_local(row)) for row in rows]
    except OSError as error:
        output.fail(str(error))
    if not output.say_if_it_fits(_table(found)):
        output.say(_narrow_table(found))
    if json is not None:
        output.write_json(json, [_as_data(*pair) for pair in found])


def _filter(rows: list[WeightsRow], field: str, wanted: str | None) -> list[WeightsRow]:
    if wanted is None:
        return rows
    kept = [
        row
        for row in rows
        if (getattr(row, field) or "").casefold() == wanted.casefold()
    ]
    if not kept:
        known = sorted({getattr(row, field) for row in rows} - {None})
        output.fail(f"No weights have --{field} {wanted}, only {', '.join(known)}")
    return kept


def _table(found: Sequence[tuple[WeightsRow, LocalWeights]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("Name", "Model", "Backbone", "Data set"):
        table.add_column(title)
    for title in ("Output stride", "Published", "Size"):
        table.add_column(title, justify="right")
    table.add_column("Digest")
    table.add_column("Here")
    for row, local in found:
        table.add_row(
            row.name,
            row.model or "-",
            row.backbone,
            row.dataset,
            str(row.output_stride or "-"),
            _score(row),
            size(row),
            CHECKED_BY.get(local.checked_by, local.checked_by),
            "yes" if local.there else "no",
        )
    return table


def _narrow_table(found: Sequence[tuple[WeightsRow, LocalWeights]]) -> Table:
    """For small terminals: names tell model, backbone and data set."""
    table = Table(box=box.SIMPLE_HEAD)
    # Names are looked up and typed, so they are never cut.
    table.add_column("Name", no_wrap=True)
    table.add_column("Published", justify="right")
    table.add_column("Here")
    for row, local in found:
        table.add_row(row.name, _score(row), "yes" if local.there else "no")
    return table


def _score(row: WeightsRow) -> str:
    if not row.published:
        return "-"
    return f"{row.published[0].metric} {row.published[0].value}"


def size(row: WeightsRow) -> str:
    """The size of the file, in words."""
    stated = row.stated_size or "not stated"
    return stated if row.bytes is None else decimal(row.bytes)


def _as_data(row: WeightsRow, local: LocalWeights) -> dict[str, Any]:
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return {
        **fields,
        "arguments": dict(row.arguments),
        "published": [dataclasses.asdict(score) for score in row.published],
        "measured": [dataclasses.asdict(score) for score in row.measured],
        "path": str(local.path),
        "here": local.there,
        "checked_by": local.checked_by,
    }
