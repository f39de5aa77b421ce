"""Networks of keras.applications with random weights, and files of them."""

import pathlib
import re
from collections.abc import Callable

import h5py
import keras
import numpy as np

Arrays = dict[str, list[tuple[str, np.ndarray]]]

_SUFFIX = {"h5": ".h5", "weights_h5": ".weights.h5", "keras": ".keras"}
FORMATS = ("published", *_SUFFIX)


def lively(model: keras.Model) -> keras.Model:
    """Gives every weight a random value that keeps the features of a usual size."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
        elif "kernel" in weight.name:
            value = rng.normal(0, np.prod(shape[:-1]) ** -0.5, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        weight.assign(value)
    return model


def build(name: str, **kwargs: object) -> keras.Model:
    """A lively network of keras.applications without its classifier."""
    network = getattr(keras.applications, name)
    return lively(network(weights=None, **{"include_top": False, **kwargs}))


def arrays_of(model: keras.Model) -> Arrays:
    """The weights of each layer by the names that Keras 2 gave them."""
    return {
        layer.name: [(_keras_2(layer, w), np.array(w)) for w in layer.weights]
        for layer in model.layers
    }


def _keras_2(layer: keras.Layer, weight: keras.Variable) -> str:
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    return f"{layer.name}/{'depthwise_' * depthwise}{weight.name}:0"


def write_published(path: pathlib.Path, arrays: Arrays) -> pathlib.Path:
    """Writes the layout in which keras.applications publishes its weights."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in arrays]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.1.6"
        for layer, weights in arrays.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name, _ in weights]
            for name, value in weights:
                group[name] = value
    return path


def write(folder: pathlib.Path, model: keras.Model, form: str) -> pathlib.Path:
    """Writes a model in one of `FORMATS`."""
    if form == "published":
        return write_published(folder / "model.h5", arrays_of(model))
    path = folder / f"model{_SUFFIX[form]}"
    (model.save_weights if form == "weights_h5" else model.save)(path)
    return path


def renamed(arrays: Arrays, rename: Callable[[str], str]) -> Arrays:
    """The same arrays under other names of layers."""
    return {
        rename(layer): [(rename(name), value) for name, value in weights]
        for layer, weights in arrays.items()
    }


def older_mobilenet(name: str) -> str:
    """What the published MobileNetV2 files call a layer, or an array of it."""
    name = name.replace("expanded_conv", "block_0")
    name = re.sub(r"block_(\d+)_([a-z]+)_BN", r"bn\1_conv_\1_bn_\2", name)
    return re.sub(r"block_(\d+)_(expand|depthwise|project)", r"mobl\1_conv_\1_\2", name)


def older_vgg(name: str) -> str:
    """What the published VGG-16 files call an array."""
    name = re.sub(r"(\w+)/kernel:0", r"\1_W_1:0", name)
    return re.sub(r"(\w+)/bias:0", r"\1_b_1:0", name)
