"""Reads the manifest of weights, the single source of what can be had by name."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from keras_deeplab.backbones import canonical_name
from keras_deeplab.weights.manifest_fields import ROW_FIELDS, checked
from keras_deeplab.weights.weights_row import WeightsRow

MANIFEST = "weights_manifest.json"
SCHEMA = 1

# The manifest has some 50 kB.
_MOST_BYTES = 1 << 24


@functools.cache
def manifest() -> Mapping[str, WeightsRow]:
    """The manifest that comes with the package.

    Returns:
        Rows by name, in the order of the file.
    """
    here = Path(__file__).parent
    # In a clone it stands at the top of the repository.
    places = (here / MANIFEST, here.parents[1] / MANIFEST)
    return read_manifest(next(path for path in places if path.is_file()))


def read_manifest(path: Path) -> Mapping[str, WeightsRow]:
    """Reads a manifest and checks every field of it.

    Args:
        path: The file; `weights_manifest.schema.json` describes it.

    Returns:
        Rows by name, in the order of the file.

    Raises:
        ValueError: If it is no such manifest; the message names row and field.
    """
    try:
        return _rows(_content(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"`path` is not a manifest of weights: {error or repr(error)}. "
            f"Received: path={str(path)!r}"
        ) from error


def _content(path: Path) -> Any:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    content = json.loads(path.read_bytes(), object_pairs_hook=_without_doubles)
    known = isinstance(content, dict) and content.keys() == {
        "$schema",
        "schema",
        "weights",
    }
    if not known or content["schema"] != SCHEMA:
        raise ValueError(
            f"it must hold `$schema`, `schema`, which is {SCHEMA}, and `weights`"
        )
    return content["weights"]


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a field is there twice among {', '.join(found)}")
    return found


def _rows(content: Any) -> Mapping[str, WeightsRow]:
    if not isinstance(content, list):
        raise ValueError("`weights` must be a list")
    rows: dict[str, WeightsRow] = {}
    for number, fields in enumerate(content, start=1):
        try:
            row = WeightsRow(**checked(fields, ROW_FIELDS))
            _check_whole(row)
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from error
        if row.name in rows:
            raise ValueError(f"row {number}: there are two of `name` {row.name!r}")
        rows[row.name] = row
    return MappingProxyType(rows)


def _check_whole(row: WeightsRow) -> None:
    # Builds what a download needs, which checks file, urls, bytes and digest.
    row.remote  # noqa: B018
    if not isinstance(row.arguments.get("backbone"), str):
        raise ValueError("`arguments` must name the `backbone`")
    canonical_name(row.backbone)
    if (row.model is None) != (row.class_names is None):
        raise ValueError("`class_names` must be there for a model, and only then")
    if (row.model is None) != (row.output_stride is None):
        raise ValueError("`output_stride` must be there for a model, and only then")
