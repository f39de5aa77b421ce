"""The state of a training, written so that a kill at any time loses one epoch."""

import json
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab._atomic_file import write_atomically

_FACTS = "facts"
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a training after an epoch.

    Args:
        path: The file.
        epoch: Number of epochs that are done.
        arrays: Values of all variables.
        facts: What else is to be known, of types that JSON has.
    """

    path: Path
    epoch: int
    arrays: tuple[np.ndarray[Any, Any], ...]
    facts: Mapping[str, Any]


class Checkpoints:
    """The newest states of a training in a folder.

    A file appears under its name when it is complete. It is a zip archive, whose
    checksums tell if it was damaged later.

    Args:
        folder: Where the files are; made on the first `save`.
        keep: Number of files to keep, at least 1.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder = folder
        self.keep = keep

    def save(
        self,
        epoch: int,
        arrays: Sequence[np.ndarray[Any, Any]],
        facts: Mapping[str, Any],
    ) -> Path:
        """Writes the state after an epoch, and removes those too many.

        Args:
            epoch: Number of epochs that are done.
            arrays: Values of all variables, always in the same order.
            facts: What else is to be known, of types that JSON has.

        Returns:
            The file.

        Raises:
            OSError: If it cannot be written; those before it stay.
        """
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"epoch-{epoch:05}.npz"
        content = {f"{index:05}": array for index, array in enumerate(arrays)}
        text = json.dumps(dict(facts)).encode()
        content[_FACTS] = np.frombuffer(text, "uint8")
        write_atomically(path, lambda file: np.savez(file, **content))  # type: ignore[arg-type]
        for old in self._paths()[: -self.keep]:
            old.unlink()
        return path

    def newest(self) -> Checkpoint | None:
        """Reads the newest file that is whole.

        Returns:
            The state, or `None` where there is none. Of every damaged file that is
            passed over a warning tells.
        """
        for path in reversed(self._paths()):
            try:
                return _read(path)
            except _DAMAGE as error:
                warnings.warn(
                    f"{path} is damaged and is passed over: {error}", stacklevel=2
                )
        return None

    def newest_path(self) -> Path | None:
        """The newest file, unread, or `None`."""
        return next(reversed(self._paths()), None)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.npz"))


def _read(path: Path) -> Checkpoint:
    # Opened here, because NumPy leaves open what it cannot read.
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
        facts = json.loads(content[_FACTS].tobytes())
        names = sorted(set(content.files) - {_FACTS})
        arrays = tuple(content[name] for name in names)
    epoch = int(path.stem.removeprefix("epoch-"))
    return Checkpoint(path=path, epoch=epoch, arrays=arrays, facts=facts)
