"""The confusion matrix that every score of the project comes from."""

import numpy as np
from keras import ops

from keras_deeplab._types import Tensor


def confusion_matrix(
    labels: Tensor,
    predictions: Tensor,
    classes: int,
    ignore_label: int | None = 255,
) -> Tensor:
    """Counts how often each true class was given each predicted class.

    Made of `keras.ops` with static shapes, so it works inside a compiled `fit` step
    too. Matrices of several batches or replicas may simply be added up; convert to
    64 bits first where the total can exceed two billion pixels.

    Args:
        labels: True labels, integers of any shape.
        predictions: Predicted labels in `0 .. classes - 1`, the shape of `labels`.
        classes: Number of classes.
        ignore_label: Label of the pixels to leave out, or `None` to count all.

    Returns:
        `(classes, classes)` int32 counts; rows are the truth, columns the prediction.

    Raises:
        ValueError: If the shapes differ, or NumPy arrays hold a value outside
            `0 .. classes - 1` (labels: other than `ignore_label`). Tensors, whose
            values may be unknown while tracing, are not checked: a pixel with such a
            value is left out.

    Examples:
        >>> matrix = keras_deeplab.metrics.confusion_matrix(
        ...     np.array([0, 0, 1, 255]), np.array([0, 1, 1, 1]), classes=2
        ... )
        >>> keras.ops.convert_to_numpy(matrix).tolist()
        [[1, 1], [0, 1]]
    """
    _check_shapes(labels, predictions)
    _check_values("labels", labels, classes, ignore_label)
    _check_values("predictions", predictions, classes, None)
    truth = _flat(labels)
    guess = _flat(predictions)
    counted = ops.logical_and(_in_range(truth, classes), _in_range(guess, classes))
    if ignore_label is not None:
        counted = ops.logical_and(counted, truth != ignore_label)
    # What is left out goes to one cell past the matrix, which keeps shapes static.
    cell = ops.where(counted, truth * classes + guess, classes * classes)
    counts = ops.segment_sum(
        ops.ones_like(cell), cell, num_segments=classes * classes + 1
    )
    return ops.reshape(counts[:-1], (classes, classes))


def _flat(values: Tensor) -> Tensor:
    return ops.cast(ops.reshape(values, (-1,)), "int32")


def _in_range(values: Tensor, classes: int) -> Tensor:
    return ops.logical_and(values >= 0, values < classes)


def _check_shapes(labels: Tensor, predictions: Tensor) -> None:
    shapes = tuple(labels.shape), tuple(predictions.shape)
    known = None not in shapes[0] + shapes[1]
    if known and shapes[0] != shapes[1]:
        raise ValueError(
            "`labels` and `predictions` must have the same shape. "
            f"Received: labels of shape {shapes[0]}, predictions of shape {shapes[1]}"
        )


def _check_values(
    name: str, values: Tensor, classes: int, ignore_label: int | None
) -> None:
    if not isinstance(values, np.ndarray):
        return
    strange = (values < 0) | (values >= classes)
    if ignore_label is not None:
        strange &= values != ignore_label
    if strange.any():
        found = np.unique(values[strange])[:5].tolist()
        raise ValueError(
            f"`{name}` must lie in 0..{classes - 1}"
            f"{'' if ignore_label is None else f' or be {ignore_label}'}. "
            f"Received: {name} with the values {found}"
        )
