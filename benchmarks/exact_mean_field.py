"""The exact answer of the fully connected CRF, by all pairs of pixels, in NumPy.

The yardstick of `dense_crf.py`. Pixels are sorted into a tree over their five features
(place and colour in units of their widths); pairs of leaves that lie so far apart that
no kernel value between them reaches `exp(-CUT)` are left out, all others are summed.
Kernel values and sums over a leaf are float32, everything else is float64.
"""

import functools
import hashlib
import pathlib
from collections.abc import Iterator

import numpy as np

from keras_deeplab.layers.crf_presets import CRFParameters

# exp(-18) is 1.5e-8: of half a million pixels that far away no label changes.
CUT = 18.0
LEAF = 512
SMALLEST_PROBABILITY = 1e-5


def softmax(scores: np.ndarray) -> np.ndarray:
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def exact(
    logits: np.ndarray, image: np.ndarray, parameters: CRFParameters
) -> np.ndarray:
    """Mean field with Potts compatibility: probabilities, float64."""
    bilateral = Bilateral(image, parameters.theta_alpha, parameters.theta_beta)
    messages = (
        (parameters.w_bilateral, normalized(bilateral.sum, logits)),
        (
            parameters.w_gaussian,
            normalized(functools.partial(blur, theta=parameters.theta_gamma), logits),
        ),
    )
    start = np.log(np.clip(softmax(logits.astype("float64")), SMALLEST_PROBABILITY, 1))
    found = softmax(start)
    for _ in range(parameters.iterations):
        total = start
        for weight, message in messages:
            total = total + weight * message(found)
        found = softmax(total)
    return found


def normalized(kernel_sum, like: np.ndarray):
    """The kernel between the inverse square roots of its row sums."""
    scale = 1 / np.sqrt(kernel_sum(np.ones((*like.shape[:2], 1))))
    return lambda found: scale * kernel_sum(scale * found)


def blur(values: np.ndarray, theta: float) -> np.ndarray:
    """The position term, which is separable, without any cut."""
    for axis in (0, 1):
        place = np.arange(values.shape[axis]) / theta
        kernel = np.exp(-0.5 * (place[:, None] - place[None]) ** 2)
        values = np.moveaxis(np.tensordot(kernel, values, (1, axis)), 0, axis)
    return values


class Bilateral:
    """Sums over all pixels, weighted by nearness in place and colour."""

    def __init__(self, image: np.ndarray, alpha: float, beta: float) -> None:
        height, width = image.shape[:2]
        rows, columns = np.mgrid[:height, :width]
        places = np.stack([rows, columns], axis=-1) / alpha
        features = np.concatenate([places, image / beta], axis=-1).reshape(-1, 5)
        self.leaves = list(split(features, np.arange(len(features))))
        self.features = [features[leaf] for leaf in self.leaves]
        low = np.array([points.min(axis=0) for points in self.features])
        high = np.array([points.max(axis=0) for points in self.features])
        gap = np.maximum(low[:, None] - high[None], low[None] - high[:, None])
        near = 0.5 * (np.maximum(gap, 0) ** 2).sum(axis=-1) < CUT
        self.neighbours = [np.flatnonzero(row) for row in near]
        self.share = near.mean()

    def sum(self, values: np.ndarray) -> np.ndarray:
        flat = values.reshape(-1, values.shape[-1])
        parts = [flat[leaf].astype("float32") for leaf in self.leaves]
        total = np.zeros(flat.shape)
        for index, neighbours in enumerate(self.neighbours):
            for other in neighbours[neighbours >= index]:
                kernel = self._kernel(index, other)
                total[self.leaves[index]] += kernel @ parts[other]
                if other > index:
                    total[self.leaves[other]] += kernel.T @ parts[index]
        return total.reshape(values.shape)

    def _kernel(self, index: int, other: int) -> np.ndarray:
        # About the middle of one leaf, where float32 holds the differences.
        middle = self.features[index].mean(axis=0)
        here, there = self.features[index] - middle, self.features[other] - middle
        ones, half = np.ones, -0.5
        left = [here, half * (here**2).sum(1, keepdims=True), ones((len(here), 1))]
        right = [there, ones((len(there), 1)), half * (there**2).sum(1, keepdims=True)]
        exponent = np.hstack(left).astype("f") @ np.hstack(right).astype("f").T
        return np.exp(np.minimum(exponent, 0, out=exponent), out=exponent)


def split(features: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Halves at the median of the widest feature, until leaves are small."""
    if len(rows) <= LEAF:
        yield rows
        return
    widest = np.ptp(features[rows], axis=0).argmax()
    order = rows[np.argsort(features[rows, widest], kind="stable")]
    middle = len(order) // 2
    yield from split(features, order[:middle])
    yield from split(features, order[middle:])


def cached_exact(
    folder: pathlib.Path,
    logits: np.ndarray,
    image: np.ndarray,
    parameters: CRFParameters,
) -> np.ndarray:
    """Labels of the exact answer, uint8, from the folder if they are there."""
    digest = hashlib.sha256(repr(parameters).encode())
    for array in (logits, image):
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    path = folder / f"{digest.hexdigest()[:20]}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        labels = exact(logits, image, parameters).argmax(axis=-1).astype("uint8")
        np.save(path, labels)
    return np.load(path)
