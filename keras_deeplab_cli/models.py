"""`keras-deeplab models`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from keras_deeplab_cli import output
from keras_deeplab_cli.quiet import quiet_import


def models(
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Also write the table to a JSON file.",
        ),
    ] = None,
) -> None:
    """List the models with their backbones and what they cost.

    Parameters are in millions, multiply-adds in billions at the size of the row.

    For example:

    * `keras-deeplab models --json models.json`
    """
    output.check_file_can_be_written(json)
    with quiet_import():
        from keras_deeplab.models import MODELS, model_table

    total = sum(len(cls.backbones) for cls in MODELS)
    rows = []
    with output.progress_bar() as report:
        for row in model_table():
            rows.append(row)
            report("building the models", len(rows), total)
    output.say(_table(rows))
    if json is not None:
        output.write_json(json, [dataclasses.asdict(row) for row in rows])


def _table(rows: Sequence[Any]) -> Table:
    table = Table()
    # Names are looked up and typed, so they are never cut.
    table.add_column("Model", no_wrap=True)
    table.add_column("Backbone", no_wrap=True)
    for title in ("Output stride", "Size", "Params (M)", "MAdds (B)"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row.model,
            row.backbone,
            str(row.output_stride),
            str(row.size),
            f"{row.parameters / 1e6:.2f}",
            f"{row.multiply_adds / 1e9:.2f}",
        )
    return table
