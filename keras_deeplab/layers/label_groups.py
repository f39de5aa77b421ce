"""The labels that a photo has most of, each by itself, and all others together."""

import dataclasses

from keras import ops

from keras_deeplab._types import Tensor

# Lower than any logarithm of a probability that counts.
_NEVER = 1e4


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelGroups:
    """Groups of one label, and a last one of all other labels.

    Args:
        alone: The labels that are groups by themselves, int32 `(groups - 1,)`.
        of: 1 where a group has a label, else 0: `(groups, classes)`.
    """

    alone: Tensor
    of: Tensor

    def scores(self, scores: Tensor) -> Tensor:
        """Returns the scores of groups, `(1, height, width, groups)`.

        Args:
            scores: Logarithms of probabilities of labels, `(1, height, width,
                classes)`.
        """
        # Of the others the best one: what many unlikely labels have together would
        # else win where none of them does.
        others = scores - _NEVER * (1 - self.of[-1])
        best = ops.max(others, axis=-1, keepdims=True)
        return ops.concatenate([ops.take(scores, self.alone, axis=-1), best], axis=-1)

    def to_labels(self, values: Tensor) -> Tensor:
        """Returns for each label the value of its group.

        Args:
            values: `(1, height, width, groups)`.
        """
        # Of four dimensions: a matrix of two makes an operation that is slow in TFLite.
        return ops.matmul(values, ops.reshape(self.of, (1, 1, *self.of.shape)))


def label_groups(probabilities: Tensor, most: int) -> LabelGroups:
    """Chooses groups for a photo.

    Args:
        probabilities: `(1, height, width, classes)`, more classes than groups.
        most: Number of groups.
    """
    classes = probabilities.shape[-1]
    # Squares: what is sure somewhere counts for more than what is unlikely everywhere.
    mass = ops.sum(ops.square(probabilities), axis=(0, 1, 2))
    _, alone = ops.top_k(ops.stop_gradient(mass), most - 1)
    each = ops.one_hot(alone, classes, dtype="float32")
    others = 1 - ops.sum(each, axis=0, keepdims=True)
    return LabelGroups(alone=alone, of=ops.concatenate([each, others], axis=0))
