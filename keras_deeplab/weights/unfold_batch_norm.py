"""Gives a model of folded weights batch norms that can be trained."""

import contextlib
import math
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.models import Segmenter

# Positions and channels' mean and variance, of one batch.
_Moments = tuple[int, Tensor, Tensor]


def unfold_batch_norm(model: Segmenter, images: Tensor, *, batch_size: int = 4) -> None:
    """Rewrites batch norms to the statistics of real images, answers unchanged.

    Deployed models hold their batch norms folded into the convolutions; loaded, such a
    norm has mean 0 and variance 1, whatever the features are. That is right for
    answers, but training would normalise by the batch and thereby change the network
    at its first step. This measures what each norm really sees, and chooses scale and
    offset so that the network computes the same function as before.

    Args:
        model: A model of this package; its batch norms are changed in place.
        images: What the model takes, as from `model.preprocess`: `(batch, height,
            width, 3)`. A few dozen photos like those to train on.
        batch_size: Images at a time.

    Raises:
        ValueError: If there are no images, or `batch_size` is not positive.

    Examples:
        >>> model = keras_deeplab.DeepLabV3("mobilenet_v2", alpha=0.35, filters=8)
        >>> images = np.random.default_rng(0).uniform(-1, 1, (2, 33, 33, 3))
        >>> keras_deeplab.weights.unfold_batch_norm(model, images)
    """
    if batch_size < 1 or not len(images):
        raise ValueError(
            "`images` must hold an image and `batch_size` must be at least 1. "
            f"Received: images of shape {tuple(images.shape)}, batch_size={batch_size}"
        )
    layers = model._flatten_layers(include_self=False)
    norms = [x for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    with contextlib.ExitStack() as stack:
        watched = [(norm, stack.enter_context(_watched(norm))) for norm in norms]
        for start in range(0, len(images), batch_size):
            model(images[start : start + batch_size], training=False)
    for norm, moments in watched:
        _rewrite(norm, *_merged(moments))


@contextlib.contextmanager
def _watched(norm: keras.layers.Layer) -> Iterator[list[_Moments]]:
    """Collects the moments of what a batch norm is called with inside the block."""
    moments: list[_Moments] = []
    call = norm.call

    def watched_call(inputs: Tensor, **kwargs: Tensor) -> Tensor:
        mean, variance = ops.moments(ops.cast(inputs, "float32"), axes=(0, 1, 2))
        moments.append((math.prod(inputs.shape[:-1]), mean, variance))
        return call(inputs, **kwargs)

    norm.call = watched_call
    try:
        yield moments
    finally:
        # Of the instance; the class's own method shows again.
        del norm.call


def _merged(moments: list[_Moments]) -> tuple[np.ndarray, np.ndarray]:
    counts, means, variances = (
        np.stack([ops.convert_to_numpy(x) for x in column]).astype("float64")
        for column in zip(*moments, strict=True)
    )
    mean = np.average(means, axis=0, weights=counts)
    squares = np.average(variances + means**2, axis=0, weights=counts)
    return mean, np.maximum(squares - mean**2, 0)


def _rewrite(norm: keras.layers.Layer, mean: np.ndarray, variance: np.ndarray) -> None:
    gamma, beta, old_mean, old_variance = norm.get_weights()
    scale = gamma / np.sqrt(old_variance + norm.epsilon)
    norm.set_weights(
        [
            scale * np.sqrt(variance + norm.epsilon),
            beta + scale * (mean - old_mean),
            mean,
            variance,
        ]
    )
