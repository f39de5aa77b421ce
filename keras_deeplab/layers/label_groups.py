"""The labels that a photo has most of, each by itself, and all others together."""

from keras import ops

from keras_deeplab._types import Tensor


def label_groups(probabilities: Tensor, most: int | None) -> Tensor | None:
    """Returns which group a label is of.

    Args:
        probabilities: `(1, height, width, classes)`.
        most: Number of groups; `None` for as many as labels.

    Returns:
        `(classes, most)`, 1 where the label is of the group, else 0, without a
        gradient; `None` where each label can have its own.
    """
    classes = probabilities.shape[-1]
    if most is None or classes <= most:
        return None
    # Squares: what is sure somewhere counts for more than what is unlikely everywhere.
    mass = ops.sum(ops.square(probabilities), axis=(0, 1, 2))
    _, chosen = ops.top_k(ops.stop_gradient(mass), most - 1)
    alone = ops.one_hot(chosen, classes, axis=0, dtype="float32")
    others = 1 - ops.sum(alone, axis=1, keepdims=True)
    return ops.concatenate([alone, others], axis=1)
