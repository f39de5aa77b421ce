"""The answers that an exported graph can give."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

from keras_deeplab._types import Tensor
from keras_deeplab.export.graph import Graph

# Of logits at full size: 64 MiB.
_MOST_VALUES = 2**24


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputForm:
    """One answer of an exported graph.

    Args:
        name: The output's name in the file.
        head: `(graph, coarse, pixels)` to the answer: coarse logits and float32 RGB
            pixels, both of batch 1.
        normalized_input: Whether the graph takes float32 pixels that its caller has
            preprocessed, instead of uint8 RGB.
        activated: Whether the answer is probabilities already.
        labels: Whether the answer is a label map.
    """

    name: str
    head: Callable[[Graph, Tensor, Tensor], Tensor]
    normalized_input: bool = False
    activated: bool = False
    labels: bool = False


def _labels(graph: Graph, coarse: Tensor, pixels: Tensor) -> Tensor:
    # It brings TensorFlow along, which an answer's name does not need.
    from keras_deeplab.export.label_edges import labels_along_edges, rows_between
    from keras_deeplab.export.label_strips import labels_at, labels_of

    if graph.crf is not None:
        return labels_of(graph.full_probabilities(coarse, pixels))
    height, width = pixels.shape[1:3]
    aligned = rows_between(coarse.shape[1], height) is not None
    # Along edges, a photo of noise needs the memory of all logits at full size.
    small = height * width * coarse.shape[3] <= _MOST_VALUES
    edges = aligned and small
    return (labels_along_edges if edges else labels_at)(coarse, (height, width))


# Not an answer by itself: another graph goes on from it.
COARSE_LOGITS = OutputForm(name="logits", head=lambda graph, coarse, pixels: coarse)

#: What an exported graph answers with, by name.
OUTPUT_FORMS: Mapping[str, OutputForm] = MappingProxyType(
    {
        "labels": OutputForm(name="labels", head=_labels, labels=True),
        "probabilities": OutputForm(
            name="probabilities", head=Graph.full_probabilities, activated=True
        ),
        "logits": OutputForm(name="logits", head=Graph.full_logits),
        # What the GPU delegate and MediaPipe take: no ARG_MAX, no uint8, four axes.
        "delegate": OutputForm(
            name="logits", head=Graph.full_logits, normalized_input=True
        ),
    }
)
