"""The folder that downloads are kept in, and what was trusted there first."""

import json
import os
import re
from pathlib import Path

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.weights.download_error import DownloadError

HOME_VARIABLE = "KERAS_DEEPLAB_HOME"


def cache_folder(*, make: bool = True) -> Path:
    """Finds the folder that downloads are kept in, and makes it if need be.

    It is `KERAS_DEEPLAB_HOME`; without that, `keras_deeplab` in Keras's own folder,
    which is `KERAS_HOME` or `~/.keras`.

    Args:
        make: Whether to make it.

    Returns:
        The folder, as an absolute path.

    Raises:
        DownloadError: If it is no folder and cannot be made one.
    """
    configured = _configured_folder()
    try:
        folder = configured.expanduser().absolute()
        if make:
            folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise unusable_cache(configured, error) from error
    return folder


def unusable_cache(folder: Path, error: Exception) -> DownloadError:
    """Says what to do about a cache folder that cannot be used.

    Args:
        folder: The folder.
        error: What came of using it.

    Returns:
        The error to raise.
    """
    return DownloadError(
        f"The cache folder cannot be used ({error}). Set {HOME_VARIABLE} to a folder "
        f"that you can write to. Received: folder={str(folder)!r}"
    )


def pin_path(path: Path) -> Path:
    """Names the file that holds the digest trusted on first use.

    Args:
        path: The file in the cache.

    Returns:
        The path of its pin, beside it.
    """
    return path.with_name(f".{path.name}.pin.json")


def read_pin(path: Path) -> str | None:
    """Reads the SHA-256 that a file had when it was first trusted.

    Args:
        path: The file in the cache.

    Returns:
        The digest, or `None` if none was trusted yet.

    Raises:
        DownloadError: If the pin is damaged: nothing is trusted anew unasked.
    """
    pin = pin_path(path)
    try:
        digest = json.loads(pin.read_bytes())["sha256"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise _damaged(pin, repr(error)) from error
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise _damaged(pin, f"sha256={digest!r}")
    return digest


def write_pin(path: Path, digest: str) -> None:
    """Keeps the SHA-256 of a file that is trusted from now on.

    Args:
        path: The file in the cache.
        digest: Its SHA-256 in hexadecimal.

    Raises:
        OSError: If the pin cannot be written.
    """
    text = json.dumps({"file": path.name, "sha256": digest}, indent=2)
    write_atomically(pin_path(path), lambda file: file.write(f"{text}\n".encode()))


def how_to_trust_anew(path: Path) -> str:
    """Says what to do where a file was trusted on first use that is the wrong one.

    Args:
        path: The file in the cache.

    Returns:
        A sentence, without its full stop, for the end of an error's text.
    """
    return f"Delete {path} and {pin_path(path)} to trust the next download"


def _configured_folder() -> Path:
    if home := os.environ.get(HOME_VARIABLE):
        return Path(home)
    return Path(os.environ.get("KERAS_HOME") or "~/.keras") / "keras_deeplab"


def _damaged(pin: Path, reason: str) -> DownloadError:
    return DownloadError(
        "The digest that was trusted on first use cannot be read. Delete its file to "
        f"trust the next download. Received: file={str(pin)!r}, reason={reason}"
    )
