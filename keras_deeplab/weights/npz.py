"""Reads the official arrays, one for each tensor of the deployed graph."""

import re
import zipfile
from pathlib import Path

import numpy as np

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
        ValueError: If the file is no `.npz`, or holds an array that is neither the
            kernel nor the bias of an official layer, or one of the two is missing.
    """
    graph = FoldedGraph(source=str(path), convolutions={})
    kernels: dict[str, str] = {}
    biases: dict[str, str] = {}
    arrays = _read(path, graph)
    for name in arrays:
        for found, pattern in ((kernels, _KERNELS), (biases, _BIASES)):
            if match := pattern.fullmatch(name):
                found[_scope(match[1] or match[2])] = name
                break
        else:
            raise graph.error(f"array {name!r} belongs to none of its layers")
    for scope in sorted(kernels.keys() ^ biases.keys()):
        lacks = "bias" if scope in kernels else "kernel"
        raise graph.error(f"the {lacks} of {scope!r} is missing")
    convolutions = {
        scope: FoldedConv(
            kernel=arrays[kernels[scope]],
            bias=arrays[biases[scope]],
            kernel_name=kernels[scope],
            bias_name=biases[scope],
        )
        for scope in kernels
    }
    return FoldedGraph(source=str(path), convolutions=convolutions)


def _read(path: Path, graph: FoldedGraph) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise graph.error(f"the archive cannot be read ({error})") from error
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise graph.error(f"array {name!r} is {array.dtype}, not float32")
    return arrays


def _scope(flat: str) -> str:
    # The file names have underscores where the official scopes have slashes.
    return _PARTS.sub(lambda m: f"{m[1]}/" if m[1] else f"/{m[2]}", flat)
