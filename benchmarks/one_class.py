"""The mean IoU of calling every pixel what most of the photos are.

    python benchmarks/one_class.py DATA [--validation 3]

Of the photos that `keras-deeplab train` would score on: those of `val`, or the last
ones of a folder that is not split. What a model has to beat.
"""

import argparse
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

from keras_deeplab.data import SegmentationData, audit
from keras_deeplab.training import RECIPES
from keras_deeplab.training.find_data import find_data


def one_class(data: SegmentationData) -> tuple[str, float]:
    """The most frequent class, and the mean IoU of it alone.

    Its intersection is all its pixels, its union all that count; the others have no
    intersection. The mean is over the classes that occur.
    """
    pixels = np.array(audit(data).statistics.pixels)
    share = pixels.max() / pixels.sum()
    return data.class_names[pixels.argmax()], share / np.count_nonzero(pixels)


def main() -> None:
    """Prints the class and the score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--validation", type=int)
    given = parser.parse_args()
    recipe = RECIPES["camvid_mobilenet_v2_035"]
    val = find_data(recipe, given.data, validation=given.validation).val
    name, score = one_class(val)
    print(f"{len(val)} photos, every pixel {name}: mean IoU {score:.1%}")


if __name__ == "__main__":
    main()
