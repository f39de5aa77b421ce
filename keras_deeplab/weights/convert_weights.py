"""From trained weights of any format to the files of Keras."""

import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import keras

from keras_deeplab._atomic_file import part_beside
from keras_deeplab.weights.half_floats import store_half_floats
from keras_deeplab.weights.keras_archive import WEIGHTS
from keras_deeplab.weights.load import load_and_account
from keras_deeplab.weights.load_file import Loaded


def _save_weights(model: keras.Model, path: Path) -> None:
    # HDF5 that cannot write to a disk crashes the process later, so it writes to the
    # memory, as in a `.keras` file, of which this is a member.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.name) as folder:
        whole = Path(folder) / "model.keras"
        model.save(whole)
        with zipfile.ZipFile(whole) as archive:
            path.write_bytes(archive.read(WEIGHTS))


_SAVERS: Mapping[str, Callable[[keras.Model, Path], None]] = MappingProxyType(
    {
        ".keras": lambda model, path: model.save(path),
        ".weights.h5": _save_weights,
    }
)


def convert_weights(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    float16: bool = False,
) -> Loaded:
    """Loads a trained model and saves it in a format of Keras.

    Args:
        source: A name or a file; see `load_model`.
        out: File to write, whole or not at all, over one that may be there: `.keras`,
            which `load_model` reads and which needs no arguments, or `.weights.h5`, for
            the argument `weights` of the same model.
        float16: Whether to store the numbers in half the bytes, rounded to 11 bits, or
            to multiples of 6e-8. They are float32 again when loaded.

    Returns:
        The model, and what became of the variables of the source.

    Raises:
        ValueError: If `out` has another ending or no folder, before anything is
            loaded; if `source` holds no model that this package knows; or if a number
            is too large for float16.
        DownloadError: If weights cannot be downloaded, or are not what they should be.
        OSError: If `out` cannot be written.
    """
    path = Path(out)
    save = _find_saver(path)
    model, summary = load_and_account(source)
    with part_beside(path) as part:
        save(model, part)
        if float16:
            store_half_floats(part)
    return model, summary


def _find_saver(path: Path) -> Callable[[keras.Model, Path], None]:
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(
            f"`out` must be a file in a folder that exists. Received: out={str(path)!r}"
        )
    for ending, save in _SAVERS.items():
        if path.name.endswith(ending):
            return save
    raise ValueError(
        f"`out` must end in {' or '.join(_SAVERS)}. Received: out={str(path)!r}"
    )
