"""The options of commands that work on photos with masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ImagesOption = Annotated[
    Path,
    typer.Option(
        "--images",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Folder of photos.",
    ),
]
MasksOption = Annotated[
    Path,
    typer.Option(
        "--masks",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Folder of masks of the same names: palette or grey PNG, one label a "
        "pixel.",
    ),
]
IgnoreLabelOption = Annotated[
    int,
    typer.Option(
        "--ignore-label",
        metavar="N",
        min=0,
        help="Label of the mask pixels that do not count.",
    ),
]
