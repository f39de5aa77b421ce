"""Draws photos before and after the CRF side by side.

    python scripts/crf_picture.py --out docs/crf_before_after.png

Each row is a photo: as it is, with the model's labels, with those that the CRF makes of
them, and where these differ. By default the photos and weights are those of
`keras-deeplab segment`.
"""

import argparse
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import keras_deeplab
from keras_deeplab.inference import (
    class_shares,
    count_labels,
    read_photo,
    write_atomically,
)
from keras_deeplab.inference.legend import add_legend
from keras_deeplab.inference.overlay import background_of, blend_labels
from keras_deeplab_cli.model_source import find_weights

ASSETS = pathlib.Path(keras_deeplab.__file__).parent / "assets"
TITLES = ("photo", "model", "with the CRF {crf}", "what it changed")
WIDTH, GAP, CAPTION = 250, 6, 24
CHANGED = (200, 30, 30)


def main(words: Sequence[str] | None = None) -> None:
    """Draws the picture that the arguments describe."""
    options = _parser().parse_args(words)
    model = keras_deeplab.load_model(find_weights(options.weights))
    if options.output_stride:
        model = model.with_output_stride(options.output_stride)
    rows, counts = [], 0
    for file in options.photos:
        photo = read_photo(file)
        before = keras_deeplab.segment(model, photo)
        after = keras_deeplab.segment(model, photo, crf=options.crf)
        share = (before != after).mean()
        print(f"{file.name}: {share:.2%} of the labels changed")  # noqa: T201
        rows.append(_row(photo, before, after, background_of(model.class_names)))
        counts = counts + count_labels(after)
    page = _page(rows, options.crf)
    page = add_legend(
        page, class_shares(counts, model.class_names), background_of(model.class_names)
    )
    small = page.quantize(255, dither=Image.Dither.NONE)
    write_atomically(options.out, lambda f: small.save(f, "PNG", optimize=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--weights")
    parser.add_argument("--output-stride", type=int)
    parser.add_argument("--crf", default="v1")
    photos = [ASSETS / "astronaut.jpg", ASSETS / "cat.jpg"]
    parser.add_argument("photos", nargs="*", type=pathlib.Path, default=photos)
    return parser


def _row(
    photo: np.ndarray, before: np.ndarray, after: np.ndarray, background: int | None
) -> Image.Image:
    changed = photo // 3 + 150
    changed[before != after] = CHANGED
    height = round(WIDTH * photo.shape[0] / photo.shape[1])
    pictures = (
        Image.fromarray(photo),
        blend_labels(photo, before, background),
        blend_labels(photo, after, background),
        Image.fromarray(changed),
    )
    row = Image.new("RGB", (len(pictures) * (WIDTH + GAP), height + GAP), "white")
    for index, picture in enumerate(pictures):
        small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
        row.paste(small, (index * (WIDTH + GAP), 0))
    return row


def _page(rows: Sequence[Image.Image], crf: str) -> Image.Image:
    size = rows[0].width, CAPTION + sum(row.height for row in rows)
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    for index, title in enumerate(TITLES):
        place = index * (WIDTH + GAP), 4
        draw.text(place, title.format(crf=crf), "black", ImageFont.load_default(15))
    top = CAPTION
    for row in rows:
        page.paste(row, (0, top))
        top += row.height
    return page


if __name__ == "__main__":
    main()
