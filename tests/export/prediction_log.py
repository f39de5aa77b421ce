"""Reads warm-up requests by messages that TensorFlow Serving's files describe."""

import dataclasses

import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto
# Message to its fields: number, type name or None for a string, repeated.
_MESSAGES = {
    "ModelSpec": {"name": (1, None, False), "signature_name": (3, None, False)},
    "Input": {"key": (1, None, False), "value": (2, "tensorflow.TensorProto", False)},
    "PredictRequest": {
        "model_spec": (1, "test.ModelSpec", False),
        "inputs": (2, "test.Input", True),
    },
    "PredictLog": {"request": (1, "test.PredictRequest", False)},
    "PredictionLog": {"predict_log": (6, "test.PredictLog", False)},
}


@dataclasses.dataclass(frozen=True)
class Request:
    model: str
    signature: str
    inputs: dict[str, tf.Tensor]


def read_predict_request(record: bytes) -> Request:
    log = _prediction_log().FromString(record)
    request = log.predict_log.request
    # Nothing is left that the messages do not know.
    assert log.SerializeToString() == record
    inputs = {
        each.key: tf.constant(tf.make_ndarray(each.value)) for each in request.inputs
    }
    return Request(request.model_spec.name, request.model_spec.signature_name, inputs)


def _prediction_log() -> type:
    file = descriptor_pb2.FileDescriptorProto(
        name="test.proto",
        package="test",
        syntax="proto3",
        dependency=[tensor_pb2.DESCRIPTOR.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            message.field.add(
                name=field,
                number=number,
                type=_FIELD.TYPE_MESSAGE if kind else _FIELD.TYPE_STRING,
                type_name=f".{kind}" if kind else None,
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    for dependency in _files_of(tensor_pb2.DESCRIPTOR):
        pool.AddSerializedFile(dependency)
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("test.PredictionLog")
    return message_factory.GetMessageClass(descriptor)


def _files_of(file: object) -> list[bytes]:
    found = [each for below in file.dependencies for each in _files_of(below)]
    return [*found, file.serialized_pb]
