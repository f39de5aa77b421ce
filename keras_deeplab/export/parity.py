"""What an exported graph answers beside what the Keras model answers."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from keras_deeplab.data.photo import read_photo
from keras_deeplab.export.graph import Graph
from keras_deeplab.inference.framing import frame_for, lay_out

Array = np.ndarray[Any, Any]


class Exported(Protocol):
    """An export that can be run: a `LiteModel` or an `ExportedModel`."""

    def preprocess(self, images: Any) -> Array:
        """RGB pixels of 0 to 255 as the export takes them."""

    def run(self, pixels: Array) -> Array:
        """Its own answer to them, of batch 1."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parity:
    """How close an exported graph is to the Keras model.

    Args:
        photos: Names of the photos that both were shown.
        agreement: Share of the photos' pixels with the same label, in `[0, 1]`.
        max_difference: Largest difference of a logit or probability; `None` where the
            answer is a label map.
        mean_difference: Mean of the same.
        crf_changed: Share of the pixels to which the CRF gives another label than the
            model by itself; `None` without a CRF.
    """

    photos: tuple[str, ...]
    agreement: float
    max_difference: float | None
    mean_difference: float | None
    crf_changed: float | None = None


@dataclasses.dataclass(frozen=True)
class _Found:
    """Sums over the pixels of one photo."""

    pixels: int
    same: int
    changed: int
    values: int = 0
    difference: float = 0.0
    largest: float | None = None


def compare(
    graph: Graph,
    exported: Exported,
    photos: Sequence[Path],
    *,
    activated: bool = False,
) -> Parity:
    """Shows photos to both and compares what they say of every pixel.

    Args:
        graph: What was exported, its model of fixed size.
        exported: The export.
        photos: Files of photos; at least one.
        activated: Whether the export answers with probabilities.

    Returns:
        The comparison, over the pixels of the photos, without padding.

    Raises:
        OSError: If a photo cannot be read.
        ValueError: If it is no image.
    """
    truth = _KerasAnswer(graph, activated)
    found = [_compare(graph, truth, exported, photo) for photo in photos]
    pixels = sum(one.pixels for one in found)
    changed = sum(one.changed for one in found) / pixels
    values = sum(one.values for one in found)
    total = sum(one.difference for one in found)
    largest = [one.largest for one in found if one.largest is not None]
    return Parity(
        photos=tuple(photo.name for photo in photos),
        agreement=sum(one.same for one in found) / pixels,
        max_difference=max(largest, default=None),
        mean_difference=total / values if values else None,
        crf_changed=None if graph.crf is None else changed,
    )


class _KerasAnswer:
    """What the Keras model itself answers, at full size."""

    def __init__(self, graph: Graph, activated: bool) -> None:
        model = graph.model
        self._graph = graph
        self._activated = activated
        self._network = keras.Model(model.inputs, model.get_layer("upsampling").output)

    def __call__(self, pixels: Array) -> tuple[Array, Array]:
        """The answer, logits or probabilities, and the labels without the CRF."""
        graph = self._graph
        inputs = graph.model.preprocess(pixels)
        logits = self._network(inputs, training=False)
        labels = ops.convert_to_numpy(ops.argmax(logits, axis=-1))
        if self._activated:
            values = graph.probabilities(logits, ops.convert_to_tensor(pixels))
        else:
            values = graph.refined_logits(logits, ops.convert_to_tensor(pixels))
        return ops.convert_to_numpy(values), labels


def _compare(
    graph: Graph, truth: _KerasAnswer, exported: Exported, photo: Path
) -> _Found:
    image = read_photo(photo)
    frame = frame_for(graph.model, (image.shape[0], image.shape[1]))
    # A graph that takes bytes cannot be given more.
    pixels = lay_out(image, frame, graph.model.pad_pixel).round()
    height, width = frame.content
    expected, plain = (each[0, :height, :width] for each in truth(pixels))
    given = exported.run(exported.preprocess(pixels))[0, :height, :width]
    labels = expected.argmax(-1)
    changed = int((labels != plain).sum())
    if given.ndim == 2:
        return _Found(given.size, int((given == labels).sum()), changed)
    same = int((given.argmax(-1) == labels).sum())
    gap = np.abs(given.astype("float32") - expected)
    return _Found(
        height * width,
        same,
        changed,
        gap.size,
        float(gap.sum(dtype="float64")),
        float(gap.max()),
    )
