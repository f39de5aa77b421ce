"""A split of a public dataset, from the folder in which it was unpacked."""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from keras_deeplab.data.dataset_spec import DatasetSpec, Split
from keras_deeplab.data.datasets import DATASETS
from keras_deeplab.data.layout import Layout
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.layers import arguments


def load_dataset(
    name: str, root: str | os.PathLike[str], split: str, *, complete: bool = True
) -> SegmentationData:
    """Finds the files of a split of a public dataset.

    Nothing is downloaded, and no file is opened but lists. Masks are read as the
    labels of `DATASETS[name].class_names`; 255 is ignored.

    Args:
        name: A key of `DATASETS`.
        root: The folder in which the dataset was unpacked.
        split: A key of `DATASETS[name].splits`.
        complete: Whether the split must be as published, by the number of pairs and
            where known by their ids.

    Returns:
        The pairs of files, and what the masks mean.

    Raises:
        ValueError: If `name` or `split` is unknown, or files are missing: the message
            names the first, or their folder. If the split is not complete.
    """
    arguments.check_choice(DATASETS, name=name)
    spec = DATASETS[name]
    arguments.check_choice(spec.splits, split=split)
    part = spec.splits[split]
    folder, layout = _located(spec, Path(root), part)
    pairs = layout.pairs(folder, part.name)
    if complete:
        _check_complete(pairs, part, folder)
    return SegmentationData(
        pairs=tuple(pairs.values()),
        class_names=spec.class_names,
        label_map=layout.label_map,
    )


def _located(spec: DatasetSpec, root: Path, part: Split) -> tuple[Path, Layout]:
    problems = []
    for folder in spec.folders:
        for layout in spec.layouts:
            missing = layout.missing(root / folder, part.name)
            if not missing:
                return root / folder, layout
            problems.append(missing)
    # What comes closest to being there tells most.
    closest = min(problems, key=len)
    raise ValueError(
        f"The dataset is not there: {' and '.join(closest)}. {spec.advice} "
        f"Received: root={root}"
    )


def _check_complete(ids: Collection[str], part: Split, folder: Path) -> None:
    if part.count not in (None, len(ids)):
        raise ValueError(
            f"The split {part.name!r} has {part.count} pairs. Unpack the dataset anew, "
            "or pass `complete=False` to use what is there. "
            f"Received: {len(ids)} pairs in {folder}"
        )
    if part.digest not in (None, *_digests(ids)):
        raise ValueError(
            f"The ids of the split {part.name!r} are not those of the published list. "
            "Mend the list, or pass `complete=False` to use it as it is. "
            f"Received: {len(ids)} pairs in {folder}"
        )


def _digests(ids: Collection[str]) -> tuple[str, ...]:
    """Digests of the sorted ids, without and with a line break at the end."""
    lines = "\n".join(sorted(ids))
    return tuple(
        hashlib.sha256(text.encode()).hexdigest() for text in (lines, f"{lines}\n")
    )
