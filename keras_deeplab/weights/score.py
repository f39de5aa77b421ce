"""A score and all that is needed to understand it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Score:
    """How good weights are, and who says so.

    Args:
        metric: What was measured, for example `"mIoU"`.
        value: Its value, in percent.
        data: What it was measured on.
        protocol: Output stride, scales and flips.
        source: Address of whoever states it; `None` for our own.
        command: The command that gives it; `None` for others' own.
    """

    metric: str
    value: float
    data: str
    protocol: str
    source: str | None = None
    command: str | None = None
