"""What is wrong with photos and masks, before the first step of training."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from keras_deeplab._types import Progress
from keras_deeplab.data.class_statistics import ClassStatistics
from keras_deeplab.data.diagnosis import diagnose
from keras_deeplab.data.file_scan import FileScan, scan_pair
from keras_deeplab.data.finding import Finding, grouped
from keras_deeplab.data.load_folder import survey_folder
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.data.survey import Survey
from keras_deeplab.layers import arguments


@dataclass(frozen=True)
class Audit:
    """What is wrong with photos and masks, and how often their classes occur.

    Args:
        data: The pairs that were looked at.
        findings: What is wrong, first what is broken; empty if the data are clean.
        statistics: Pixels of the classes, and suggested weights.
    """

    data: SegmentationData
    findings: tuple[Finding, ...]
    statistics: ClassStatistics

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The findings for which training refuses the data."""
        return tuple(finding for finding in self.findings if finding.broken)

    def as_dict(self) -> dict[str, Any]:
        """The audit as JSON takes it."""
        found = self.statistics
        columns = zip(
            self.data.class_names,
            found.pixels,
            found.images,
            found.frequency,
            found.median_weights,
            found.sqrt_weights,
            strict=True,
        )
        keys = "name", "pixels", "images", "frequency", "median_weight", "sqrt_weight"
        return {
            "pairs": len(self.data),
            "broken": bool(self.broken),
            "findings": [finding.as_dict() for finding in self.findings],
            "ignore_label": self.data.ignore_label,
            "ignored_share": found.ignored_share,
            "classes": [dict(zip(keys, row, strict=True)) for row in columns],
        }


def audit(
    data: SegmentationData | Survey | str | os.PathLike[str],
    *,
    classes: str | os.PathLike[str] | Sequence[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Looks for everything that would spoil a training, in every file.

    Files that training would refuse are found by the same checks and told in the same
    words. `FAULTS` lists what is looked for.

    Args:
        data: Photos with masks, or a folder of `images` and `masks` as `load_folder`
            takes it, in which files may also lack a partner.
        classes: For a folder, the names of the classes or a file of them.
        threads: Files read at a time; by default one a core, and at most 16.
        progress: Called with the task's name, the pairs done and their number.

    Returns:
        What was found.

    Raises:
        OSError: If a file of classes cannot be read.
        ValueError: If a folder is not one of photos and masks, or `threads` is below 1.
    """
    if isinstance(data, str | os.PathLike):
        data = survey_folder(data, classes=classes)
    survey = data if isinstance(data, Survey) else Survey(data)
    if threads is None:
        threads = min(16, os.cpu_count() or 1)
    scans = _scans(survey.data, arguments.positive(threads=threads), progress)
    statistics = ClassStatistics.of([scan.pixels for scan in scans])
    stored = frozenset().union(*(scan.stored for scan in scans))
    errors = [error for scan in scans for error in scan.errors]
    findings = [
        *grouped([*survey.problems, *errors]),
        *diagnose(survey.data, stored, statistics),
    ]
    findings.sort(key=lambda finding: not finding.broken)
    return Audit(survey.data, tuple(findings), statistics)


def _scans(
    data: SegmentationData, threads: int, progress: Progress | None
) -> list[FileScan]:
    found = []
    # Decoding leaves Python's lock to others.
    with ThreadPoolExecutor(threads) as pool:
        for scan in pool.map(partial(scan_pair, table=data.table), data.pairs):
            found.append(scan)
            if progress is not None:
                progress("auditing", len(found), len(data))
    return found
