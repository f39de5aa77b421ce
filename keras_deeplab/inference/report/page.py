"""The report of an evaluation: one HTML file that needs no other."""

import os
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element, tostring

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.evaluation import Evaluation
from keras_deeplab.inference.report.headline import headline
from keras_deeplab.inference.report.markup import add, tag
from keras_deeplab.inference.report.sections import (
    bars_section,
    calibration_section,
    confusion_section,
    trimap_section,
    worst_section,
)
from keras_deeplab.inference.report.style import STYLE

Section = Callable[[Evaluation, SegmentationData], Iterator[Element]]

# What follows the numbers, in order, by its title. A section that has nothing to show
# is left out.
_SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "IoU of each class": bars_section,
        "Confusion matrix": confusion_section,
        "Along boundaries": trimap_section,
        "Calibration": calibration_section,
        "Worst photos": worst_section,
    }
)


def write_report(
    path: str | os.PathLike[str],
    evaluation: Evaluation,
    data: SegmentationData,
    *,
    title: str = "Evaluation",
    facts: Mapping[str, str] | None = None,
    command: str | None = None,
) -> None:
    """Writes an evaluation as a page, whole or not at all.

    The page holds its style, its drawings and the worst photos; it loads nothing.

    Args:
        path: The file, `.html`; its folder must exist.
        evaluation: What was measured.
        data: On what: names of the classes, and the files of the worst photos.
        title: Title of the page.
        facts: What else is to stand in its table, by name: the weights, the protocol.
        command: The command that leads to the same page.

    Raises:
        OSError: If the file cannot be written, or a photo is no longer there.
        ValueError: If a photo can no longer be read.
    """
    body = tag("body", tag("h1", title))
    for part in headline(evaluation, data, facts or {}):
        add(body, part)
    for name, section in _SECTIONS.items():
        parts = list(section(evaluation, data))
        if parts:
            add(body, tag("section", tag("h2", name), *parts))
    if command is not None:
        add(body, tag("section", tag("h2", "The same again"), tag("pre", command)))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", STYLE),
    )
    text = tostring(tag("html", head, body, lang="en"), "unicode", method="html")
    content = f"<!doctype html>\n{text}\n".encode("utf-8", "replace")
    write_atomically(path, lambda file: file.write(content))
