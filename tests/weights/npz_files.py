"""Official arrays, from a model of random weights."""

import io
import pathlib
from collections.abc import Mapping

import keras
import numpy as np

from keras_deeplab import DeepLabV3
from keras_deeplab.layers import ConvBlock

OFFICIAL = "deeplabv3_mnv2_pascal_trainval_folded.npz"

Arrays = dict[str, np.ndarray]

_HEAD = {
    "conv": "MobilenetV2_Conv_Conv2D",
    "aspp/image_pooling/projection": "image_pooling_Conv2D",
    "aspp/rate_0": "aspp0_Conv2D",
    "aspp/projection": "concat_projection_Conv2D",
}


def npz_bytes(arrays: Mapping[str, np.ndarray], *, packed: bool = False) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(file, **arrays)
    return file.getvalue()


def write_npz(folder: pathlib.Path, arrays: Mapping[str, np.ndarray]) -> pathlib.Path:
    path = folder / "model.npz"
    path.write_bytes(npz_bytes(arrays))
    return path


def random_model(alpha: float, classes: int) -> DeepLabV3:
    """The official form of the network, with batch norms that matter."""
    model = DeepLabV3(
        "mobilenet_v2",
        output_stride=8,
        atrous_rates=(),
        alpha=alpha,
        classes=classes,
        crop_size=513,
    )
    random = np.random.default_rng(0)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, variance = random.uniform(0.5, 2, (2, *layer.gamma.shape))
            beta, mean = random.normal(0, 0.5, (2, *layer.gamma.shape))
            layer.set_weights([gamma, beta, mean, variance])
    return model


def folded_arrays(model: keras.Model) -> Arrays:
    """A model's weights as the official arrays hold them: the inverse of loading."""
    arrays = {}
    for layer in model._flatten_layers():
        if isinstance(layer, ConvBlock):
            conv, norm = layer.steps[:2]
            gamma, beta, mean, variance = norm.get_weights()
            scale = gamma / np.sqrt(variance + norm.epsilon)
            (kernel,) = conv.get_weights()
            # One filter, or (depthwise) one channel, is scaled as a whole.
            kernel *= scale[:, None] if conv.depthwise else scale
            name = _official_name(conv.kernel.path.rsplit("/", 2)[0])
            arrays[name] = _official_layout(kernel)
            arrays[f"{name}_bn_offset"] = beta - mean * scale
    kernel, bias = model.get_layer("logits").get_weights()
    logits = {"Conv2D": _official_layout(kernel), "biases": bias}
    return arrays | {f"logits_semantic_{part}": array for part, array in logits.items()}


def _official_name(path: str) -> str:
    kind = "depthwise" if path.endswith("depthwise") else "Conv2D"
    return _HEAD.get(path) or f"MobilenetV2_{path}_{kind}"


def _official_layout(kernel: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.transpose(kernel, (3, 0, 1, 2)))
