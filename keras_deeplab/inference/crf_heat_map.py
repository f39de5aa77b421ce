"""A search for the parameters of the CRF as a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_deeplab.inference.crf_search import CRFSearch, CRFTrial

_CELL = (68, 34)
# Left, above, right and below the cells of a panel.
_MARGIN = (62, 58, 18, 46)
_HEAD = 40
_PAPER, _INK, _BEST = "white", (40, 40, 40), (200, 30, 30)
# From the worst to the best.
_COLORS = np.array(
    [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)]
)


def draw_heat_map(search: CRFSearch) -> Image.Image:
    """Draws the mean IoU of all that was tried.

    A row of panels is a round, a panel a weight, with the width in place across and
    that in colour down. The best is framed.

    Args:
        search: What was found.

    Returns:
        An RGB picture.
    """
    rows = [
        _round(search, number) for number in _sorted(t.round for t in search.trials)
    ]
    width = max(row.width for row in rows)
    page = Image.new("RGB", (width, _HEAD + sum(row.height for row in rows)), _PAPER)
    best = search.best.mean_iou
    title = (
        f"Mean IoU in %: {100 * search.plain_mean_iou:.2f} without a CRF, "
        f"{100 * best:.2f} at best"
    )
    ImageDraw.Draw(page).text((_MARGIN[0], 12), title, _INK, _font(16))
    top = _HEAD
    for row in rows:
        page.paste(row, (0, top))
        top += row.height
    return page


def _round(search: CRFSearch, number: int) -> Image.Image:
    trials = [trial for trial in search.trials if trial.round == number]
    weights = _sorted(trial.parameters.w_bilateral for trial in trials)
    panels = [
        _panel(
            [trial for trial in trials if trial.parameters.w_bilateral == weight],
            f"Round {number}: w_bilateral {weight:g}",
            search,
        )
        for weight in weights
    ]
    size = sum(panel.width for panel in panels), max(panel.height for panel in panels)
    row = Image.new("RGB", size, _PAPER)
    left = 0
    for panel in panels:
        row.paste(panel, (left, 0))
        left += panel.width
    return row


def _panel(trials: Sequence[CRFTrial], title: str, search: CRFSearch) -> Image.Image:
    across = _sorted(trial.parameters.theta_alpha for trial in trials)
    down = _sorted(trial.parameters.theta_beta for trial in trials)
    left, above, right, below = _MARGIN
    width, height = len(across) * _CELL[0], len(down) * _CELL[1]
    panel = Image.new("RGB", (left + width + right, above + height + below), _PAPER)
    draw = ImageDraw.Draw(panel)
    draw.text((left, above - 44), title, _INK, _font(14))
    draw.text((left, above - 20), "theta_beta down", _INK, _font(12))
    draw.text((left, above + height + 24), "theta_alpha across", _INK, _font(12))
    for row, value in enumerate(down):
        y = above + (row + 0.5) * _CELL[1]
        draw.text((left - 8, y), f"{value:g}", _INK, _font(12), anchor="rm")
    for column, value in enumerate(across):
        x = left + (column + 0.5) * _CELL[0]
        draw.text((x, above + height + 6), f"{value:g}", _INK, _font(12), anchor="ma")
    for trial in _shown(search, trials, across, down):
        column = across.index(trial.parameters.theta_alpha)
        row = down.index(trial.parameters.theta_beta)
        corner = left + column * _CELL[0], above + row * _CELL[1]
        _draw_cell(draw, corner, trial, search)
    return panel


def _shown(
    search: CRFSearch, trials: Sequence[CRFTrial], across: Any, down: Any
) -> list[CRFTrial]:
    """The trials of a panel, and those of earlier rounds that lie between them."""
    return [
        trial
        for trial in search.trials
        if trial.round <= trials[0].round
        and trial.parameters.w_bilateral == trials[0].parameters.w_bilateral
        and trial.parameters.theta_alpha in across
        and trial.parameters.theta_beta in down
    ]


def _draw_cell(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    trial: CRFTrial,
    search: CRFSearch,
) -> None:
    x, y = corner
    color = _color(trial, search)
    box = (x, y, x + _CELL[0] - 1, y + _CELL[1] - 1)
    frame = _BEST if trial == search.best else _PAPER
    draw.rectangle(box, color, frame, width=3 if trial == search.best else 1)
    ink = "white" if sum(color) < 380 else _INK
    middle = (x + _CELL[0] / 2, y + _CELL[1] / 2)
    text = f"{100 * trial.mean_iou:.2f}"
    draw.text(middle, text, ink, _font(13), anchor="mm")


def _color(trial: CRFTrial, search: CRFSearch) -> tuple[int, int, int]:
    found = [each.mean_iou for each in search.trials]
    least, most = min(found), max(found)
    share = (trial.mean_iou - least) / (most - least) if most > least else 1.0
    places = np.linspace(0, 1, len(_COLORS))
    red, green, blue = (
        round(float(np.interp(share, places, channel))) for channel in _COLORS.T
    )
    return red, green, blue


def _sorted(values: Any) -> list[Any]:
    return sorted(set(values))


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
