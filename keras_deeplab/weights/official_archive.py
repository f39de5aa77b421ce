"""Archives in which the official models are published."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from keras_deeplab.weights.archive import extract


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpacks an archive for as long as the context lasts.

    Args:
        path: The archive.

    Yields:
        What `find_official` finds in it.

    Raises:
        DownloadError: If the archive is damaged or is not to be trusted.
        ValueError: See `find_official`.
    """
    # Unpacked anew each time: what a digest vouches for is the archive.
    with tempfile.TemporaryDirectory(prefix="keras_deeplab-") as folder:
        yield find_official(extract(path, Path(folder) / "files"))


def find_official(files: Sequence[Path]) -> Path:
    """Finds the one checkpoint of an official archive, or else its frozen graph.

    Args:
        files: What the archive holds.

    Returns:
        The prefix of the checkpoint, or the graph.

    Raises:
        ValueError: If there is neither, or there are several.
    """
    # macOS adds files of attributes, whose names start with a dot.
    shown = [path for path in files if not path.name.startswith(".")]
    checkpoints = [path.with_suffix("") for path in shown if path.suffix == ".index"]
    graphs = [path for path in shown if path.suffix == ".pb"]
    found = checkpoints or graphs
    if len(found) != 1:
        raise ValueError(
            "The archive must hold one TensorFlow 1 checkpoint or one frozen graph. "
            f"Received: files={[path.name for path in files]}"
        )
    return found[0]
