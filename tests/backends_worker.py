"""Answers of one small model of each family, on the backend that Keras is set to.

Run as a script it writes them to an `.npz`: `KERAS_BACKEND=jax python FILE OUT`.
"""

import math
import sys

import keras
import numpy as np

import keras_deeplab


def answers() -> dict[str, np.ndarray]:
    """Logits of every family, from the same weights on every backend."""
    images = np.random.default_rng(0).uniform(-1, 1, (2, 65, 49, 3)).astype("float32")
    found = {}
    for name, model in _models().items():
        _set_weights(model)
        logits = model(images, training=False)
        found[name] = keras.ops.convert_to_numpy(logits)
    return found


def _models() -> dict[str, keras.Model]:
    resnet = {"blocks": (2, 2, 2, 3), "stage_filters": (4, 4, 8, 8), "classes": 3}
    return {
        "v1": keras_deeplab.DeepLabV1(
            filters=8, stage_filters=(4, 4, 8, 8, 8), classes=3
        ),
        "v2": keras_deeplab.DeepLabV2("resnet50", scales=(1, 0.75, 0.5), **resnet),
        "v3": keras_deeplab.DeepLabV3(
            "mobilenet_v2", alpha=0.35, output_stride=8, crop_size=33, classes=3
        ),
        "v3_beta": keras_deeplab.DeepLabV3("resnet50_beta", **resnet, filters=8),
        "v3plus": keras_deeplab.DeepLabV3Plus(
            "xception65", middle_units=1, filters=8, decoder_filters=8, classes=3
        ),
        "v3plus_dpc": keras_deeplab.DeepLabV3Plus(
            "mobilenet_v2", alpha=0.35, pyramid="dpc", filters=8, classes=3
        ),
        "lraspp": keras_deeplab.LRASPP("mobilenet_v3_small", classes=3),
    }


def _set_weights(model: keras.Model) -> None:
    rng = np.random.default_rng(1)
    values = []
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.path.endswith("logits/kernel") or "/fc8_" in weight.path:
            # Logits of about one, whatever came before.
            value = rng.normal(0, 0.01 if "/fc8_" in weight.path else 0.05, shape)
        elif len(shape) == 4:
            value = rng.normal(0, math.sqrt(2 / math.prod(shape[:3])), shape)
        elif weight.name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
        else:
            value = rng.normal(0, 0.1, shape)
        values.append(value.astype("float32"))
    model.set_weights(values)


if __name__ == "__main__":
    np.savez(sys.argv[1], **answers())
