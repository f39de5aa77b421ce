"""Weights from one model to another of the same layers."""

import re

import keras

# Layers whose filters are classes, by the paths of their weights.
CLASSIFIER = r"(^|/)(logits|low_level_logits|fc8_\d+)/"


def copy_weights(
    source: keras.Model, model: keras.Model, *, classifier: bool
) -> tuple[str, ...]:
    """Copies weights by their paths, all or all but the classifier's.

    Args:
        source: The model to copy from.
        model: The model to copy to.
        classifier: Whether the classifier's weights are copied too.

    Returns:
        Paths of the weights that were left as they are.

    Raises:
        ValueError: If one of the models has a weight that the other lacks, or that has
            another shape there; the message names it, and nothing is copied.
    """
    found = {weight.path: weight for weight in source.weights}
    wanted = {weight.path: weight for weight in model.weights}
    fresh = () if classifier else tuple(p for p in wanted if re.search(CLASSIFIER, p))
    copied = [path for path in wanted if path not in fresh]
    for path in sorted(found.keys() ^ wanted.keys()):
        lacks = "the model" if path in found else "the source"
        raise ValueError(f"{lacks} has no weight {path!r}")
    for path in copied:
        if found[path].shape != wanted[path].shape:
            raise ValueError(
                f"the weight {path!r} has the shape {tuple(found[path].shape)} in the "
                f"source and {tuple(wanted[path].shape)} in the model"
            )
    for path in copied:
        wanted[path].assign(found[path])
    return fresh
