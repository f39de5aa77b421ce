"""The exact answer of the fully connected CRF, by all pairs of pixels, in NumPy.

The yardstick of `dense_crf.py`. Pixels are sorted into a tree over their five features
(place and colour in units of their widths); pairs of leaves that lie so far apart that
no kernel value between them reaches `exp(-CUT)` are left out, all others are summed.
Kernel values and sums over a block are float32, everything else is float64.

What is left out of a pixel's sum is less than `exp(-CUT)` for each pixel left out, a
hundredth in all: of the photos of the test data it is 4e-5 of the sum at most, and
1e-6 in the mean.
"""

import functools
import hashlib
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from keras_deeplab.layers.crf_presets import CRFParameters

# exp(-16.1) is 1e-7.
CUT = 16.1
# Pixels of a leaf, and leaves whose pixels are compared with one leaf's at a time.
LEAF = 256
BLOCK = 8
# A class that no pixel gives more keeps its scores: what it would gain of itself moves
# no other probability by more than a tenth of this.
RARE = 1e-3
SMALLEST_PROBABILITY = 1e-5


def softmax(scores: np.ndarray) -> np.ndarray:
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def exact(
    logits: Sequence[np.ndarray], image: np.ndarray, parameters: CRFParameters
) -> list[np.ndarray]:
    """Mean field with Potts compatibility: probabilities, float64.

    Args:
        logits: Maps of scores of one photo, each of which is refined: the kernel,
            which takes the time, is made once for all.
        image: The photo.
        parameters: Weights, widths and steps.
    """
    bilateral = Bilateral(image, parameters.theta_alpha, parameters.theta_beta)
    messages = (
        (parameters.w_bilateral, normalized(bilateral.sum, image)),
        (
            parameters.w_gaussian,
            normalized(functools.partial(blur, theta=parameters.theta_gamma), image),
        ),
    )
    starts = [
        np.log(np.clip(softmax(each.astype("float64")), SMALLEST_PROBABILITY, 1))
        for each in logits
    ]
    classes = [told(start) for start in starts]
    ends = np.cumsum([len(summed) for summed, _ in classes])
    found = [softmax(start) for start in starts]
    for _ in range(parameters.iterations):
        each = [q[..., summed] for q, (summed, _) in zip(found, classes, strict=True)]
        stacked = np.concatenate(each, axis=-1)
        total = sum(weight * message(stacked) for weight, message in messages)
        sums = [
            np.pad(part, ((0, 0), (0, 0), (0, 1)))[..., place]
            for part, (_, place) in zip(
                np.split(total, ends[:-1], axis=-1), classes, strict=True
            )
        ]
        found = [softmax(u + sum_) for u, sum_ in zip(starts, sums, strict=True)]
    return found


def told(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes that are summed, and for each class which of them has its sum.

    Classes that are alike at every pixel stay alike at every step, so that one of them
    is enough. Those that are rare everywhere get the last sum, which is none.
    """
    columns = start.reshape(-1, start.shape[-1])
    common = np.flatnonzero(softmax(columns).max(axis=0) > RARE)
    _, first, back = np.unique(
        columns[:, common], axis=1, return_index=True, return_inverse=True
    )
    sums = np.full(columns.shape[1], len(first))
    sums[common] = back.reshape(-1)
    return common[first], sums


def normalized(kernel_sum, image: np.ndarray):
    """The kernel between the inverse square roots of its row sums."""
    scale = 1 / np.sqrt(kernel_sum(np.ones((*image.shape[:2], 1))))
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
        leaves = list(split(features, np.arange(len(features))))
        self.order = np.concatenate(leaves)
        self.features = features[self.order]
        ends = np.cumsum([len(leaf) for leaf in leaves])
        self.leaves = list(zip(ends - [len(leaf) for leaf in leaves], ends, strict=True))
        parts = [self.features[start:end] for start, end in self.leaves]
        self.low = np.array([part.min(axis=0) for part in parts])
        self.high = np.array([part.max(axis=0) for part in parts])

    def sum(self, values: np.ndarray) -> np.ndarray:
        flat = values.reshape(-1, values.shape[-1])[self.order].astype("float32")
        total = np.zeros(flat.shape)
        for index, (start, end) in enumerate(self.leaves):
            here = slice(start, end)
            total[here] += self._kernel(here, here) @ flat[here]
            later = self._near(index)
            for first in range(0, len(later), BLOCK):
                there = np.concatenate(
                    [np.arange(*self.leaves[i]) for i in later[first : first + BLOCK]]
                )
                kernel = self._kernel(here, there)
                total[here] += kernel @ flat[there]
                total[there] += kernel.T @ flat[here]
        found = np.empty_like(total)
        found[self.order] = total
        return found.reshape(values.shape)

    def _near(self, index: int) -> np.ndarray:
        """Leaves after this one that some kernel value is left of."""
        low, high = self.low[index + 1 :], self.high[index + 1 :]
        gap = np.maximum(low - self.high[index], self.low[index] - high)
        near = 0.5 * (np.maximum(gap, 0) ** 2).sum(axis=-1) < CUT
        return index + 1 + np.flatnonzero(near)

    def _kernel(self, here: slice, there: slice | np.ndarray) -> np.ndarray:
        # About the middle of one leaf, where float32 holds the differences.
        middle = self.features[here].mean(axis=0)
        left, right = self.features[here] - middle, self.features[there] - middle
        left, right = augmented(left), augmented(right)[:, [0, 1, 2, 3, 4, 6, 5]]
        exponent = left @ right.T
        return np.exp(exponent, out=exponent)


def augmented(features: np.ndarray) -> np.ndarray:
    """Rows whose product with others, the last two columns swapped, is the exponent."""
    rows = np.ones((len(features), 7), "float32")
    rows[:, :5] = features
    rows[:, 5] = -0.5 * (features**2).sum(axis=1)
    return rows


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
    (labels,) = cached_exacts(folder, [logits], image, parameters)
    return labels


def cached_exacts(
    folder: pathlib.Path,
    logits: Sequence[np.ndarray],
    image: np.ndarray,
    parameters: CRFParameters,
) -> list[np.ndarray]:
    """The same for several maps of scores of one photo."""
    paths = [folder / f"{digest(each, image, parameters)}.npy" for each in logits]
    missing = [i for i, path in enumerate(paths) if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        found = exact([logits[i] for i in missing], image, parameters)
        for index, probabilities in zip(missing, found, strict=True):
            np.save(paths[index], probabilities.argmax(axis=-1).astype("uint8"))
    return [np.load(path) for path in paths]


def digest(logits: np.ndarray, image: np.ndarray, parameters: CRFParameters) -> str:
    """Names an answer."""
    found = hashlib.sha256(repr(parameters).encode())
    for array in (logits, image):
        found.update(repr(array.shape).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:20]
