"""What a public dataset is: classes, splits, and where its files lie."""

from collections.abc import Mapping
from dataclasses import dataclass

from keras_deeplab.data.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Split:
    """A part of a dataset.

    Args:
        name: What the split is called in the paths of its files.
        count: Number of pairs as published, or `None` if unknown.
        digest: SHA-256 of the sorted ids, one a line, or `None` if unknown.
    """

    name: str
    count: int | None = None
    digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A public dataset, as it is distributed.

    Args:
        class_names: A name for each class, in the order of the labels.
        splits: The splits by the name that callers use.
        layouts: Where files lie; the first that is there is taken.
        folders: Folders of the distribution that the files may lie in, below the
            one that the caller names.
        advice: What to do if no layout is there.
        mean_over: Classes that the mean IoU of its benchmark is over, as
            `metrics.SegmentationScores` takes it.
        whole_size: Longer side of its photos where its benchmark is about whole photos
            at their full size, larger than the crops of most trainings.
    """

    class_names: tuple[str, ...]
    splits: Mapping[str, Split]
    layouts: tuple[Layout, ...]
    folders: tuple[str, ...] = (".",)
    advice: str = "Give the folder in which the dataset was unpacked."
    mean_over: str = "truth"
    whole_size: int | None = None
