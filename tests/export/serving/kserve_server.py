"""Serves a SavedModel by KServe's model server, as TensorFlow Serving's REST does.

python kserve_server.py VERSION_FOLDER NAME PORT
"""

import asyncio
import base64
import binascii
import sys
from typing import Any

import numpy as np
import tensorflow as tf
from kserve import Model, ModelServer
from kserve.errors import InvalidInput


class SavedModelServer(Model):
    """Answers `signature_name` and `instances` with `predictions`."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(name)
        self.saved = tf.saved_model.load(folder)
        self.ready = True

    async def predict(
        self, payload: dict[str, Any], *_: object, **__: object
    ) -> dict[str, Any]:
        # In a thread, so that requests are answered side by side.
        return await asyncio.to_thread(self.answer, payload)

    def answer(self, payload: dict[str, Any]) -> dict[str, Any]:
        name = payload.get("signature_name", "serving_default")
        try:
            signature = self.saved.signatures[name]
            (spec,) = signature.structured_input_signature[1].values()
            values = [_value(each[spec.name]) for each in payload["instances"]]
            tensor = tf.constant(values, spec.dtype)
            (answers,) = signature(**{spec.name: tensor}).values()
        except (KeyError, TypeError, ValueError, tf.errors.InvalidArgumentError) as e:
            raise InvalidInput(str(e)) from e
        return {"predictions": [_told(each) for each in answers.numpy()]}


def _value(each: Any) -> Any:
    if not isinstance(each, dict):
        return each
    try:
        return base64.b64decode(each["b64"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error


def _told(each: Any) -> Any:
    if isinstance(each, bytes):
        return {"b64": base64.b64encode(each).decode()}
    return np.asarray(each).tolist()


if __name__ == "__main__":
    folder, model, port = sys.argv[1:]
    ModelServer(http_port=int(port), enable_grpc=False, workers=1).start(
        [SavedModelServer(model, folder)]
    )
