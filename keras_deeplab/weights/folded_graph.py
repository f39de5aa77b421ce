"""A deployed network, as far as a file tells: its convolutions, and how they sit."""

import dataclasses
from collections.abc import Mapping

from keras_deeplab.weights.folded_conv import FoldedConv


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoldedGraph:
    """Convolutions by scope, with what else the file says of the network.

    A scope is the official variable scope, for example
    `"MobilenetV2/expanded_conv_1/expand"`. What a file does not say is `None`.
    """

    source: str
    convolutions: Mapping[str, FoldedConv]
    input_size: tuple[int, int] | None = None
    pooling_window: tuple[int, int] | None = None
    class_names: tuple[str, ...] | None = None

    def error(self, problem: str) -> ValueError:
        """A `ValueError` that says what keeps this file from loading."""
        return ValueError(
            f"`source` is not an official DeepLab model that this package knows: "
            f"{problem}. Received: source={self.source!r}"
        )
