"""Fetches a file in a process of its own: `fetch_worker.py NAME URL BYTES SHA256`."""

import sys


def main(name: str, url: str, size: str, digest: str) -> None:
    from light_import import import_lightly

    import_lightly()
    from keras_deeplab.weights.download import fetch
    from keras_deeplab.weights.remote_file import RemoteFile

    stated = {"bytes": int(size), "digest": digest, "algorithm": "sha256"}
    path = fetch(RemoteFile(name=name, urls=(url,), **stated))
    sys.stdout.write(f"{path} {'keras' in sys.modules}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
