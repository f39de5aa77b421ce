"""Datasets in a few large files."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_deeplab._atomic_file import folder_beside
from keras_deeplab._types import Progress
from keras_deeplab.data import records
from keras_deeplab.data.file_part import FilePart, Source, open_source
from keras_deeplab.data.load_shards import FORMAT, INDEX, sha256_of
from keras_deeplab.data.sample_pair import SamplePair
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.layers import arguments


def write_shards(
    data: SegmentationData,
    folder: str | os.PathLike[str],
    *,
    shards: int = 1,
    progress: Progress | None = None,
) -> None:
    """Copies photos and masks into TFRecord files, byte for byte.

    Each record is a `tf.train.Example` with the values `image`, `mask`, `image_name`
    and `mask_name`: the files and what they are called. Beside the records lies
    `shards.json`: the classes, what stored values mean, and of each shard its size, its
    SHA-256 and where the files lie in it. `load_shards` reads it.

    The folder is there whole or not at all.

    Args:
        data: Photos with masks; their order is kept.
        folder: The folder to make, which must be new or empty.
        shards: How many files, at most one a pair.
        progress: Called with the task's name, the pairs done and their number.

    Raises:
        ImportError: If TensorFlow is not installed.
        OSError: If a file cannot be read or written.
        ValueError: If `folder` holds something, or `shards` is out of range.
    """
    folder = Path(folder)
    shards = arguments.positive(shards=shards)
    if shards > len(data):
        raise ValueError(
            f"`shards` must be at most the number of pairs, {len(data)}. "
            f"Received: shards={shards}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"`folder` must be new or empty. Received: folder={folder}")
    with folder_beside(folder) as part:
        rows = []
        for index in range(shards):
            first, end = (len(data) * edge // shards for edge in (index, index + 1))
            name = f"{index:05d}-of-{shards:05d}.tfrecord"
            rows.append(_written(part / name, data.pairs[first:end]))
            if progress is not None:
                progress("writing shards", end, len(data))
        (part / INDEX).write_text(json.dumps(_index(data, rows)) + "\n", "utf-8")


def _written(path: Path, pairs: Sequence[SamplePair]) -> dict[str, Any]:
    """Writes a shard and describes it."""
    contents: list[tuple[bytes, bytes]] = []

    def examples() -> Iterator[bytes]:
        for pair in pairs:
            contents.append((_bytes(pair.image), _bytes(pair.mask)))
            yield _example(pair, *contents[-1])

    samples: list[list[list[Any]]] = []
    for record in records.write_records(path, examples()):
        pair = pairs[len(samples)]
        image, mask = contents.pop()
        parts = (
            record.part(image, _name(pair.image)),
            record.part(mask, _name(pair.mask)),
        )
        samples.append([[part.name, part.start, part.size] for part in parts])
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "samples": samples,
    }


def _example(pair: SamplePair, image: bytes, mask: bytes) -> bytes:
    return records.encode(
        {
            "image": image,
            "mask": mask,
            "image_name": os.fsencode(_name(pair.image)),
            "mask_name": os.fsencode(_name(pair.mask)),
        }
    )


def _index(data: SegmentationData, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "class_names": list(data.class_names),
        "ignore_label": data.ignore_label,
        # The keys of JSON are strings.
        "label_map": data.label_map
        and {str(stored): label for stored, label in data.label_map.items()},
        "shards": list(rows),
    }


def _bytes(source: Source) -> bytes:
    with open_source(source) as file:
        return file.read()


def _name(source: Source) -> str:
    return source.name if isinstance(source, FilePart) else Path(source).name
