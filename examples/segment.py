"""Segments one photo in Python: labels, shares of the classes, and a picture.

    python examples/segment.py WEIGHTS PHOTO OUT.png

`WEIGHTS` is a `.keras` file, or an official model: float `.tflite`, or folded `.npz`.
Prints a line for each class found, the largest first, and writes the picture.
"""

import argparse
from collections.abc import Sequence

import keras_deeplab
from keras_deeplab import inference


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    parser.add_argument("photo")
    parser.add_argument("out")
    arguments = parser.parse_args(argv)

    model = keras_deeplab.load_model(arguments.weights)
    photo = inference.read_photo(arguments.photo)
    labels = keras_deeplab.segment(model, photo)

    counts = inference.count_labels(labels)
    for row in inference.class_shares(counts, model.class_names):
        print(f"{row.percent:>8}  {row.name}")
    inference.draw_overlay(photo, labels, model.class_names).save(arguments.out)


if __name__ == "__main__":
    main()
