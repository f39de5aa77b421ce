"""A deployed network, as far as a file tells: its convolutions, and how they sit."""

import dataclasses
from collections.abc import Mapping

from keras_deeplab.weights.folded_conv import FoldedConv

#: What stands in `FoldedGraph.inputs` for the network's image, for pooling, and (as a
#: key) for what the network returns.
IMAGE, POOL, OUTPUT = "image", "pooled", "output"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoldedGraph:
    """Convolutions by scope, with what else a file says of the network.

    A scope is the official variable scope, for example
    `"MobilenetV2/expanded_conv_1/expand"`. `inputs` are the scopes that each scope
    reads: several where they are summed (sorted) or concatenated (in order). What a
    file does not say is `None`.
    """

    convolutions: Mapping[str, FoldedConv]
    inputs: Mapping[str, tuple[str, ...]] | None = None
    input_size: tuple[int, int] | None = None
    pooling_window: tuple[int, int] | None = None
    class_names: tuple[str, ...] | None = None
