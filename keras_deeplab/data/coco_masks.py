"""Masks of the VOC classes from the polygons of COCO."""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from keras_deeplab.data.datasets import COCO_CATEGORIES, DATASETS
from keras_deeplab.data.labels_png import write_labels
from keras_deeplab.layers import arguments

_IGNORE = 255


def write_coco_masks(
    root: str | os.PathLike[str], split: str, *, min_pixels: int = 1000
) -> int:
    """Draws the masks of the VOC classes that `load_dataset("coco_voc", ...)` reads.

    Reads `annotations/instances_<split>2017.json` and writes
    `voc_masks/<split>2017/<image>.png`, VOC labels. Smaller objects are drawn over
    larger ones; crowds are ignored where nothing else is. The folder of masks appears
    when it is complete, in place of one from before.

    Args:
        root: Folder in which COCO was unpacked.
        split: `"train"` or `"val"`.
        min_pixels: Images with fewer pixels of the VOC classes, background aside, get
            no mask: DeepLabv3 leaves out those with 1000 or less (section 4.1,
            https://arxiv.org/abs/1706.05587).

    Returns:
        The number of masks written.

    Raises:
        OSError: If the annotations cannot be read or a mask cannot be written.
        ValueError: If `split` is unknown or the annotations have another form.
    """
    splits = DATASETS["coco_voc"].splits
    arguments.check_choice(splits, split=split)
    name = splits[split].name
    path = Path(root) / "annotations" / f"instances_{name}.json"
    folder = Path(root) / "voc_masks" / name
    images, objects = _read(path)
    # Nobody shall take half of the masks for all of them.
    part = folder.with_name(f".{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    written = 0
    for image in images:
        labels = _drawn(image, objects[image["id"]])
        if np.count_nonzero((labels != 0) & (labels != _IGNORE)) > min_pixels:
            write_labels(part / f"{Path(image['file_name']).stem}.png", labels)
            written += 1
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return written


def _read(path: Path) -> tuple[list[Any], Mapping[int, list[Any]]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not {"images", "annotations"} <= set(content):
        raise ValueError(
            "The annotations must be those of COCO instances, JSON with `images` and "
            f"`annotations`. Received: {path}"
        )
    objects = defaultdict(list)
    for one in content["annotations"]:
        if one["category_id"] in COCO_CATEGORIES:
            objects[one["image_id"]].append(one)
    return content["images"], objects


def _drawn(image: Mapping[str, Any], objects: Sequence[Any]) -> np.ndarray[Any, Any]:
    size = image["height"], image["width"]
    labels = np.zeros(size, "uint8")
    # Crowds first, then from large to small: the later ones cover the earlier.
    for one in sorted(objects, key=lambda one: (not one["iscrowd"], -one["area"])):
        label = COCO_CATEGORIES.index(one["category_id"])
        shape = one["segmentation"]
        inside = _runs(shape) if isinstance(shape, dict) else _polygons(shape, size)
        labels[inside] = _IGNORE if one["iscrowd"] else label
    return labels


def _polygons(
    polygons: Sequence[Sequence[float]], size: tuple[int, int]
) -> np.ndarray[Any, Any]:
    canvas = Image.new("1", (size[1], size[0]))
    draw = ImageDraw.Draw(canvas)
    for polygon in polygons:
        draw.polygon(polygon, fill=1)
    return np.asarray(canvas)


def _runs(shape: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Runs of pixels outside and inside in turn, column by column."""
    counts = shape["counts"]
    if isinstance(counts, str):
        raise ValueError(
            "Runs of pixels must be plain numbers, as in the files of COCO, not "
            f"compressed. Received: counts={counts[:20]!r}"
        )
    inside = np.arange(len(counts)) % 2 == 1
    height, width = shape["size"]
    return np.repeat(inside, counts).reshape(width, height).T
