"""What an audit found."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from keras_deeplab.data.fault import BROKEN, FAULTS
from keras_deeplab.data.sample_error import SampleError


@dataclass(frozen=True)
class Finding:
    """A fault, and where it was found.

    Args:
        fault: A key of `FAULTS`.
        details: What was found: a sentence for each file, or one for all the data.
        files: The files, in the order of the details; empty if it is all the data.
    """

    fault: str
    details: tuple[str, ...]
    files: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """`"broken"` or `"suspicious"`."""
        return FAULTS[self.fault].severity

    @property
    def broken(self) -> bool:
        """Whether the data cannot be trained on."""
        return self.severity == BROKEN

    @property
    def title(self) -> str:
        """What is wrong, in a few words."""
        return FAULTS[self.fault].title

    @property
    def mend(self) -> str:
        """What to do, one sentence."""
        return FAULTS[self.fault].mend

    def __str__(self) -> str:
        return f"{self.details[0]}. {self.mend}"

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON takes it."""
        return {
            "fault": self.fault,
            "severity": self.severity,
            "title": self.title,
            "mend": self.mend,
            "details": list(self.details),
            "files": list(self.files),
        }


def grouped(errors: Iterable[SampleError]) -> list[Finding]:
    """Makes one finding of all files that have the same fault.

    Args:
        errors: What was wrong, file by file.

    Returns:
        The findings, in the order of `FAULTS`.
    """
    found: dict[str, list[SampleError]] = {}
    for error in errors:
        found.setdefault(error.fault, []).append(error)
    return [
        Finding(
            fault,
            tuple(f"{error.path} {error.detail}" for error in found[fault]),
            tuple(str(error.path) for error in found[fault]),
        )
        for fault in FAULTS
        if fault in found
    ]
