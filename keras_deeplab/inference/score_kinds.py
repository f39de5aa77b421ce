"""Logits and probabilities, each from what a model says."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_TINY = np.finfo("float32").tiny


def _same(scores: Array) -> Array:
    return scores


def _logarithms(scores: Array) -> Array:
    return np.log(np.maximum(scores, _TINY))


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


#: By what a model says, see `Predictor.output_kind`: logits of which the softmax is its
#: probabilities. There are none of labels.
TO_LOGITS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"logits": _same, "probabilities": _logarithms}
)

#: By what a model says: probabilities, `[0, 1]`. A label is certain.
TO_PROBABILITIES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"logits": _softmax, "probabilities": _same, "labels": _same}
)
