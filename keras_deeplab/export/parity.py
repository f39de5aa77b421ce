"""What an exported graph answers beside what the Keras model answers."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_deeplab.data.photo import read_photo
from keras_deeplab.export.graph import Graph
from keras_deeplab.inference.framing import frame_for, lay_out

Array = np.ndarray[Any, Any]

# RGB pixels of 0 to 255, float32 `(1, height, width, 3)`, to an answer of batch 1.
Answer = Callable[[Array], Array]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parity:
    """How close an exported graph is to the Keras model.

    Args:
        photos: Names of the photos that both were shown.
        agreement: Share of the photos' pixels with the same label, in `[0, 1]`.
        max_difference: Largest difference of a logit or probability; `None` where the
            answer is a label map.
        mean_difference: Mean of the same.
    """

    photos: tuple[str, ...]
    agreement: float
    max_difference: float | None
    mean_difference: float | None


@dataclasses.dataclass(frozen=True)
class _Found:
    """Sums over the pixels of one photo."""

    pixels: int
    same: int
    values: int = 0
    difference: float = 0.0
    largest: float | None = None


def compare(
    graph: Graph, exported: Answer, photos: Sequence[Path], *, activated: bool = False
) -> Parity:
    """Shows photos to both and compares what they say of every pixel.

    Args:
        graph: What was exported, its model of fixed size.
        exported: Gives the export's answer.
        photos: Files of photos; at least one.
        activated: Whether the export answers with probabilities.

    Returns:
        The comparison, over the pixels of the photos, without padding.

    Raises:
        OSError: If a photo cannot be read.
        ValueError: If it is no image.
    """
    truth = keras_answer(graph, activated=activated)
    found = [_compare(graph, truth, exported, photo) for photo in photos]
    values = sum(one.values for one in found)
    total = sum(one.difference for one in found)
    largest = [one.largest for one in found if one.largest is not None]
    return Parity(
        photos=tuple(photo.name for photo in photos),
        agreement=sum(one.same for one in found) / sum(one.pixels for one in found),
        max_difference=max(largest, default=None),
        mean_difference=total / values if values else None,
    )


def keras_answer(graph: Graph, *, activated: bool = False) -> Answer:
    """What the Keras model itself answers: logits or probabilities at full size.

    Args:
        graph: What is exported.
        activated: Whether to return probabilities.

    Returns:
        A function of pixels.
    """
    model = graph.model
    network = keras.Model(model.inputs, model.get_layer("upsampling").output)

    def answer(pixels: Array) -> Array:
        logits = network(model.preprocess(pixels), training=False)
        if graph.refine is not None:
            logits = graph.refine(logits, ops.convert_to_tensor(pixels))
        values = graph.probabilities(logits) if activated else logits
        return ops.convert_to_numpy(values)

    return answer


def _compare(graph: Graph, truth: Answer, exported: Answer, photo: Path) -> _Found:
    image = read_photo(photo)
    frame = frame_for(graph.model, (image.shape[0], image.shape[1]))
    # A graph that takes bytes cannot be given more.
    pixels = lay_out(image, frame, graph.model.pad_pixel).round()
    height, width = frame.content
    expected = truth(pixels)[0, :height, :width]
    given = exported(pixels)[0, :height, :width]
    if given.ndim == 2:
        same = int((given == expected.argmax(-1)).sum())
        return _Found(given.size, same)
    same = int((given.argmax(-1) == expected.argmax(-1)).sum())
    gap = np.abs(given.astype("float32") - expected)
    return _Found(
        height * width,
        same,
        gap.size,
        float(gap.sum(dtype="float64")),
        float(gap.max()),
    )
