"""A dataset as it lies there, with what is wrong about its files."""

from dataclasses import dataclass

from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.data.segmentation_data import SegmentationData


@dataclass(frozen=True)
class Survey:
    """The pairs that can be looked at, and what is wrong with the other files.

    Args:
        data: The pairs, and what the masks mean.
        problems: What is wrong with files that are in no pair.
    """

    data: SegmentationData
    problems: tuple[SampleError, ...] = ()
