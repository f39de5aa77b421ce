"""The classes that were found in photos."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text


def shares_table(counts: Sequence[Any], class_names: Sequence[str] | None) -> Table:
    """How much of the photos each class has.

    Args:
        counts: Of each photo the pixels of each label.
        class_names: Names of the classes, if there are any.

    Returns:
        The table.
    """
    from keras_deeplab.inference import class_shares

    many = len(counts) > 1
    table = Table(title=f"Classes in {len(counts)} photos" if many else None)
    table.add_column("")
    table.add_column("Label", justify="right")
    table.add_column("Class")
    table.add_column("Share", justify="right")
    if many:
        table.add_column("Photos", justify="right")
    for row in class_shares(sum(counts), class_names):
        swatch = Text("  ", style=f"on rgb({','.join(map(str, row.color))})")
        photos = sum(int(count[row.label] > 0) for count in counts)
        extra = [str(photos)] if many else []
        table.add_row(swatch, str(row.label), Text(row.name), row.percent, *extra)
    return table
