"""Learning rates and weight decay that differ by variable."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.models.copy_weights import CLASSIFIER

#: What the official code of each network leaves without weight decay.
UNDECAYED = (r"(^|/)(bias|gamma|beta)$", r"(^|/)depthwise/kernel$")


def classifier_multipliers(
    kernel: float = 10.0, bias: float = 20.0
) -> dict[str, float]:
    """The multipliers of a classifier that starts anew on a trained network.

    Args:
        kernel: For the kernels of the layers to logits; 10 in V1 and V2.
        bias: For their biases; 20 in V1 and V2.

    Returns:
        Multipliers for `LayerwiseSGD` or `LayerwiseAdamW`.

    Examples:
        >>> keras_deeplab.training.LayerwiseSGD(
        ...     2.5e-4, multipliers=keras_deeplab.training.classifier_multipliers()
        ... ).momentum
        0.9
    """
    return {f"{CLASSIFIER}kernel$": kernel, f"{CLASSIFIER}bias$": bias}


class Layerwise:
    """Mixin: a Keras optimizer whose settings differ by variable.

    Put it before the optimizer among the bases, and apply in `update_step` what
    `rate_and_decay` returns. Variables are found by their paths, so that the settings
    are plain data and a saved or resumed optimizer finds the same variables.

    Args:
        learning_rate: A number or a schedule.
        multipliers: Factors of the learning rate by pattern (`re.search`) of a
            variable's path, such as `logits/kernel`; the first that matches counts,
            and 1 where none does.
        weight_decay: Strength of the decay, at least 0.
        undecayed: Patterns of the paths that do not decay.
        **kwargs: Arguments of the optimizer.

    Raises:
        ValueError: If a number is out of range, a pattern is not a regular expression,
            or, when the optimizer meets the model, a multiplier matches no variable.
    """

    def __init__(
        self,
        learning_rate: Any,
        *,
        multipliers: Mapping[str, float] | None = None,
        weight_decay: float = 0.0,
        undecayed: Sequence[str] = UNDECAYED,
        **kwargs: Any,
    ) -> None:
        rules = {
            _checked_pattern("multipliers", pattern): arguments.not_negative(
                multipliers=multiplier
            )
            for pattern, multiplier in (multipliers or {}).items()
        }
        decay = arguments.not_negative(weight_decay=weight_decay)
        patterns = [_checked_pattern("undecayed", pattern) for pattern in undecayed]
        # Keras's own decay is left off: it knows no multipliers.
        super().__init__(learning_rate, **kwargs)  # type: ignore[call-arg]
        self._rules = _Rules(rules, decay, patterns)

    def build(self, variables: Sequence[Any]) -> None:
        self._rules.settle([variable.path for variable in variables])
        super().build(variables)  # type: ignore[misc]

    def rate_and_decay(
        self, variable: Any, learning_rate: Tensor
    ) -> tuple[Tensor, float]:
        """The learning rate of a variable, and its decay (0 for none)."""
        index = self._get_variable_index(variable)  # type: ignore[attr-defined]
        multiplier, decay = self._rules.settings[index]
        if multiplier != 1:
            learning_rate = ops.multiply(learning_rate, multiplier)
        return learning_rate, decay

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),  # type: ignore[misc]
            "multipliers": dict(self._rules.multipliers),
            "weight_decay": self._rules.decay,
            "undecayed": list(self._rules.undecayed),
        }


class _Rules:
    """Plain data, in an object of its own so that no backend tracks it."""

    def __init__(
        self, multipliers: dict[str, float], decay: float, undecayed: list[str]
    ) -> None:
        self.multipliers = multipliers
        self.decay = decay
        self.undecayed = undecayed
        self.settings: list[tuple[float, float]] = []

    def settle(self, paths: Sequence[str]) -> None:
        """Finds the settings of each variable."""
        for pattern in self.multipliers:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    "Every pattern in `multipliers` must match the path of a trainable "
                    f"variable, such as {', '.join(paths[-2:])}. "
                    f"Received: multipliers with the pattern {pattern!r}"
                )
        self.settings = [(self._multiplier(path), self._decay(path)) for path in paths]

    def _multiplier(self, path: str) -> float:
        found = (
            factor
            for pattern, factor in self.multipliers.items()
            if re.search(pattern, path)
        )
        return next(found, 1.0)

    def _decay(self, path: str) -> float:
        spared = any(re.search(pattern, path) for pattern in self.undecayed)
        return 0.0 if spared else self.decay


def _checked_pattern(name: str, pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"`{name}` must hold regular expressions: {error}. "
            f"Received: {name} with {pattern!r}"
        ) from error
    return pattern
