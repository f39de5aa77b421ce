"""Requests that TensorFlow Serving answers to itself before it takes any others."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

# Where TensorFlow Serving looks for them in the folder of a SavedModel.
WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warm_up(
    folder: Path, model: str, requests: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Writes a file of requests into the folder of a SavedModel.

    Args:
        folder: The folder.
        model: The name under which the model is served.
        requests: The signature and the inputs of each.
    """
    path = folder / WARM_UP_FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            writer.write(_prediction_log(_request(model, signature, inputs)))


# The messages of tensorflow_serving/apis/{prediction_log,predict,model}.proto. They are
# made of nothing but nested fields, which take less to write than a package to install.


def _prediction_log(request: bytes) -> bytes:
    predict_log = _field(1, request)
    return _field(6, predict_log)


def _request(model: str, signature: str, inputs: Mapping[str, Any]) -> bytes:
    spec = _field(1, model.encode()) + _field(3, signature.encode())
    entries = (
        _field(1, name.encode())
        + _field(2, tf.make_tensor_proto(value).SerializeToString())
        for name, value in inputs.items()
    )
    return _field(1, spec) + b"".join(_field(2, entry) for entry in entries)


def _field(number: int, content: bytes) -> bytes:
    """A field of a message: its number and that it has a length, the length, itself."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])
