"""The folder of a training: what is in it, and whether it may be used."""

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from keras_deeplab._atomic_file import part_beside, write_atomically
from keras_deeplab._file_lock import lock_file, lock_of
from keras_deeplab.training.checkpoints import Checkpoints
from keras_deeplab.training.recipe import Recipe


class RunFolder:
    """The files of a training. Each is there whole or not at all.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = Checkpoints(path / "checkpoints")
        self.best = path / "best.keras"
        self.last = path / "last.keras"
        self.tensorboard = path / "tensorboard"
        self._recipe = path / "recipe.json"
        self._seen = self.checkpoints.newest_path()

    def check(self, recipe: Recipe, *, resume: bool) -> None:
        """Checks that a training may be written here, and changes nothing.

        Args:
            recipe: The training's recipe.
            resume: Whether a training may already be there.

        Raises:
            ValueError: If the folder is not empty and `resume` is not set, or the
                training in it is another one.
        """
        found = self._has_files()
        if found and not resume:
            raise ValueError(
                "`out` must be a new or an empty folder, unless a training in it is to "
                f"go on: `resume`. Received: out={self.path}"
            )
        if found:
            self._check_same(recipe)

    @contextlib.contextmanager
    def begin(self, recipe: Recipe, *, resume: bool) -> Iterator[None]:
        """Makes the folder, if need be, writes the recipe, and keeps others off.

        Args:
            recipe: The training's recipe.
            resume: Whether a training may already be there.

        Yields:
            Nothing; other processes are kept off until the block ends.

        Raises:
            ValueError: If `check` would raise it now.
            BlockingIOError: If another process trains in the folder, or did since
                this object was made.
            OSError: If the folder cannot be made or written to, or lies on a disk that
                knows no locks.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with lock_file(self._recipe, wait=False):
            self.check(recipe, resume=resume)
            if self._seen != self.checkpoints.newest_path():
                raise BlockingIOError(
                    "Another process trained in the folder meanwhile: start again. "
                    f"Received: out={self.path}"
                )
            # Left over from a training that was killed while it wrote.
            for part in self.path.rglob(".*.part.*"):
                part.unlink()
            self.write_json(self._recipe.name, recipe.as_data())
            yield

    def _has_files(self) -> bool:
        lock = lock_of(self._recipe)
        return self.path.exists() and any(each != lock for each in self.path.iterdir())

    def _check_same(self, recipe: Recipe) -> None:
        path = self._recipe
        if not path.is_file():
            raise ValueError(
                "`out` has no training that could go on: no recipe.json. "
                f"Received: out={self.path}"
            )
        old, new = _read_recipe(path), recipe.as_data()
        changed = [name for name in new if old.get(name) != new[name]]
        if changed or old.keys() != new.keys():
            raise ValueError(
                "A training goes on with its own recipe, or the weights would be those "
                f"of neither. Received: another {', '.join(changed) or 'recipe'} than "
                f"in {path}"
            )

    def write_json(self, name: str, data: Any) -> None:
        """Writes a JSON file."""
        text = json.dumps(data, indent=2, allow_nan=False) + "\n"
        self.write(name, lambda file: file.write(text.encode()))

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes `history.csv`, whose columns are those of the longest row."""
        columns = max(rows, key=len, default={})
        text = io.StringIO()
        writer = csv.DictWriter(text, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue().encode()
        self.write("history.csv", lambda file: file.write(content))

    def write(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Writes any file."""
        write_atomically(self.path / name, write)

    @staticmethod
    def write_model(path: Path, model: Any) -> None:
        """Writes a model as a `.keras` file."""
        with part_beside(path) as part:
            model.save(part)


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"A recipe must be JSON ({error}). Received: {path}"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(f"A recipe must be a JSON object. Received: {path}")
    return found
