"""Fractions: how they are made, and how they are shown."""

import math
from typing import Any

import numpy as np


def ratio(part: Any, whole: Any) -> Any:
    """Divides counts; nothing of nothing is NaN, without a warning."""
    with np.errstate(invalid="ignore"):
        return np.true_divide(part, whole)


def percent(value: float | None) -> str:
    """Returns a fraction in percent, or a dash if there is none."""
    return "-" if value is None or math.isnan(value) else f"{100 * value:.2f}"
