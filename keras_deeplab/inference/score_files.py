"""Files that say how sure a model is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab._atomic_file import part_beside, write_atomically
from keras_deeplab.inference.photo_scores import PhotoScores
from keras_deeplab.inference.segment import labels_of

Array = np.ndarray[Any, Any]
Put = Callable[[PhotoScores, Array], Array]


@contextlib.contextmanager
def score_files(
    shape: tuple[int, int, int], confidence: Path | None, probabilities: Path | None
) -> Iterator[Put]:
    """Writes what is asked for while a photo's scores come by, strip by strip.

    Args:
        shape: Height and width of the photo, and the number of classes.
        confidence: The 8-bit grey picture to write, if any: 255 times the probability
            of the pixel's label, rounded.
        probabilities: The `.npy` file to write, if any: float16 `(H, W, classes)`.

    Yields:
        What to call with the scores and each strip in turn; it returns the strip's
        labels. The files are in place once the block has ended well.
    """
    sure: list[Array] = []
    with _probabilities_file(shape, probabilities) as append:

        def put(scores: PhotoScores, strip: Array) -> Array:
            labels = labels_of(strip)
            if confidence is not None or probabilities is not None:
                found = scores.probabilities(strip)
                append(found)
                if confidence is not None:
                    sure.append(_confidence(found, labels))
            return labels

        yield put
    if confidence is not None:
        image = Image.fromarray(np.concatenate(sure))
        write_atomically(confidence, lambda file: image.save(file, "PNG"))


def _confidence(probabilities: Array, labels: Array) -> Array:
    chosen = np.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0]
    return np.rint(255 * chosen).astype("uint8")


@contextlib.contextmanager
def _probabilities_file(
    shape: tuple[int, int, int], path: Path | None
) -> Iterator[Callable[[Array], object]]:
    if path is None:
        yield lambda strip: None
        return
    header = {"descr": "<f2", "fortran_order": False, "shape": shape}
    with part_beside(path) as part, open(part, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda strip: file.write(strip.astype("<f2").tobytes())
