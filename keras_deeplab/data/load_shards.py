"""Datasets out of a few large files."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_deeplab.data.file_part import FilePart
from keras_deeplab.data.sample_pair import SamplePair
from keras_deeplab.data.segmentation_data import SegmentationData

INDEX = "shards.json"
FORMAT = "keras_deeplab shards 1"
# What JSON of another form raises somewhere.
_OTHER_FORM = (
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    UnicodeDecodeError,
    json.JSONDecodeError,
)


def load_shards(
    folder: str | os.PathLike[str], *, verify: bool = True
) -> SegmentationData:
    """Finds the photos and masks in the files that `write_shards` wrote.

    Files are read from their places in the shards, in any order and without
    TensorFlow, so batches are those of the files that went in.

    Args:
        folder: The folder.
        verify: Whether the SHA-256 of each shard is checked, which reads it whole. Its
            size always is.

    Returns:
        The pairs of files, in their former order, and what the masks mean.

    Raises:
        OSError: If a file is not there or cannot be read.
        ValueError: If `shards.json` has another form, or a shard is cut short, damaged
            or another one. The message names it.
    """
    index = Path(folder) / INDEX
    with _of_one_form(index, *_OTHER_FORM):
        content = json.loads(index.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise KeyError("format")
        for row in content["shards"]:
            _check(_shard(index, row), row, verify)
    # What is left can only be wrong in the index, whatever it raises.
    with _of_one_form(index, *_OTHER_FORM, ValueError):
        return _data(index, content)


@contextlib.contextmanager
def _of_one_form(index: Path, *errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        raise ValueError(
            "The index of shards has another form: write the shards anew. "
            f"Received: {index}"
        ) from error


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shard(index: Path, row: dict[str, Any]) -> Path:
    # Never a path that leads elsewhere.
    return index.parent / Path(row["file"]).name


def _data(index: Path, content: Any) -> SegmentationData:
    pairs = []
    for row in content["shards"]:
        path = _shard(index, row)
        for files in row["samples"]:
            image, mask = (
                FilePart(path, int(start), int(size), str(name))
                for name, start, size in files
            )
            pairs.append(SamplePair(image, mask))
    label_map = content["label_map"]
    return SegmentationData(
        pairs=tuple(pairs),
        class_names=tuple(content["class_names"]),
        ignore_label=content["ignore_label"],
        label_map=label_map and {int(key): label for key, label in label_map.items()},
    )


def _check(path: Path, row: dict[str, Any], verify: bool) -> None:
    size, expected = path.stat().st_size, row["bytes"]
    if size != expected:
        wrong = "is cut short" if size < expected else "is too long"
        raise ValueError(
            f"A shard {wrong}: copy it or write the shards anew. "
            f"Received: {path} of {size} bytes, not {expected}"
        )
    if verify and (digest := sha256_of(path)) != row["sha256"]:
        raise ValueError(
            "A shard is damaged: copy it or write the shards anew. "
            f"Received: {path} with SHA-256 {digest}, not {row['sha256']}"
        )
