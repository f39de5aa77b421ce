"""How often, how large and in which parts a command shows a model a photo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli.output import fail
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.inference import InferencePlan, Predictor

_PAPERS = "papers"
_FACTOR = r"(\d+\.?\d*|\.\d+)"
_FACTORS = f"{_FACTOR}(,{_FACTOR})*"


def _check_scales(value: str | None) -> str | None:
    if value in (None, _PAPERS) or re.fullmatch(_FACTORS, value or ""):
        return value
    raise typer.BadParameter(f"{value} is neither {_PAPERS} nor factors like 0.75,1.")


def _check_window(value: str | None) -> str | None:
    if value is None or re.fullmatch(r"\d+(x\d+)?", value):
        return value
    raise typer.BadParameter(
        f"{value} is neither a number of pixels nor like 513x1025."
    )


ScalesOption = Annotated[
    str | None,
    typer.Option(
        "--scales",
        metavar=f"{_PAPERS}|S,S,...",
        callback=_check_scales,
        help="Show the model each photo at several scales and average its "
        f"probabilities; {_PAPERS} are 0.5,0.75,1,1.25,1.5,1.75.",
    ),
]
FlipOption = Annotated[
    bool, typer.Option("--flip", help="Show each photo mirrored too, and average.")
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="N|HxW",
        callback=_check_window,
        help="Show photos at their own resolution, part by part, each of N x N pixels: "
        "best those of the training crop.",
    ),
]
OverlapOption = Annotated[
    float,
    typer.Option(
        "--overlap",
        metavar="SHARE",
        min=0,
        max=0.99,
        help="Share of a window that the next one covers too.",
    ),
]


def find_plan(
    model: Predictor,
    size: int | None,
    scales: str | None,
    flip: bool,
    window: str | None,
    overlap: float,
) -> InferencePlan:
    """Returns what the options above ask for, or fails with one line.

    Args:
        model: The model, which must be able to do it.
        size: Largest longer side of photos, or `None`.
        scales: What the user asked for, as all that follows.
        flip: Whether photos are shown mirrored too.
        window: One or two numbers, if anything.
        overlap: Share of a window.

    Returns:
        The plan.
    """
    with quiet_import():
        from keras_deeplab import inference

    factors: tuple[float, ...] = (1.0,)
    try:
        if scales == _PAPERS:
            factors = inference.PAPER_SCALES
        elif scales is not None:
            factors = tuple(map(float, scales.split(",")))
        sides = tuple(map(int, window.split("x"))) if window else ()
        plan = inference.InferencePlan(
            scales=factors,
            flip=flip,
            window=(sides[0], sides[-1]) if sides else None,
            overlap=overlap,
        )
        inference.check_plan(model, size, plan)
    except ValueError as error:
        fail(str(error))
    return plan
