"""`keras-deeplab weights fetch`."""

from __future__ import annotations

from typing import Annotated

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.download import download
from keras_deeplab_cli.weights.rows import all_rows, named_rows


def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that are listed: some gigabytes.")
    ] = False,
) -> None:
    """Download weights into the cache and check them.

    Prints where each file is. Where no digest is published, the first file is trusted
    and its SHA-256 shown and pinned: later files must have the same. A download that
    broke off goes on where it stopped.

    For example:

    * `keras-deeplab weights fetch deeplabv3_mobilenet_v2_pascal_voc`
    """
    if everything == bool(names):
        output.fail("Give the names of weights, or else --all.")
    rows = all_rows() if everything else named_rows(names or ())
    failures = []
    for row in rows:
        try:
            output.say(str(download(row.name)))
        except OSError as error:
            failures.append(f"{row.name}: {error}")
    if failures:
        output.complain(f"{len(failures)} of {len(rows)} weights failed:")
        for failure in failures:
            output.complain(failure)
        raise typer.Exit(output.FAILED)
