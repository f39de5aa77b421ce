"""Memory that the largest photo needs in a SavedModel. Linux only.

    python benchmarks/serving_memory.py [--weights deeplabv3plus_mobilenet_v2_camvid]

The signature `serve_bytes` is asked about a small photo first, and then about a PNG of
8192 x 8192 pixels, the most that it takes, with and without transparency; each in a
process of its own.
"""

import argparse
import io
import os
import pathlib
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

from memory import alone, peak_of
from PIL import Image
from rounds import print_table

SIDE = 8192


def export(weights: str, folder: pathlib.Path) -> pathlib.Path:
    import keras_deeplab
    from keras_deeplab.export import to_saved_model

    to_saved_model(keras_deeplab.load_model(weights), folder)
    return folder / "1"


def png(side: int, mode: str) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side), "gray").save(file, "png")
    return file.getvalue()


def ask(folder: pathlib.Path, mode: str) -> tuple[float, float]:
    """MiB before the largest photo, and at the peak."""
    import tensorflow as tf

    serve = tf.saved_model.load(folder).signatures["serve_bytes"]
    small, large = (tf.constant([png(side, mode)]) for side in (64, SIDE))
    serve(image_bytes=small)
    return peak_of(lambda: serve(image_bytes=large))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="deeplabv3plus_mobilenet_v2_camvid")
    weights = parser.parse_args().weights
    with tempfile.TemporaryDirectory() as folder:
        saved = alone(export, weights, pathlib.Path(folder))
        found = {mode: alone(ask, saved, mode) for mode in ("RGB", "RGBA")}
    rows = (
        (mode, f"{before:.0f}", f"{peak:.0f}", f"{peak - before:.0f}")
        for mode, (before, peak) in found.items()
    )
    print_table(("photo", "before, MiB", "peak, MiB", "above, MiB"), rows)


if __name__ == "__main__":
    main()
