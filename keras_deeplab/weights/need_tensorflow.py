"""TensorFlow, where a file cannot be read without it."""

from typing import Any


def need_tensorflow(source: object) -> Any:
    """Imports TensorFlow, which models of another backend run without.

    Args:
        source: The file to read.

    Returns:
        The module.

    Raises:
        ImportError: If it cannot be imported; the message says what to do.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "TensorFlow reads official checkpoints and graphs: `pip install "
            "tensorflow`, or convert `source` once elsewhere with `keras-deeplab "
            f"weights convert` ({error}). Received: source={str(source)!r}"
        ) from error
    return tf
