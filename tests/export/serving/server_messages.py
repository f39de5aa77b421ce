"""Messages of TensorFlow Serving's server that tensorflow-serving-api does not bring.

Copied from the files of the repository tensorflow/serving, Apache-2.0:
`tensorflow_serving/config/monitoring_config.proto` and
`tensorflow_serving/servables/tensorflow/session_bundle_config.proto`.
"""

from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    wrappers_pb2,
)

_Field = descriptor_pb2.FieldDescriptorProto
_INTEGER, _BOOLEAN = ".google.protobuf.Int64Value", ".google.protobuf.BoolValue"
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
}
# Message to its fields: each one's number and type; a list is repeated.
_MESSAGES = {
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, ".serving.PrometheusConfig")},
    "BatchingParameters": {
        "max_batch_size": (1, _INTEGER),
        "batch_timeout_micros": (2, _INTEGER),
        "max_enqueued_batches": (3, _INTEGER),
        "num_batch_threads": (4, _INTEGER),
        "thread_pool_name": (5, ".google.protobuf.StringValue"),
        "allowed_batch_sizes": (6, ["int64"]),
        "pad_variable_length_inputs": (7, "bool"),
        "enable_large_batch_splitting": (8, _BOOLEAN),
        "max_execution_batch_size": (9, _INTEGER),
    },
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            (word,) = kind if isinstance(kind, list) else [kind]
            message.field.add(
                name=field,
                number=number,
                type=_SCALARS.get(word, _Field.TYPE_MESSAGE),
                type_name=None if word in _SCALARS else word,
                label=_Field.LABEL_REPEATED if word != kind else _Field.LABEL_OPTIONAL,
            )
    return file


def server_message(name: str) -> Any:
    """A new message of that name."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(_file())
    descriptor = pool.FindMessageTypeByName(f"serving.{name}")
    return message_factory.GetMessageClass(descriptor)()
