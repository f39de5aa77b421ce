"""From the name of weights to their file."""

import difflib
from pathlib import Path

import keras

from keras_deeplab.weights.download import Progress, Trusted, fetch
from keras_deeplab.weights.manifest import manifest
from keras_deeplab.weights.weights_row import WeightsRow


def fetch_weights(
    name: str, *, progress: Progress | None = None, trusted: Trusted | None = None
) -> Path:
    """Brings the file of weights into the cache, unless it is there, and checks it.

    Args:
        name: A name of the manifest.
        progress: Called with the file's name, the bytes that have come, and all there
            are or `None`. Without it a progress bar of Keras is shown.
        trusted: Called with the file's name and SHA-256 where no digest is published
            and this first one is trusted. Without it a `UserWarning` says so.

    Returns:
        The file.

    Raises:
        ValueError: If there are no weights of that name.
        DownloadError: If the file cannot be had, or is not the one it should be.
    """
    return fetch_row(find_row(name), progress=progress, trusted=trusted)


def find_row(name: str) -> WeightsRow:
    """Looks weights up by name.

    Args:
        name: A name of the manifest.

    Returns:
        The row.

    Raises:
        ValueError: If there is none; the message names the nearest.
    """
    rows = manifest()
    if name not in rows:
        raise ValueError(
            f"`name` must be one of: {', '.join(rows)}.{nearest_names(name)} "
            f"Received: name={name!r}"
        )
    return rows[name]


def nearest_names(name: str) -> str:
    """Says which names of the manifest are almost this one: a sentence or nothing."""
    near = difflib.get_close_matches(str(name), manifest(), n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def fetch_row(
    row: WeightsRow,
    *,
    progress: Progress | None = None,
    trusted: Trusted | None = None,
) -> Path:
    """Does what `fetch_weights` does, for a row."""
    if row.asset is not None:
        return row.asset
    return fetch(row.remote, progress=progress or _bar(), trusted=trusted)


def _bar() -> Progress:
    bar: keras.utils.Progbar | None = None

    def show(name: str, done: int, total: int | None) -> None:
        nonlocal bar
        if bar is None:
            bar = keras.utils.Progbar(total, unit_name=f"byte of {name}")
        bar.update(done, finalize=done == total)

    return show
