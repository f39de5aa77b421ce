"""`keras-deeplab weights verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from keras_deeplab_cli import output
from keras_deeplab_cli.weights.rows import all_rows, named_rows

if TYPE_CHECKING:
    from keras_deeplab.weights import WeightsRow

_OK = "ok"
_DAMAGED = "damaged"
_MISSING = "not there"
# Put there by hand: the next use will pin it.
_UNKNOWN = "no digest yet"


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            help="By default all weights that are on this machine.",
        ),
    ] = None,
) -> None:
    """Check the weights on this machine against their digests.

    Those are the published ones, or the SHA-256 that was pinned on first use. Nothing
    is deleted or changed. The exit code is 1 if a file is damaged, or one that was
    named is not there.

    For example:

    * `keras-deeplab weights verify`
    """
    rows = named_rows(names) if names else all_rows()
    try:
        states = [(row, *_check(row)) for row in rows]
    except OSError as error:
        output.fail(str(error))
    shown = [state for state in states if names or state[1] != _MISSING]
    if not shown:
        output.say("None of the weights are on this machine.")
        return
    output.say(_table(shown))
    _complain(shown)
    if any(state in (_DAMAGED, _MISSING) for _, state, _ in shown):
        raise typer.Exit(output.FAILED)


def _check(row: WeightsRow) -> tuple[str, str]:
    """The state of a file, and what is wrong with it."""
    from keras_deeplab.weights import find_local, find_local_fault

    local = find_local(row)
    if not local.there:
        return _MISSING, ""
    if fault := find_local_fault(row):
        return _DAMAGED, f"{local.path}: {fault}"
    return (_OK if local.checked_by else _UNKNOWN), ""


def _table(states: Sequence[tuple[WeightsRow, str, str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Name", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for row, state, _ in states:
        table.add_row(row.name, state)
    return table


def _complain(states: Sequence[tuple[WeightsRow, str, str]]) -> None:
    for row, state, fault in states:
        if state == _DAMAGED:
            mend = (
                f"`keras-deeplab weights fetch {row.name}` deletes it and downloads it "
                "again"
            )
            output.complain(
                f"{fault}. {mend if row.urls else 'Install the package again'}."
            )
