"""A SavedModel in TensorFlow's C++ loader, called through its C interface."""

import ctypes
import pathlib
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int64, c_size_t
from ctypes import c_void_p as address
from typing import Any

import numpy as np
import tensorflow as tf

_TF_STRING, _SIZE_OF_STRING = 7, 24


class _Output(Structure):
    _fields_ = (("operation", address), ("index", c_int))


class _Buffer(Structure):
    _fields_ = (("data", address), ("length", c_size_t), ("deallocator", address))


_FUNCTIONS = {
    "TF_NewStatus": (address,),
    "TF_GetCode": (c_int, address),
    "TF_Message": (c_char_p, address),
    "TF_NewSessionOptions": (address,),
    "TF_NewGraph": (address,),
    "TF_NewBuffer": (address,),
    "TF_LoadSessionFromSavedModel": (
        address,
        *(address, address, c_char_p, POINTER(c_char_p), c_int, address, address),
        address,
    ),
    "TF_GraphOperationByName": (address, address, c_char_p),
    "TF_AllocateTensor": (address, c_int, POINTER(c_int64), c_int, c_size_t),
    "TF_DeleteTensor": (None, address),
    "TF_TensorData": (address, address),
    "TF_TensorType": (c_int, address),
    "TF_NumDims": (c_int, address),
    "TF_Dim": (c_int64, address, c_int),
    "TF_TensorByteSize": (c_size_t, address),
    "TF_StringInit": (None, address),
    "TF_StringCopy": (None, address, c_char_p, c_size_t),
    "TF_StringGetDataPointer": (address, address),
    "TF_StringGetSize": (c_size_t, address),
    "TF_SessionRun": (
        None,
        *(address, address, POINTER(_Output), POINTER(address), c_int),
        *(POINTER(_Output), POINTER(address), c_int),
        *(address, c_int, address, address),
    ),
}


def _library() -> Any:
    found = ctypes.CDLL(str(pathlib.Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


class CSession:
    """The signatures of a SavedModel, each of one input and one output."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._c = _library()
        self._status, self._graph = self._c.TF_NewStatus(), self._c.TF_NewGraph()
        meta_graph, tags = self._c.TF_NewBuffer(), (c_char_p * 1)(b"serve")
        self._session = self._c.TF_LoadSessionFromSavedModel(
            self._c.TF_NewSessionOptions(),
            *(None, str(folder).encode(), tags, 1),
            *(self._graph, meta_graph, self._status),
        )
        self._check()
        buffer = _Buffer.from_address(meta_graph)
        content = ctypes.string_at(buffer.data, buffer.length)
        self.signatures = tf.compat.v1.MetaGraphDef.FromString(content).signature_def

    def run(self, signature: str, value: Any) -> Any:
        """The answer to an array, or to strings: an array, or strings."""
        (source,) = self.signatures[signature].inputs.values()
        (target,) = self.signatures[signature].outputs.values()
        tensor, answer = self._tensor(value), address()
        self._c.TF_SessionRun(
            *(self._session, None, byref(self._output(source))),
            *(byref(address(tensor)), 1, byref(self._output(target)), byref(answer)),
            *(1, None, 0, None, self._status),
        )
        self._c.TF_DeleteTensor(tensor)
        self._check()
        try:
            return self._value(answer)
        finally:
            self._c.TF_DeleteTensor(answer)

    def _check(self) -> None:
        if self._c.TF_GetCode(self._status):
            raise RuntimeError(self._c.TF_Message(self._status).decode())

    def _output(self, info: Any) -> _Output:
        name, index = info.name.split(":")
        operation = self._c.TF_GraphOperationByName(self._graph, name.encode())
        return _Output(operation, int(index))

    def _tensor(self, value: Any) -> int:
        strings = isinstance(value, list)
        array = np.zeros((len(value), _SIZE_OF_STRING), "uint8") if strings else value
        shape = array.shape[:1] if strings else array.shape
        kind = _TF_STRING if strings else tf.as_dtype(array.dtype).as_datatype_enum
        sides = (c_int64 * len(shape))(*shape)
        tensor = self._c.TF_AllocateTensor(kind, sides, len(shape), array.nbytes)
        data = self._c.TF_TensorData(tensor)
        if strings:
            for index, content in enumerate(value):
                place = data + index * _SIZE_OF_STRING
                self._c.TF_StringInit(place)
                self._c.TF_StringCopy(place, content, len(content))
        else:
            ctypes.memmove(data, array.ctypes.data, array.nbytes)
        return tensor

    def _value(self, tensor: address) -> Any:
        rank = self._c.TF_NumDims(tensor)
        shape = tuple(self._c.TF_Dim(tensor, axis) for axis in range(rank))
        data, kind = self._c.TF_TensorData(tensor), self._c.TF_TensorType(tensor)
        if kind == _TF_STRING:
            places = range(data, data + shape[0] * _SIZE_OF_STRING, _SIZE_OF_STRING)
            return [self._string(place) for place in places]
        content = ctypes.string_at(data, self._c.TF_TensorByteSize(tensor))
        dtype = tf.as_dtype(kind).as_numpy_dtype
        return np.frombuffer(content, dtype).reshape(shape)

    def _string(self, place: int) -> bytes:
        pointer = self._c.TF_StringGetDataPointer(place)
        return ctypes.string_at(pointer, self._c.TF_StringGetSize(place))
