"""Records of photos and masks in TFRecord files."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from keras_deeplab.data.file_part import FilePart
from keras_deeplab.data.tf_files import tf_writing

# Of a record: its length and a checksum stand before it, another checksum behind.
_BEFORE, _BEHIND = 12, 4


class Record(NamedTuple):
    """A record, and where it lies.

    Attributes:
        path: The TFRecord file.
        start: Where the record's bytes begin in it.
        content: The bytes, a serialized `tf.train.Example`.
    """

    path: Path
    start: int
    content: bytes

    def part(self, value: bytes, name: str) -> FilePart:
        """Returns where a value of the record lies, as a file.

        Args:
            value: The bytes.
            name: What the file is called.

        Returns:
            The file.
        """
        # Whichever place it is if there are several: the bytes are the same.
        start = self.start + self.content.index(value)
        return FilePart(self.path, start, len(value), name)


def write_records(path: Path, contents: Iterator[bytes]) -> Iterator[Record]:
    """Writes a TFRecord file.

    Args:
        path: The file.
        contents: The records.

    Yields:
        Each record, once it is written.

    Raises:
        OSError: If the file cannot be written.
    """
    import tensorflow as tf

    with tf_writing(path), tf.io.TFRecordWriter(os.fsencode(path)) as writer:
        start = _BEFORE
        for content in contents:
            writer.write(content)
            yield Record(path, start, content)
            start += len(content) + _BEHIND + _BEFORE


def read_records(path: Path) -> Iterator[Record]:
    """Reads a TFRecord file, whose checksums are checked.

    Args:
        path: The file.

    Yields:
        Each record.

    Raises:
        ValueError: If the file is not whole.
    """
    import tensorflow as tf

    start = _BEFORE
    try:
        for content in tf.data.TFRecordDataset(os.fsencode(path)).as_numpy_iterator():
            yield Record(path, start, content)
            start += len(content) + _BEHIND + _BEFORE
    except tf.errors.DataLossError as error:
        raise ValueError(
            "A TFRecord file is cut short or damaged: make it anew. "
            f"Received: {path}, whole up to byte {start - _BEFORE}"
        ) from error


def encode(values: dict[str, bytes]) -> bytes:
    """Makes a record's content of named values."""
    import tensorflow as tf

    def feature(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {name: feature(value) for name, value in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return bytes(example.SerializeToString(deterministic=True))


def decode(content: bytes, names: tuple[str, ...]) -> list[bytes]:
    """Takes named values, which are bytes, out of a record's content."""
    import tensorflow as tf

    features = tf.train.Example.FromString(content).features.feature
    return [features[name].bytes_list.value[0] for name in names]
