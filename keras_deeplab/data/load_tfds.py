"""Datasets that TensorFlow Datasets (TFDS) has prepared."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from keras_deeplab._extras import how_to_install
from keras_deeplab.data import records
from keras_deeplab.data.datasets import DATASETS
from keras_deeplab.data.sample_pair import SamplePair
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.layers import arguments


@dataclass(frozen=True)
class TFDSSource:
    """What a dataset of TFDS holds.

    Args:
        image: The feature that is the photo.
        mask: The feature that is the mask.
        dataset: The same dataset in `DATASETS`, which knows its classes.
        layout: Which of its layouts stores the masks alike.
    """

    image: str
    mask: str
    dataset: str
    layout: int = 0


#: What `load_tfds` knows, by the names of TFDS.
TFDS_DATASETS: Mapping[str, TFDSSource] = MappingProxyType(
    {
        "cityscapes": TFDSSource("image_left", "segmentation_label", "cityscapes", 1),
        "oxford_iiit_pet": TFDSSource("image", "segmentation_mask", "oxford_pet"),
    }
)

#: What TFDS has no masks of classes of, and what to use.
WITHOUT_MASKS: Mapping[str, str] = MappingProxyType(
    {
        "voc": "TFDS's `voc` has boxes, but no segmentation masks: unpack VOC2012 and "
        'use `load_dataset("voc2012", ...)` or `"voc2012_aug"`.',
        "scene_parse150": "TFDS's `scene_parse150` has the masks of the instance "
        "challenge, 100 categories in red and instances in green, not the 150 classes "
        'of ADE20K: unpack ADEChallengeData2016 and use `load_dataset("ade20k", ...)`.',
        "coco": "TFDS's `coco` has boxes and numbered segments, but no masks of "
        "classes: unpack COCO, use "
        '`write_coco_masks`, and `load_dataset("coco_voc", ...)`.',
    }
)

# The features of `SegmentationFolder`.
IMAGE, MASK = "image", "segmentation_mask"


def load_tfds(
    source: str | os.PathLike[str],
    split: str,
    *,
    data_dir: str | os.PathLike[str] | None = None,
) -> SegmentationData:
    """Finds the photos and masks in a dataset that TFDS has prepared.

    Nothing is downloaded: `tfds.builder(NAME).download_and_prepare()` does so. The
    files are read from their places in the TFRecord files of TFDS, which are read
    through once for that, so nothing is decoded in a way that would turn labels into
    colours.

    Args:
        source: A key of `TFDS_DATASETS`, or the folder of a dataset that
            `tfds_builder.SegmentationFolder` made.
        split: A split of it, such as `"train"`.
        data_dir: Where TFDS keeps its datasets, by default `~/tensorflow_datasets`.

    Returns:
        The pairs of files in the order of TFDS, and what the masks mean: the classes
        are those of `load_dataset`.

    Raises:
        ImportError: If TensorFlow Datasets is not installed.
        ValueError: If TFDS has no masks of the dataset, has not prepared it or in
            another format, or there is no such split; if a file of it is not whole.
    """
    tfds = import_tfds()
    if Path(source).is_dir():
        builder = tfds.builder_from_directory(os.fspath(source))
        image, mask, meaning = IMAGE, MASK, _own_meaning(builder, source)
    else:
        name = os.fspath(source)
        row = _row(name)
        builder = tfds.builder(name, data_dir=data_dir)
        image, mask, meaning = row.image, row.mask, _meaning(row)
    files = _files(tfds, builder, split, source)
    pairs = tuple(_pairs(files, image, mask))
    return SegmentationData(pairs=pairs, **meaning)


def import_tfds() -> Any:
    """Imports TensorFlow Datasets, which is heavy and optional, or says how to get it.

    Returns:
        The module `tensorflow_datasets`.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise ImportError(
            f"TensorFlow Datasets is not installed: {how_to_install('tfds')}"
        ) from error
    return tensorflow_datasets


def _row(name: str) -> TFDSSource:
    known = name.partition("/")[0]
    if known in WITHOUT_MASKS:
        raise ValueError(f"{WITHOUT_MASKS[known]} Received: source={name!r}")
    arguments.check_choice(TFDS_DATASETS, source=name)
    return TFDS_DATASETS[name]


def _meaning(row: TFDSSource) -> dict[str, Any]:
    spec = DATASETS[row.dataset]
    label_map = spec.layouts[row.layout].label_map
    return {"class_names": spec.class_names, "label_map": label_map}


def _own_meaning(builder: Any, source: str | os.PathLike[str]) -> dict[str, Any]:
    found = builder.info.metadata or {}
    if not {"class_names", "ignore_label"} <= {*found}:
        raise ValueError(
            "A folder must be one that `tfds_builder.SegmentationFolder` made. "
            f"Received: source={os.fspath(source)!r}"
        )
    return {key: found[key] for key in ("class_names", "ignore_label")}


def _files(
    tfds: Any, builder: Any, split: str, source: str | os.PathLike[str]
) -> list[Path]:
    splits = builder.info.splits
    if not splits:
        raise ValueError(
            "TFDS has not prepared the dataset: "
            f"`tfds.builder({os.fspath(source)!r}).download_and_prepare()` does. "
            f"Received: no dataset in {builder.data_dir}"
        )
    arguments.check_choice(sorted(splits), split=split)
    form = builder.info.file_format
    if form != tfds.core.FileFormat.TFRECORD:
        raise ValueError(
            "TFDS must have prepared the dataset as TFRecord files. "
            f"Received: {builder.data_dir} of format {form.value}"
        )
    return [Path(path) for path in splits[split].filepaths]


def _pairs(files: list[Path], image: str, mask: str) -> Iterator[SamplePair]:
    for path in files:
        for number, record in enumerate(records.read_records(path)):
            parts = zip(
                ("image", "mask"),
                records.decode(record.content, (image, mask)),
                strict=True,
            )
            yield SamplePair(
                *(record.part(value, f"{what} {number}") for what, value in parts)
            )
