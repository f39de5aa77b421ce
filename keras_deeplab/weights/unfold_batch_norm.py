"""Gives a model of folded weights batch norms that can be trained."""

import itertools
import math

import keras
import numpy as np
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import BatchNormalization, ConvBlock
from keras_deeplab.layers.watch import watched_by
from keras_deeplab.models import Segmenter

# Positions and channels' mean and variance, of one batch.
_OfBatch = tuple[int, Tensor, Tensor]


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
    moments = _Moments(model)
    with watched_by(moments):
        for start in range(0, len(images), batch_size):
            model(images[start : start + batch_size], training=False)
    for conv, norm in moments.norms.items():
        _rewrite(norm, *_merged(moments.of[conv]))


class _Moments:
    """A `Watcher` that collects the moments of what each batch norm is given."""

    def __init__(self, model: Segmenter) -> None:
        layers = model._flatten_layers(include_self=False)
        pairs = [
            (id(conv), norm)
            for block in layers
            if isinstance(block, ConvBlock)
            for conv, norm in itertools.pairwise(block.steps)
            if isinstance(norm, BatchNormalization)
        ]
        self.norms = dict(pairs)
        self.of: dict[int, list[_OfBatch]] = {conv: [] for conv in self.norms}

    def kernel(self, layer: keras.layers.Layer, kernel: Tensor) -> Tensor:
        return kernel

    def feature_map(self, layer: keras.layers.Layer, outputs: Tensor) -> Tensor:
        if id(layer) in self.norms:
            mean, variance = ops.moments(ops.cast(outputs, "float32"), axes=(0, 1, 2))
            self.of[id(layer)].append((math.prod(outputs.shape[:-1]), mean, variance))
        return outputs


def _merged(moments: list[_OfBatch]) -> tuple[np.ndarray, np.ndarray]:
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
