"""Reads the variables of a TensorFlow 1 checkpoint."""

import glob
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.weights.checkpoint_index import read_index
from keras_deeplab.weights.folded_conv import Array
from keras_deeplab.weights.need_tensorflow import need_tensorflow
from keras_deeplab.weights.official_variables import OfficialVariables, source_error

# The number of the type in an index.
_FLOAT = 1

_PART = re.compile(r"\.(?:index|meta|data-\d{5}-of-\d{5})$")


def checkpoint_prefix(path: Path) -> Path | None:
    """What the files of a checkpoint have in common.

    Args:
        path: The prefix itself, such as `model.ckpt` or `model.ckpt-30000`, or one of
            the checkpoint's files.

    Returns:
        The prefix, or `None` where no index file stands.
    """
    prefix = path.with_name(_PART.sub("", path.name))
    # Unlike the method of a path, this takes every name that cannot be a file's.
    return prefix if os.path.isfile(_index(prefix)) else None


def read_tf1_checkpoint(path: Path) -> OfficialVariables:
    """Opens a checkpoint of the second format: an index and its data.

    Args:
        path: See `checkpoint_prefix`.

    Returns:
        The variables, slots of the optimizer included.

    Raises:
        ValueError: If there is no such checkpoint, or it is damaged.
    """
    prefix = checkpoint_prefix(path)
    if prefix is None:
        raise source_error(path, f"there is no file {_index(path).name!r}")
    try:
        index = read_index(_index(prefix).read_bytes())
    except ValueError as error:
        raise source_error(prefix, f"it cannot be read: {error}") from error
    size = sum(path.stat().st_size for path in _data(prefix))
    if size < index.size:
        problem = f"its data have {size} bytes, not {index.size}"
        raise source_error(prefix, problem)
    return OfficialVariables(
        source=str(prefix),
        shapes=index.shapes,
        read=_Values(prefix, index.entries).read,
    )


def _index(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


def _data(prefix: Path) -> list[Path]:
    pattern = f"{glob.escape(prefix.name)}.data-*-of-*"
    return [path for path in prefix.parent.glob(pattern) if path.is_file()]


class _Values:
    """Values of one checkpoint, read by TensorFlow, which checks their checksums.

    On some damaged entries TensorFlow ends the process: it sees none before it has
    been checked here.
    """

    def __init__(self, prefix: Path, entries: Mapping[str, bytes]) -> None:
        self._prefix = prefix
        self._entries = entries
        self._reader: Any = None

    def read(self, name: str) -> Array:
        # Only values need TensorFlow: models of another backend come here too.
        tf = need_tensorflow(self._prefix)
        try:
            self._reader = self._reader or self._open()
            self._check_type(name)
            return np.asarray(self._reader.get_tensor(name))
        except (tf.errors.OpError, LookupError, RuntimeError, ValueError) as error:
            raise source_error(
                self._prefix, f"variable {name!r} cannot be read ({error})"
            ) from error

    def _open(self) -> Any:
        tf = need_tensorflow(self._prefix)
        for name in self._entries:
            if self._entry(name).shape.unknown_rank:
                raise ValueError("the index is damaged: a shape has no rank")
        return tf.train.load_checkpoint(str(self._prefix))

    def _check_type(self, name: str) -> None:
        entry = self._entry(name)
        count = math.prod(dim.size for dim in entry.shape.dim)
        if entry.dtype != _FLOAT or entry.size != 4 * count:
            raise ValueError(
                f"it has {entry.size} bytes of type {entry.dtype} for {count} numbers "
                f"of float32, which is type {_FLOAT}"
            )

    def _entry(self, name: str) -> Any:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto

        try:
            return BundleEntryProto.FromString(self._entries[name])
        except DecodeError as error:
            raise ValueError(f"the index is damaged: {error}") from error
