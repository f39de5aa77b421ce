"""What this machine has of the weights that are known by name."""

from dataclasses import dataclass
from pathlib import Path

from keras_deeplab.weights.cache import cache_folder, pin_path
from keras_deeplab.weights.verify import find_fault
from keras_deeplab.weights.weights_row import WeightsRow


@dataclass(frozen=True, kw_only=True)
class LocalWeights:
    """Where the file of weights is, or would be.

    Args:
        path: The file, in the cache or in the package.
        there: Whether it is there.
        checked_by: What tells whether it is the one it should be: the algorithm of the
            published digest, `"pin"` for a SHA-256 that was trusted on first use, or
            `None` as long as there is neither.
    """

    path: Path
    there: bool
    checked_by: str | None


def find_local(row: WeightsRow) -> LocalWeights:
    """Looks for the file of weights, without opening it or making a folder.

    Args:
        row: The weights.

    Returns:
        What is there.

    Raises:
        DownloadError: If the cache folder cannot be told.
    """
    path = row.asset or cache_folder(make=False) / row.file
    pinned = "pin" if pin_path(path).is_file() else None
    return LocalWeights(
        path=path, there=path.is_file(), checked_by=row.algorithm or pinned
    )


def find_local_fault(row: WeightsRow) -> str | None:
    """Checks the file of weights that is there, and changes nothing.

    Args:
        row: The weights.

    Returns:
        What is wrong with the file, or `None`.
    """
    try:
        return find_fault(find_local(row).path, row.remote)
    except OSError as error:
        return f"it cannot be checked: {error}"
