"""From the name of weights to their file."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from keras_deeplab.weights.download import Progress, Trusted, fetch
from keras_deeplab.weights.download_error import DownloadError
from keras_deeplab.weights.manifest import manifest
from keras_deeplab.weights.verify import find_fault
from keras_deeplab.weights.weights_row import WeightsRow

_MEGABYTE = 10**6


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
            "`name` must be one that `keras-deeplab weights list` shows."
            f"{nearest_names(name)} Received: name={name!r}"
        )
    return rows[name]


def nearest_names(name: str) -> str:
    """Says which names may be meant: a sentence or nothing.

    Args:
        name: What is no name of the manifest.

    Returns:
        The names of the weights of that data set, or those that are almost `name`.
    """
    rows = manifest().values()
    of_dataset = [row.name for row in rows if row.dataset == name]
    if of_dataset:
        return f" Of the data set {name} there are {', '.join(of_dataset)}."
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
        return _checked_asset(row, row.asset)
    if progress is not None:
        return fetch(row.remote, progress=progress, trusted=trusted)
    with _bar() as bar:
        return fetch(row.remote, progress=bar, trusted=trusted)


def _checked_asset(row: WeightsRow, path: Path) -> Path:
    try:
        fault = find_fault(path, row.remote)
    except OSError as error:
        fault = str(error)
    if fault is not None:
        raise DownloadError(
            f"The package's own file of {row.name} is not the one it should be: "
            f"{fault}. Install the package again. Received: file={str(path)!r}"
        )
    return path


@contextmanager
def _bar() -> Iterator[Progress]:
    """Shows megabytes, on a line that ends however the download does."""
    bar: keras.utils.Progbar | None = None
    shown = 0

    def show(name: str, done: int, total: int | None) -> None:
        nonlocal bar, shown
        if bar is None:
            target = None if total is None else _megabytes(total)
            bar = keras.utils.Progbar(target, unit_name=f"MB of {name}")
        shown = _megabytes(done)
        bar.update(shown, finalize=False)

    try:
        yield show
    finally:
        if bar is not None:
            bar.update(shown, finalize=True)


def _megabytes(number: int) -> int:
    # Upwards, so that a small file is not nothing.
    return -(-number // _MEGABYTE)
