"""Files that TensorFlow writes: its errors as those of the system."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def tf_writing(path: Path) -> Iterator[None]:
    """Turns what TensorFlow raises of a full or a locked disk into `OSError`.

    Args:
        path: What is written.

    Raises:
        OSError: If it cannot be written. The message names it.
    """
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        # "FILE; No space left on device [Op:SaveV2]"
        reason = error.message.rpartition("; ")[2].partition(" [Op:")[0]
        full = isinstance(error, tf.errors.ResourceExhaustedError)
        number = errno.ENOSPC if full else errno.EIO
        raise OSError(number, reason, str(path)) from error
