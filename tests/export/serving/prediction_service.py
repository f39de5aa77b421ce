"""TensorFlow Serving's gRPC service, in this process, before a SavedModel."""

import contextlib
import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

# That of TensorFlow Serving, in its server.cc.
_LIMIT = [("grpc.max_receive_message_length", 2**31 - 1)]


@dataclasses.dataclass
class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers from a SavedModel, and keeps the requests."""

    name: str
    saved: Any
    requests: list[Any] = dataclasses.field(default_factory=list)
    # Bytes put behind every answer that is bytes.
    padding: bytes = b""

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.requests.append(request)
        if request.model_spec.name != self.name:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
        signature = self.saved.signatures[request.model_spec.signature_name]
        inputs = {
            name: tf.constant(tf.make_ndarray(value))
            for name, value in request.inputs.items()
        }
        try:
            outputs = signature(**inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse()
        for name in set(request.output_filter or outputs):
            value = outputs[name].numpy()
            if value.dtype == object:
                value = [each + self.padding for each in value]
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


@contextlib.contextmanager
def listening(service: PredictionService) -> Iterator[str]:
    """The address of the service while it runs."""
    server = grpc.server(ThreadPoolExecutor(4), options=_LIMIT)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
