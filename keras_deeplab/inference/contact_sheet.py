"""One picture of many samples."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_deeplab.data.audit import Audit
from keras_deeplab.data.colors import label_colors
from keras_deeplab.data.file_part import Source
from keras_deeplab.data.labels_png import read_labels
from keras_deeplab.data.photo import read_photo
from keras_deeplab.data.sample_pair import SamplePair
from keras_deeplab.inference.class_share import class_shares
from keras_deeplab.inference.legend import add_legend
from keras_deeplab.inference.overlay import background_of, blend_labels

_TILE = (320, 240)
_GAP = 8
_CAPTION = 22
_PAPER, _INK, _ALARM, _NOTHING = "white", (32, 32, 32), (190, 30, 30), (225, 225, 225)


def draw_contact_sheet(
    audit: Audit, *, samples: int = 6, broken: int = 24
) -> Image.Image:
    """Draws what an audit looked at: photo, mask in colours, and both, row by row.

    Pairs that are broken come first, with what is wrong in red; of a mask that holds no
    labels its own pixels are shown, and an empty tile of what cannot be decoded. Files
    that lack a partner follow.

    Args:
        audit: The audit.
        samples: Rows of other pairs at most, evenly over all.
        broken: Rows of broken pairs at most.

    Returns:
        An RGB picture with a legend of all classes that occur.
    """
    faults = _faults(audit)
    wrong = [pair for pair in audit.data.pairs if _fault_of(pair, faults)]
    right = [pair for pair in audit.data.pairs if not _fault_of(pair, faults)]
    chosen = np.linspace(0, len(right) - 1, min(samples, len(right))).astype(int)
    rows = [
        *[_pair_row(pair, audit, faults) for pair in wrong[:broken]],
        *_lone_rows(audit, faults)[: max(broken - len(wrong), 0)],
        *[_pair_row(right[index], audit, faults) for index in chosen],
    ]
    sheet = _stacked(rows)
    counts = np.array(audit.statistics.pixels)
    if not counts.any():
        return sheet
    return add_legend(sheet, class_shares(counts, audit.data.class_names))


def _faults(audit: Audit) -> dict[str, str]:
    """The title of what is wrong with each broken file."""
    return {
        file: finding.title
        for finding in reversed(audit.broken)
        for file in finding.files
    }


def _fault_of(pair: SamplePair, faults: dict[str, str]) -> str:
    return faults.get(str(pair.mask), "") or faults.get(str(pair.image), "")


def _stacked(rows: Sequence[Image.Image]) -> Image.Image:
    height = _TILE[1] + _CAPTION + _GAP
    sheet = Image.new("RGB", (3 * (_TILE[0] + _GAP) + _GAP, len(rows) * height), _PAPER)
    for index, row in enumerate(rows):
        sheet.paste(row, (0, index * height))
    return sheet


def _pair_row(pair: SamplePair, audit: Audit, faults: dict[str, str]) -> Image.Image:
    return _row(str(pair.image), _fault_of(pair, faults), _tiles(pair, audit))


def _lone_rows(audit: Audit, faults: dict[str, str]) -> list[Image.Image]:
    """Files that are in no pair, and can be shown."""
    paired = {
        str(file) for pair in audit.data.pairs for file in (pair.image, pair.mask)
    }
    lone = {file: _read(read_photo, file) for file in faults.keys() - paired}
    return [
        _row(file, faults[file], [_picture(lone[file]), None, None])
        for file in sorted(lone)
        if lone[file] is not None
    ]


def _row(file: str, fault: str, tiles: Sequence[Image.Image | None]) -> Image.Image:
    width, height = _TILE
    row = Image.new("RGB", (3 * (width + _GAP) + _GAP, height + _CAPTION), _PAPER)
    name = Path(file).name
    caption = f"{name}: {fault}" if fault else name
    font: Any = ImageFont.load_default(14)
    place = (_GAP, _CAPTION // 2)
    ImageDraw.Draw(row).text(
        place, caption, _ALARM if fault else _INK, font, anchor="lm"
    )
    for index, tile in enumerate(tiles):
        row.paste(_fitted(tile), (_GAP + index * (width + _GAP), _CAPTION))
    return row


def _tiles(pair: SamplePair, audit: Audit) -> list[Image.Image | None]:
    photo = _read(read_photo, pair.image)
    stored = _read(read_labels, pair.mask)
    if stored is None:
        # It may be a picture all the same: the colours are what is wrong.
        picture = _read(read_photo, pair.mask)
        return [_picture(photo), _picture(picture), None]
    labels = _labels(stored, audit)
    background = background_of(audit.data.class_names)
    colored = _picture(label_colors(256)[labels])
    if photo is None or photo.shape[:2] != labels.shape:
        return [_picture(photo), colored, None]
    return [_picture(photo), colored, blend_labels(photo, labels, background)]


def _labels(stored: np.ndarray[Any, Any], audit: Audit) -> np.ndarray[Any, Any]:
    """Labels where there are some, and what is stored elsewhere; void is 255."""
    table = np.arange(1 << 16)
    entries = audit.data.table.entries
    table[list(entries)] = list(entries.values())
    table[table == audit.data.ignore_label] = 255
    return table[stored].astype("uint8")


def _read(
    read: Callable[[Source], np.ndarray[Any, Any]], source: Source
) -> np.ndarray[Any, Any] | None:
    try:
        return read(source)
    except (OSError, ValueError):
        return None


def _picture(pixels: np.ndarray[Any, Any] | None) -> Image.Image | None:
    return None if pixels is None else Image.fromarray(pixels)


def _fitted(tile: Image.Image | None) -> Image.Image:
    page = Image.new("RGB", _TILE, _NOTHING)
    if tile is not None:
        scale = min(_TILE[0] / tile.width, _TILE[1] / tile.height)
        size = (max(1, round(tile.width * scale)), max(1, round(tile.height * scale)))
        small = tile.resize(size, Image.Resampling.LANCZOS)
        page.paste(small, ((_TILE[0] - size[0]) // 2, (_TILE[1] - size[1]) // 2))
    return page
