"""Reads the official arrays, one for each tensor of the deployed graph."""

import io
import math
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_deeplab.weights.array_archive import MOST_BYTES, read_member
from keras_deeplab.weights.folded_conv import Array, FoldedConv
from keras_deeplab.weights.folded_graph import FoldedGraph

_BACKBONE_CONV = r"Conv|expanded_conv(?:_\d+)?_(?:expand|project)"
_HEAD_CONV = r"aspp\d+|concat_projection|image_pooling|logits_semantic"
_CONV = rf"MobilenetV2_(?:{_BACKBONE_CONV})|{_HEAD_CONV}"
_DEPTHWISE = r"MobilenetV2_expanded_conv(?:_\d+)?_depthwise"

# How the arrays of a scope are named: the operation, and what became of its batch norm.
_KERNELS = re.compile(rf"(?:({_CONV})_Conv2D|({_DEPTHWISE})_depthwise)")
_BIASES = re.compile(
    rf"(?:({_CONV})_(?:Conv2D_bn_offset|biases)"
    rf"|({_DEPTHWISE})_(?:depthwise_bn_offset|BatchNorm_FusedBatchNorm))"
)
_PARTS = re.compile(r"(MobilenetV2|logits)_|_(expand|depthwise|project)$")


def read_npz(path: Path) -> FoldedGraph:
    """Reads folded arrays and pairs each kernel with its bias.

    Args:
        path: An `.npz` of float32 arrays.

    Returns:
        The convolutions by scope.

    Raises:
        ValueError: If the file holds an array that is neither the kernel nor the bias
            of an official layer, or one of the two is missing. A damaged file raises
            anything.
    """
    arrays = _read(path)
    kernels, biases = _by_scope(arrays, _KERNELS), _by_scope(arrays, _BIASES)
    for name in sorted(arrays.keys() - {*kernels.values(), *biases.values()}):
        raise ValueError(f"array {name!r} belongs to none of its layers")
    for scope in sorted(kernels.keys() ^ biases.keys()):
        lacks = "bias" if scope in kernels else "kernel"
        raise ValueError(f"the {lacks} of {scope!r} is missing")
    convolutions = {
        scope: FoldedConv(
            kernel=arrays[kernels[scope]],
            bias=arrays[biases[scope]],
            kernel_name=kernels[scope],
            bias_name=biases[scope],
        )
        for scope in kernels
    }
    return FoldedGraph(convolutions=convolutions)


def _read(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise ValueError("two of its arrays have the same name")
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"its arrays unpack to more than {MOST_BYTES} bytes")
        return {
            name.removesuffix(".npy"): _array(name, read_member(archive, name))
            for name in names
        }


def _array(name: str, content: bytes) -> Array:
    # Not by np.load, which takes the header's word for how much memory to reserve.
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"array {name!r} is of another version of the format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype != np.float32:
        raise ValueError(f"array {name!r} is {dtype}, not float32")
    values = np.frombuffer(content, np.uint8, offset=file.tell())
    if values.size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"array {name!r} has {values.size} bytes for shape {shape}")
    return values.view(dtype).reshape(shape, order="F" if fortran_order else "C")


def _by_scope(names: Iterable[str], pattern: re.Pattern[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        if match := pattern.fullmatch(name):
            scope = _scope(match[1] or match[2])
            if scope in found:
                raise ValueError(f"{found[scope]!r} and {name!r} have the same place")
            found[scope] = name
    return found


def _scope(flat: str) -> str:
    # The file names have underscores where the official scopes have slashes.
    return _PARTS.sub(lambda m: f"{m[1]}/" if m[1] else f"/{m[2]}", flat)
