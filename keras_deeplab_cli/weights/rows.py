"""Which weights a command is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_deeplab_cli.output import fail
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.weights import WeightsRow


def all_rows() -> list[WeightsRow]:
    """All weights, in the order of the manifest."""
    with quiet_import():
        from keras_deeplab.weights import manifest
    return list(manifest().values())


def named_rows(names: Iterable[str]) -> list[WeightsRow]:
    """Looks weights up by name, each once, or fails with the nearest names."""
    with quiet_import():
        from keras_deeplab.weights import find_row
    try:
        return [find_row(name) for name in dict.fromkeys(names)]
    except ValueError as error:
        fail(str(error))
