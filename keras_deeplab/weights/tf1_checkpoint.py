"""Reads the variables of a TensorFlow 1 checkpoint."""

import glob
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.weights.checkpoint_index import read_index
from keras_deeplab.weights.folded_conv import Array
from keras_deeplab.weights.official_variables import OfficialVariables, source_error

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
        source=str(prefix), shapes=index.shapes, read=_Values(prefix).read
    )


def _index(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


def _data(prefix: Path) -> list[Path]:
    pattern = f"{glob.escape(prefix.name)}.data-*-of-*"
    return [path for path in prefix.parent.glob(pattern) if path.is_file()]


class _Values:
    """Values of one checkpoint, read by TensorFlow, which checks their checksums."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self._reader: Any = None

    def read(self, name: str) -> Array:
        # Only values need TensorFlow: models of another backend come here too.
        import tensorflow as tf

        try:
            self._reader = self._reader or tf.train.load_checkpoint(str(self._prefix))
            array = np.asarray(self._reader.get_tensor(name))
        except (tf.errors.OpError, LookupError, RuntimeError, ValueError) as error:
            raise self._error(name, f"cannot be read ({error})") from error
        if array.dtype != np.float32:
            raise self._error(name, f"is {array.dtype}, not float32")
        return array

    def _error(self, name: str, problem: str) -> ValueError:
        return source_error(self._prefix, f"variable {name!r} {problem}")
