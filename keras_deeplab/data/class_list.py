"""Files that name classes."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# `11 Traffic light 128 0 0`: a label, a name, and perhaps a colour.
_NUMBERED = re.compile(r"(\d+)[\s,]+(.*?)(?:[\s,]+\d+[\s,]+\d+[\s,]+\d+)?")

# What the files call the label that is no class.
_VOID = {"void", "ignore", "unlabelled", "unlabeled"}


@dataclass(frozen=True)
class ClassList:
    """The classes that a file names.

    Args:
        names: A name for each class, in the order of the labels.
        ignore_label: Label of the pixels that neither train nor count, or `None`.
        label_map: Label of each value stored in the masks, or `None` where a value is
            its own label.
    """

    names: tuple[str, ...]
    ignore_label: int | None = 255
    label_map: Mapping[int, int] | None = None


def read_class_list(path: str | os.PathLike[str]) -> ClassList:
    """Reads the names of classes.

    A text file has one name a line; or one label and its name, perhaps followed by
    three numbers of a colour, where a label named void is ignored. A JSON file has a
    list of names, or an object with `names` and perhaps `ignore_label` and
    `label_map`, which gives the label of each value stored in the masks.

    Args:
        path: The file; one that ends in `.json` is JSON.

    Returns:
        The classes.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it has another form. The message names it.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _from_json(text) if path.suffix == ".json" else _from_lines(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            "A file of classes must be JSON, a list of names or an object with "
            '"names", "ignore_label" and "label_map"; or text, one name a line, '
            f"perhaps after its label. {error}. Received: {path}"
        ) from error


def _from_json(text: str) -> ClassList:
    found: Any = json.loads(text)
    if isinstance(found, list):
        found = {"names": found}
    unknown = found.keys() - {"names", "ignore_label", "label_map"}
    if unknown:
        raise ValueError(f"Unknown: {', '.join(sorted(unknown))}")
    label_map = found.get("label_map")
    if label_map is not None:
        # The keys of JSON are strings.
        label_map = {int(stored): label for stored, label in label_map.items()}
    names = _checked(found.get("names", ()))
    return ClassList(names, found.get("ignore_label", 255), label_map)


def _from_lines(text: str) -> ClassList:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = [_NUMBERED.fullmatch(line) for line in lines]
    if not all(rows):
        return ClassList(_checked(lines))
    names = {int(row[1]): row[2] for row in rows if row}
    void = {label for label, name in names.items() if name.lower() in _VOID}
    labels = sorted(names.keys() - void)
    if labels != list(range(len(labels))) or len(names) < len(lines):
        raise ValueError(f"Labels must be 0, 1, 2 and so on, but are {labels}")
    label_map = dict.fromkeys(void, 255) | {label: label for label in labels}
    return ClassList(
        _checked([names[label] for label in labels]),
        label_map=label_map if void - {255} else None,
    )


def _checked(names: Any) -> tuple[str, ...]:
    strings = isinstance(names, list) and all(isinstance(one, str) for one in names)
    if not strings or not names:
        raise ValueError("There are no names")
    return tuple(names)
