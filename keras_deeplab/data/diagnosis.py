"""What is wrong with masks that are well-formed one by one."""

from collections.abc import Collection, Iterable

from keras_deeplab.data.class_statistics import ClassStatistics
from keras_deeplab.data.finding import Finding
from keras_deeplab.data.listing import listed
from keras_deeplab.data.segmentation_data import SegmentationData

_MUCH = 0.5


def diagnose(
    data: SegmentationData, stored: Collection[int], statistics: ClassStatistics
) -> list[Finding]:
    """Looks at all masks together.

    Args:
        data: The data.
        stored: The distinct values that the masks store.
        statistics: The pixels of the classes.

    Returns:
        The findings about the data as a whole.
    """
    if not stored:
        return []
    return [
        *shifted(data, stored),
        *meaningless(data, stored),
        *_uneven(data, statistics),
    ]


def shifted(data: SegmentationData, stored: Collection[int]) -> list[Finding]:
    """Finds labels that are off by one.

    Args:
        data: The data.
        stored: The distinct values that the masks store.

    Returns:
        At most one finding.
    """
    labels = {value for value in stored if value != data.ignore_label}
    if data.label_map is not None or max(labels, default=0) != data.classes:
        return []
    if 0 in labels:
        detail = f"Labels go from 0 to {data.classes}, but {data.classes} classes have"
        return [Finding("one_class_too_many", (f"{detail} names",))]
    detail = f"Labels go from {min(labels)} to {data.classes}, but the first class is 0"
    return [Finding("off_by_one", (detail,))]


def meaningless(data: SegmentationData, stored: Collection[int]) -> list[Finding]:
    """Finds masks of which nothing can be learnt: training refuses them.

    Args:
        data: The data.
        stored: The distinct values that the masks store.

    Returns:
        At most one finding.
    """
    entries = data.table.entries
    classes = {entries.get(value) for value in stored} - {data.ignore_label}
    if set(stored) == {0, 255} and entries.get(255) in (None, data.ignore_label):
        detail = f"The masks hold only 0 and 255, of {data.classes} classes"
        return [Finding("binary_masks", (detail,))] if data.classes > 1 else []
    if not classes:
        detail = f"The masks hold only {listed(stored)}, which is ignored"
        return [Finding("all_ignored", (detail,))]
    return []


def _uneven(data: SegmentationData, statistics: ClassStatistics) -> Iterable[Finding]:
    names = data.class_names
    absent = [name for name, n in zip(names, statistics.pixels, strict=True) if not n]
    if len(absent) == data.classes:
        return
    if absent and len(absent) == data.classes - 1:
        (only,) = set(names) - set(absent) or {names[0]}
        yield Finding("one_class", (f"Every pixel that counts is {only!r}",))
    if absent:
        yield Finding(
            "absent_class", tuple(f"{name!r} never occurs" for name in absent)
        )
    share = statistics.ignored_share
    if _MUCH <= share < 1:
        yield Finding(
            "much_ignored", (f"{100 * share:.1f} % of all pixels are ignored",)
        )
