"""Memory that windows of a photo of 24 megapixels need. Linux only.

    python benchmarks/large_photo.py [--photo FILE] [--size 4000 6000]
        [--window 353 481] [--weights deeplabv3plus_mobilenet_v2_035_camvid]

A photo of the package, enlarged. `segment` runs in a process of its own, whose memory
is read when it holds TensorFlow, the model and the photo, and at its peak after that.
"""

import argparse
import os
import pathlib
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

from memory import MIB, alone, peak_of
from PIL import Image

PHOTO = pathlib.Path(__file__).parents[1] / "keras_deeplab/assets/promenade.jpg"


def enlarge(photo: pathlib.Path, size: tuple[int, int], to: pathlib.Path) -> None:
    height, width = size
    with Image.open(photo) as image:
        image.convert("RGB").resize((width, height)).save(to)


def segment(
    photo: pathlib.Path, window: tuple[int, int], weights: str
) -> tuple[int, int, float, float]:
    """Windows, classes, and MiB before the first window and at the peak."""
    import keras_deeplab
    from keras_deeplab.inference import InferencePlan, read_photo

    model = keras_deeplab.load_model(weights)
    pixels = read_photo(photo)
    totals = []
    before, peak = peak_of(
        lambda: keras_deeplab.segment(
            model,
            pixels,
            plan=InferencePlan(window=window),
            progress=lambda _what, _done, total: totals.append(total),
        )
    )
    return totals[-1], model.classes, before, peak


def main() -> None:
    """Prints what the process held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", type=pathlib.Path, default=PHOTO)
    parser.add_argument("--size", type=int, nargs=2, default=(4000, 6000))
    parser.add_argument("--window", type=int, nargs=2, default=(353, 481))
    parser.add_argument("--weights", default="deeplabv3plus_mobilenet_v2_035_camvid")
    given = parser.parse_args()
    height, width = given.size
    with tempfile.TemporaryDirectory() as folder:
        large = pathlib.Path(folder) / "large.jpg"
        enlarge(given.photo, (height, width), large)
        windows, classes, before, peak = alone(
            segment, large, tuple(given.window), given.weights
        )
    logits = 4 * height * width * classes / MIB
    print(f"{width} x {height} pixels in {windows} windows")
    print(f"held before: {before:.0f} MiB, at the peak: {peak:.0f} MiB")
    print(f"above: {peak - before:.0f} MiB; the logits of all pixels: {logits:.0f} MiB")


if __name__ == "__main__":
    main()
