"""Which classes a label map holds, and how much of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_deeplab.data.colors import label_colors


@dataclass(frozen=True)
class ClassShare:
    """One class in one or several label maps.

    Args:
        label: The class's number.
        name: Its name.
        color: Its RGB colour, 0..255.
        pixels: How many pixels it has.
        share: Its fraction of all pixels, in `[0, 1]`.
    """

    label: int
    name: str
    color: tuple[int, int, int]
    pixels: int
    share: float

    @property
    def percent(self) -> str:
        """The share for people: `"23.4 %"`, and never a misleading `"0.0 %"`."""
        return f"{100 * self.share:.1f} %" if self.share >= 0.0005 else "< 0.1 %"


def count_labels(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Counts the pixels of each label.

    Args:
        labels: uint8, any shape.

    Returns:
        int64 counts, `(256,)`. Those of several photos may be added up.
    """
    return np.bincount(labels.ravel(), minlength=256)


def class_shares(
    counts: np.ndarray[Any, Any], class_names: Sequence[str] | None = None
) -> tuple[ClassShare, ...]:
    """Describes the classes that occur, the largest first.

    Args:
        counts: Pixels of each label, as `count_labels` gives them.
        class_names: Names by label. A label beyond them, or every label if there are
            none, is called after its number; 255 is void.

    Returns:
        One entry for each class that has a pixel.
    """
    colors = label_colors(len(counts)).tolist()
    present = [int(label) for label in np.flatnonzero(counts)]
    present.sort(key=lambda label: (-counts[label], label))
    return tuple(
        ClassShare(
            label=label,
            name=class_name(label, class_names),
            color=tuple(colors[label]),
            pixels=int(counts[label]),
            share=float(counts[label] / counts.sum()),
        )
        for label in present
    )


def class_name(label: int, class_names: Sequence[str] | None) -> str:
    """Returns the name of a label, made from its number where it has none.

    Args:
        label: The label.
        class_names: Names by label, or `None`.

    Returns:
        The name; that of 255 is void.
    """
    if class_names is not None and label < len(class_names):
        return class_names[label]
    return "void" if label == 255 else f"class {label}"
