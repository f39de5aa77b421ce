"""The exact answer of the fully connected CRF, in NumPy.

The yardstick of `dense_crf.py`: sums over all pairs of pixels, without those whose
kernel value lies below 1e-7 (`bilateral_sum.py`). A step sums the changes since the
last, of those pixels that changed by more than `CHANGE`. Kernel values are float32,
everything else float64.
"""

import functools
import hashlib
import pathlib
from collections.abc import Sequence

import numpy as np
from bilateral_sum import Bilateral

from keras_deeplab.layers.crf_presets import CRFParameters

# Of a probability. What a pixel is told is off by no more than the weights times this.
CHANGE = 1e-4
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
        (parameters.w_bilateral, Message(bilateral.sum, image)),
        (
            parameters.w_gaussian,
            Message(functools.partial(blur, theta=parameters.theta_gamma), image),
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


class Message:
    """The kernel between the inverse square roots of its row sums."""

    def __init__(self, kernel_sum, image: np.ndarray) -> None:
        self.kernel_sum = kernel_sum
        self.scale = 1 / np.sqrt(kernel_sum(np.ones((*image.shape[:2], 1))))
        self.told: np.ndarray | float = 0.0
        self.heard: np.ndarray | float = 0.0

    def __call__(self, found: np.ndarray) -> np.ndarray:
        step = found - self.told
        step *= np.abs(step).max(axis=-1, keepdims=True) > CHANGE
        self.told = self.told + step
        self.heard = self.heard + self.kernel_sum(self.scale * step)
        return self.scale * self.heard


def blur(values: np.ndarray, theta: float) -> np.ndarray:
    """The position term, which is separable, without any cut."""
    for axis in (0, 1):
        place = np.arange(values.shape[axis]) / theta
        kernel = np.exp(-0.5 * (place[:, None] - place[None]) ** 2)
        values = np.moveaxis(np.tensordot(kernel, values, (1, axis)), 0, axis)
    return values


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
