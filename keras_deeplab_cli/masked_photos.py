"""The options of commands that work on photos with masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_IMAGES = typer.Option(
    "--images",
    metavar="DIR",
    exists=True,
    file_okay=False,
    help="Folder of photos.",
)
_MASKS = typer.Option(
    "--masks",
    metavar="DIR",
    exists=True,
    file_okay=False,
    help="Folder of masks of the same names: palette or grey PNG, one label a pixel; "
    "or NAME.labels.png, as `segment` writes them.",
)
_IGNORED = "Label of the mask pixels that do not count."

ImagesOption = Annotated[Path, _IMAGES]
MasksOption = Annotated[Path, _MASKS]
IgnoreLabelOption = Annotated[
    int, typer.Option("--ignore-label", metavar="N", min=0, help=_IGNORED)
]
# Of commands that also take a dataset.
OwnImagesOption = Annotated[Path | None, _IMAGES]
OwnMasksOption = Annotated[Path | None, _MASKS]
OwnIgnoreLabelOption = Annotated[
    int | None,
    typer.Option(
        "--ignore-label", metavar="N", min=0, help=f"{_IGNORED} By default 255."
    ),
]
