"""What training refuses beyond the single file."""

import numpy as np

from keras_deeplab.data.diagnosis import meaningless
from keras_deeplab.data.read_sample import labels_in, read_mask
from keras_deeplab.data.segmentation_data import SegmentationData


def check_learnable(data: SegmentationData) -> None:
    """Refuses masks that hold no class but the first, and ignored pixels.

    Masks are read until one holds another class, which most often is the first one.
    Single files are checked when their turn comes.

    Args:
        data: Photos with masks.

    Raises:
        OSError: If a mask cannot be read.
        ValueError: If the masks hold only 0 and 255, or only ignored pixels, in the
            words of `audit`; or one of those that were read is broken.
    """
    stored: set[int] = set()
    for pair in data.pairs:
        values = np.flatnonzero(np.bincount(read_mask(pair).ravel()))
        labels = labels_in(pair, values, data.table)
        found = {*labels.tolist()} - {data.ignore_label}
        if found - {0} or (found and data.classes == 1):
            return
        stored.update(values.tolist())
    for finding in meaningless(data, stored):
        raise ValueError(
            f"{finding} Received: {len(data)} masks, the first {data.pairs[0].mask}"
        )
