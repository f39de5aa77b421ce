"""One of the ways in which a model is shown a photo."""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """How large a photo is shown to a model, and whether mirrored.

    Args:
        scale: Factor of the size at which the model would see the photo.
        flipped: Whether left and right are exchanged; the answer is turned back.
    """

    scale: float = 1.0
    flipped: bool = False
