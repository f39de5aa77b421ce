"""Photos that a training leaves out, to be scored on."""

from dataclasses import replace

from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.layers import arguments


def split_last(
    data: SegmentationData, validation: int
) -> tuple[SegmentationData, SegmentationData]:
    """Splits data into what to train on and the last photos, to score on.

    Neighbours by name are often neighbours in time: the last ones are the least like
    the others.

    Args:
        data: Photos with masks, sorted by name.
        validation: How many photos to score on.

    Returns:
        Both parts.

    Raises:
        ValueError: If there would be no photo in one of them.
    """
    count = arguments.positive(validation=validation)
    if count >= len(data):
        raise ValueError(
            f"`validation` must leave photos to train on, of {len(data)} in all. "
            f"Received: validation={validation}"
        )
    train, val = data.pairs[:-count], data.pairs[-count:]
    return replace(data, pairs=train), replace(data, pairs=val)
