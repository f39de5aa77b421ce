"""Photos with masks, and what the masks mean."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_deeplab.data.decoded_pair import DecodedPair
from keras_deeplab.data.label_table import LabelTable
from keras_deeplab.data.read_sample import Sample, read_sample
from keras_deeplab.data.sample_pair import SamplePair


@dataclass(frozen=True)
class SegmentationData:
    """Photos with masks, and what the masks mean.

    `load_dataset` and `load_folder` make one; `make_dataset` and
    `SegmentationSequence` make batches of it.

    Args:
        pairs: The files.
        class_names: A name for each class, in the order of the labels.
        ignore_label: Label of the pixels that neither train nor count, or `None` if
            there are none.
        label_map: Label of each value stored in the masks, a class or `ignore_label`.
            By default a value is its own label.

    Raises:
        ValueError: If there are no pairs or no classes, or a label is out of range.

    Examples:
        >>> pair = keras_deeplab.data.SamplePair("1.jpg", "1.png")
        >>> data = keras_deeplab.data.SegmentationData([pair], ["wall", "door"])
        >>> len(data), data.classes
        (1, 2)
    """

    pairs: tuple[SamplePair, ...]
    class_names: tuple[str, ...]
    ignore_label: int | None = 255
    label_map: Mapping[int, int] | None = None

    def __post_init__(self) -> None:
        # Lists are welcome, and cannot change what is frozen.
        object.__setattr__(self, "pairs", tuple(self.pairs))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        if self.label_map is not None:
            # A read-only view, as in tables, could not be sent to another process.
            object.__setattr__(self, "label_map", dict(self.label_map))
        if not self.pairs:
            raise ValueError("`pairs` must not be empty. Received: pairs=()")
        # Built now, so that a wrong map is an error here and not at the first photo.
        _ = self.table

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, index: int) -> Sample:
        """Reads a photo and its labels.

        Args:
            index: Which pair, `0 .. len - 1`.

        Returns:
            The photo, uint8 RGB `(H, W, 3)`, and its labels, int32 `(H, W)`.

        Raises:
            OSError: If a file is not there or may not be read.
            SampleError: If a file cannot be decoded, the mask holds colours or values
                that are no labels, or the sizes differ. The message names the files.
        """
        photo, labels = self.decode(index)
        return Sample(np.array(photo), labels.astype("int32"))

    def decode(self, index: int) -> DecodedPair:
        """Does what `read` does, and leaves the photo in Pillow.

        Args:
            index: Which pair, `0 .. len - 1`.

        Returns:
            The photo and its labels.

        Raises:
            OSError: As `read` does.
            SampleError: As `read` does.
        """
        return read_sample(self.pairs[index], self.table)

    @functools.cached_property
    def table(self) -> LabelTable:
        """What the values stored in the masks mean."""
        return LabelTable(self.classes, self.ignore_label, self.label_map)

    def __getstate__(self) -> dict[str, Any]:
        # The table is large and soon made again; worker processes get all else.
        return {k: v for k, v in self.__dict__.items() if k != "table"}
