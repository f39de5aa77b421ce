"""Takes the lock of a file, says so, and holds it: `lock_worker.py PATH`."""

import sys
import time


def main(path: str) -> None:
    from light_import import import_lightly

    import_lightly()
    from keras_deeplab._file_lock import lock_file

    with lock_file(path):
        sys.stdout.write("held\n")
        sys.stdout.flush()
        time.sleep(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
