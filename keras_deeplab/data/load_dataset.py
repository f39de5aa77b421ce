"""A split of a public dataset, from the folder in which it was unpacked."""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from keras_deeplab.data.dataset_spec import DatasetSpec, Split
from keras_deeplab.data.datasets import DATASETS
from keras_deeplab.data.layout import Layout
from keras_deeplab.data.sample_error import SampleError
from keras_deeplab.data.sample_pair import Pairing, check_pairing
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.data.survey import Survey
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
    spec, part = _chosen(name, split)
    folder, layout = _located(spec, Path(root), part)
    pairing = layout.pairing(folder, part.name)
    check_pairing(pairing)
    if complete:
        _check_complete(pairing.pairs, part, folder)
    return _data(pairing, spec, layout)


def survey_dataset(name: str, root: str | os.PathLike[str], split: str) -> Survey:
    """Does what `load_dataset` does, and keeps what is wrong with files for an audit.

    Args:
        name: A key of `DATASETS`.
        root: The folder in which the dataset was unpacked.
        split: A key of `DATASETS[name].splits`.

    Returns:
        The pairs, the files that are missing, and whether the split is incomplete.

    Raises:
        ValueError: If `name` or `split` is unknown, or there is no pair at all.
    """
    spec, part = _chosen(name, split)
    folder, layout = _located(spec, Path(root), part)
    pairing = layout.pairing(folder, part.name)
    if not pairing.pairs:
        check_pairing(pairing)
    problems = list(pairing.problems)
    try:
        _check_complete(pairing.pairs, part, folder)
    except ValueError as error:
        detail = f"is not as published: {str(error).rstrip('.')}"
        problems.append(SampleError("incomplete_split", folder, detail))
    return Survey(_data(pairing, spec, layout), tuple(problems))


def _chosen(name: str, split: str) -> tuple[DatasetSpec, Split]:
    arguments.check_choice(DATASETS, name=name)
    arguments.check_choice(DATASETS[name].splits, split=split)
    return DATASETS[name], DATASETS[name].splits[split]


def _data(pairing: Pairing, spec: DatasetSpec, layout: Layout) -> SegmentationData:
    return SegmentationData(
        pairs=tuple(pairing.pairs.values()),
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
