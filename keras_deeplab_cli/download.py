"""How the commands download weights."""

from pathlib import Path

from keras_deeplab_cli.output import complain, download_bar


def download(name: str) -> Path:
    """Brings the file of weights into the cache and shows how far it is.

    A SHA-256 that is trusted and pinned because none is published is shown as well.

    Args:
        name: A name of the manifest.

    Returns:
        The file.

    Raises:
        DownloadError: If the file cannot be had, or is not the one it should be.
    """
    from keras_deeplab.weights import fetch_weights

    pinned = []
    with download_bar() as report:
        path = fetch_weights(
            name,
            progress=lambda file, done, total: report(
                f"downloading {file}", done, total
            ),
            trusted=lambda file, digest: pinned.append((file, digest)),
        )
    for file, digest in pinned:
        complain(
            f"No digest of {file} is published. This one is trusted from now on, by "
            f"its SHA-256: {digest}"
        )
    return path


def download_model(source: str) -> None:
    """Does what `download` does, if the source is the name of a model.

    Not of a backbone alone: that is no source of a model, so nothing is downloaded.

    Args:
        source: A name of the manifest, or a file.

    Raises:
        DownloadError: If the file cannot be had, or is not the one it should be.
    """
    from keras_deeplab.weights import manifest

    row = manifest().get(source)
    if row is not None and row.model is not None:
        download(source)
