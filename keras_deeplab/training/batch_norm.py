"""How batch normalization works while training, as one argument."""

import warnings
from typing import Any

import keras

from keras_deeplab.layers import arguments

BATCH_NORM_MODES = ("frozen", "synchronized", "ordinary")

# Below it the V3 paper's table 8 has frozen statistics ahead of trained ones.
LEAST_BATCH = 12


def set_batch_norm(
    model: keras.Model, mode: str, *, batch_size: int | None = None
) -> None:
    """Sets how every batch norm of a model works while training.

    - `"frozen"`: with the moving statistics, as at inference, and neither statistics
      nor scale and offset are trained.
    - `"ordinary"`: with the statistics of the batch, on each replica its own.
    - `"synchronized"`: with the statistics of all replicas together (TensorFlow only).

    Inference is the same in each. Call it before `compile`. A saved `keras_deeplab`
    model keeps its mode.

    Args:
        model: Any Keras model; changed in place.
        mode: `"frozen"`, `"synchronized"` or `"ordinary"`.
        batch_size: Images whose statistics are taken together, for a warning where
            they are few: those of one replica, or of all when synchronized. `None`
            for no warning.

    Raises:
        ValueError: If `mode` is unknown, `batch_size` is not a positive integer, or
            `"synchronized"` is asked of another backend than TensorFlow.

    Examples:
        >>> model = keras_deeplab.LRASPP("mobilenet_v3_small", classes=3)
        >>> keras_deeplab.training.set_batch_norm(model, "frozen")
        >>> any("batch_norm" in w.path for w in model.trainable_variables)
        False

    References:
        - [Chen et al., 2017](https://arxiv.org/abs/1706.05587), sections 4.1 and 4.2
    """
    arguments.check_choice(BATCH_NORM_MODES, mode=mode)
    synchronized = mode == "synchronized"
    if synchronized and keras.backend.backend() != "tensorflow":
        raise ValueError(
            "`mode` can be 'synchronized' with the TensorFlow backend only. "
            f"Received: {mode=}, with the backend {keras.backend.backend()!r}"
        )
    if batch_size is not None and mode != "frozen":
        _warn_of_few(arguments.positive(batch_size=batch_size))
    for layer in batch_norms(model):
        layer.trainable = mode != "frozen"
        layer.synchronized = synchronized


def batch_norms(model: keras.Model) -> list[Any]:
    """Every batch norm of a model, however deep."""
    # What a layer keeps to itself, such as the steps of a block, is among them.
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def _warn_of_few(batch_size: int) -> None:
    if batch_size < LEAST_BATCH:
        warnings.warn(
            f"The statistics of {batch_size} images are poor: below {LEAST_BATCH}, "
            "prefer `set_batch_norm(model, 'frozen')` from trained weights, or "
            "'synchronized' on several devices.",
            stacklevel=3,
        )
