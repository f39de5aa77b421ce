"""How many images a second the input pipeline makes, beside what decoding allows.

    python benchmarks/data_pipeline.py [FOLDER] [--environments FOLDER]
        [--processor-time]

FOLDER holds `images/` and `masks/` (at most 256 labels); without it, the photos that
the package ships are cut into pairs of the size of PASCAL VOC's. A row is the median
of 5 rounds, which take turns, each row in a process of its own: what one leaves in
memory would slow the next. The limit is TensorFlow's own decoding of the same photos
and masks, in parallel and with nothing after it. With `--environments`, the
DataLoader of PyTorch does the same augmentation beside it, with a process a core, in
the environment that `peers.py` installs there. With `--processor-time`, for a machine
that does other work, seconds are those of the processor, of all threads together, and
the DataLoader works in its own process.
"""

import argparse
import contextlib
import functools
import os
import pathlib
import sys
import tempfile
from typing import Any

import numpy as np
from environments import SMP
from PIL import Image
from process import Worker
from rounds import Timing, print_table, take_turns

from keras_deeplab.data import match_pairs, read_photo, write_labels

CROP = 513
BATCH = 8
AUGMENTED = {"crop_size": CROP, "batch_size": BATCH, "drop_remainder": False}
JITTER = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.05}
# What `workers/batches.py` is to make for each row.
ROWS: dict[str, dict[str, Any]] = {
    "limit: TensorFlow decodes": {"maker": "decode_only"},
    "make_dataset, files as they are": {
        "maker": "dataset",
        "crop_size": None,
        "batch_size": 1,
    },
    "make_dataset, augmented": {"maker": "dataset", "augment": {}, **AUGMENTED},
    "make_dataset, augmented, colours too": {
        "maker": "dataset",
        "augment": JITTER,
        **AUGMENTED,
    },
    "make_dataset, augmented, cached": {
        "maker": "dataset",
        "augment": {},
        "cache": True,
        **AUGMENTED,
    },
    "SegmentationSequence, augmented, one thread": {
        "maker": "sequence",
        "augment": {},
        **AUGMENTED,
    },
}
# Decoding and augmentation run on the processor; a GPU has no part in this.
VARIABLES = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}
ASSETS = pathlib.Path(__file__).parents[1] / "keras_deeplab" / "assets"


def write_pairs(folder: pathlib.Path, count: int = 64) -> None:
    """Cuts the package's photos into JPEG files of 500 x 375 pixels, with masks."""
    rng = np.random.default_rng(0)
    photos = [Image.fromarray(read_photo(path)) for path in ASSETS.glob("*.jpg")]
    photos = [photo.resize((1000, 750)) for photo in photos]
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    for index in range(count):
        left, top = rng.integers(500), rng.integers(375)
        photo = photos[index % len(photos)].crop((left, top, left + 500, top + 375))
        photo.save(folder / "images" / f"{index:03}.jpg", quality=92)
        coarse = Image.fromarray(rng.integers(0, 21, (5, 7)).astype("uint8"))
        mask = coarse.resize((500, 375), Image.Resampling.NEAREST)
        write_labels(folder / "masks" / f"{index:03}.png", np.asarray(mask))


def of_torch(
    folder: pathlib.Path, environments: pathlib.Path, processes: int
) -> tuple[str, Worker]:
    """PyTorch's DataLoader, and what its row is called."""
    pairs = match_pairs(folder / "images", folder / "masks")
    files = [(str(pair.image), str(pair.mask)) for pair in pairs]
    # Its own processes have one thread each too.
    worker = Worker(SMP.python(environments), "loader", {"OMP_NUM_THREADS": "1"})
    worker.ask("build", files=files, crop=CROP, batch=BATCH, workers=processes)
    count = f"{processes or 1} process{'es' if processes > 1 else ''}"
    return f"DataLoader of PyTorch, augmented, {count}", worker


def measure(folder: pathlib.Path, given: argparse.Namespace) -> dict[str, Timing]:
    """Seconds for all pairs."""
    seconds = "processor_seconds" if given.processor_time else "seconds"
    workers = {}
    with contextlib.ExitStack() as stack:
        for name, settings in ROWS.items():
            workers[name] = Worker(sys.executable, "batches", VARIABLES)
            stack.enter_context(workers[name])
            workers[name].ask("build", folder=str(folder), **settings)
        if given.environments:
            processes = 0 if given.processor_time else os.cpu_count()
            name, worker = of_torch(folder, given.environments, processes)
            workers[name] = stack.enter_context(worker)
        runs = {
            name: functools.partial(worker.ask, "drain")
            for name, worker in workers.items()
        }
        # The first round traces, and brings the files into the system's memory.
        return take_turns(runs, measure=lambda run: run()[seconds])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--environments", type=pathlib.Path)
    parser.add_argument("--processor-time", action="store_true")
    given = parser.parse_args()
    folder = given.folder
    with tempfile.TemporaryDirectory() as name:
        if folder is None:
            folder = pathlib.Path(name)
            write_pairs(folder)
        count = len(match_pairs(folder / "images", folder / "masks"))
        times = measure(folder, given)
    limit = next(iter(times.values()))
    print(f"{count} pairs, crop {CROP}, batch {BATCH}, {os.cpu_count()} cores\n")
    rows = (
        (
            what,
            f"{count / timing.median:.0f}{timing.mark()}",
            f"{limit.ratio(timing):.2f}",
        )
        for what, timing in times.items()
    )
    print_table(("What", "Images a second", "Of the limit"), rows)


if __name__ == "__main__":
    main()
