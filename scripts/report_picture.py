"""Draws the report of `keras-deeplab evaluate` on a photo of the package.

    python scripts/report_picture.py --out docs/evaluate.png

The small model of streets is compared with what the large one says, for want of a mask
that may be published: the picture shows what a report looks like, not a score. It takes
Chromium, by its name or that in CHROMIUM.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence

from PIL import Image, ImageOps

import keras_deeplab
from keras_deeplab.inference import (
    Measures,
    evaluate_data,
    paired_data,
    read_photo,
    write_atomically,
    write_labels,
    write_report,
)
from keras_deeplab.metrics import TRIMAP_WIDTHS

ASSETS = pathlib.Path(keras_deeplab.__file__).parent / "assets"
LARGE, SMALL = (
    "deeplabv3plus_mobilenet_v2_camvid",
    "deeplabv3plus_mobilenet_v2_035_camvid",
)
# A page is longer than any report of eleven classes; what is left white is cut off.
WINDOW, WIDTH = (1130, 4000), 760


def main(words: Sequence[str] | None = None) -> None:
    """Draws the picture that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        page = _report(pathlib.Path(folder))
        shot = pathlib.Path(folder) / "page.png"
        width, height = WINDOW
        subprocess.run(
            [
                os.environ.get("CHROMIUM", "chromium"),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--window-size={width},{height}",
                f"--screenshot={shot}",
                page.as_uri(),
            ],
            check=True,
        )
        with Image.open(shot) as image:
            picture = image.convert("RGB")
    ink = ImageOps.invert(picture).getbbox() or (0, 0, *picture.size)
    picture = picture.crop((0, 0, picture.width, min(ink[3] + 24, picture.height)))
    small = picture.resize(
        (WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS
    ).quantize(255, dither=Image.Dither.NONE)
    write_atomically(options.out, lambda file: small.save(file, "PNG", optimize=True))


def _report(folder: pathlib.Path) -> pathlib.Path:
    for name in ("images", "masks"):
        (folder / name).mkdir()
    photo = read_photo(ASSETS / "promenade.jpg")
    large = keras_deeplab.load_model(LARGE)
    write_labels(folder / "masks/promenade.png", keras_deeplab.segment(large, photo))
    Image.fromarray(photo).save(folder / "images/promenade.png")
    model = keras_deeplab.load_model(SMALL)
    data = paired_data(model, folder / "images", folder / "masks")
    measures = Measures(trimap=TRIMAP_WIDTHS, calibration=True, worst=1)
    page = folder / "report.html"
    write_report(
        page,
        evaluate_data(model, data, measures=measures),
        data,
        title=f"{SMALL} on what {LARGE} says of a photo",
        facts={"Weights": SMALL},
    )
    return page


if __name__ == "__main__":
    main()
