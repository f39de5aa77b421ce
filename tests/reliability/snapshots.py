"""What a kill would leave at every moment at which it makes a difference."""

import os
import pathlib
import shutil
from collections.abc import Iterator

import pytest


class Snapshots:
    """Copies of a folder, taken around everything that changes its files' names.

    What a process has written is on the disk when it is killed, so a copy taken at a
    moment is what a kill at that moment leaves. A third copy, of which the hidden files
    are cut in half, is that of a kill in the middle of writing.

    Args:
        folder: The folder that something writes to.
        shots: Where the copies go.
    """

    def __init__(self, folder: pathlib.Path, shots: pathlib.Path) -> None:
        self._folder, self._shots = folder, shots
        self._replace = os.replace
        shots.mkdir()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(os, "replace", self.replace)

    def replace(self, source: pathlib.Path, target: pathlib.Path) -> None:
        self._copy()
        halve(self._copy())
        self._replace(source, target)
        self._copy()

    def __iter__(self) -> Iterator[pathlib.Path]:
        return iter(sorted(self._shots.iterdir()))

    def __len__(self) -> int:
        return len(list(self._shots.iterdir()))

    def _copy(self) -> pathlib.Path:
        shot = self._shots / f"{len(self):03}"
        shutil.copytree(self._folder, shot)
        return shot


def halve(shot: pathlib.Path) -> None:
    """Cuts what is still being written."""
    for path in shot.rglob("*"):
        if path.is_file() and ".part." in str(path.relative_to(shot)):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def seen(shot: pathlib.Path) -> dict[str, bytes]:
    """The files under their own names: none that is hidden, or in a hidden folder."""
    names = {path: path.relative_to(shot) for path in sorted(shot.rglob("*"))}
    return {
        str(name): path.read_bytes()
        for path, name in names.items()
        if path.is_file() and not any(part.startswith(".") for part in name.parts)
    }
