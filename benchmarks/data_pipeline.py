"""How many images a second the input pipeline makes, beside what decoding allows.

    python benchmarks/data_pipeline.py [FOLDER] [--environments FOLDER]
        [--processor-time]

FOLDER holds `images/` and `masks/` (at most 256 labels); without it, the photos that
the package ships are cut into pairs of the size of PASCAL VOC's. A row is the median
of 5 rounds, which take turns. The limit is TensorFlow's own decoding of the same
photos and masks, in parallel and with nothing after it. With `--environments`, the
DataLoader of PyTorch does the same augmentation beside it, with a process a core,
in the environment that `peers.py` installs there. With `--processor-time`, for a
machine that does other work, seconds are those of the processor, of all threads
together, and the DataLoader works in its own process.
"""

import argparse
import contextlib
import functools
import os
import pathlib
import tempfile
from collections.abc import Callable, Iterator

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Decoding and augmentation run on the processor; a GPU has no part in this.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
from environments import SMP
from PIL import Image
from process import Worker
from rounds import Timing, clock, print_table, processor_clock, take_turns

from keras_deeplab.data import (
    Augmentation,
    SegmentationData,
    SegmentationSequence,
    make_dataset,
    match_pairs,
    read_photo,
    write_labels,
)

CROP = 513
BATCH = 8
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


def decode_only(data: SegmentationData) -> tf.data.Dataset:
    """TensorFlow's decoding. Of palette masks it gives colours, at the same cost."""

    def load(image: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        photo = tf.io.decode_image(tf.io.read_file(image), 3, expand_animations=False)
        return photo, tf.io.decode_png(tf.io.read_file(mask))

    images = [str(pair.image) for pair in data.pairs]
    masks = [str(pair.mask) for pair in data.pairs]
    dataset = tf.data.Dataset.from_tensor_slices((images, masks))
    return dataset.map(load, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def runs(data: SegmentationData) -> dict[str, Callable[[], None]]:
    """What is measured: each takes all pairs once."""
    settings = {"crop_size": CROP, "batch_size": BATCH, "drop_remainder": False}
    jitter = Augmentation(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05)
    datasets = {
        "limit: TensorFlow decodes": decode_only(data),
        "make_dataset, files as they are": make_dataset(
            data, crop_size=None, batch_size=1
        ),
        "make_dataset, augmented": make_dataset(
            data, augment=Augmentation(), **settings
        ),
        "make_dataset, augmented, colours too": make_dataset(
            data, augment=jitter, **settings
        ),
        "make_dataset, augmented, cached": make_dataset(
            data, augment=Augmentation(), cache=True, **settings
        ),
    }

    def drain(dataset: tf.data.Dataset) -> None:
        for _ in dataset:
            pass

    sequence = SegmentationSequence(data, augment=Augmentation(), **settings)

    def one_thread() -> None:
        for index in range(len(sequence)):
            sequence[index]

    found = {
        name: lambda dataset=dataset: drain(dataset)
        for name, dataset in datasets.items()
    }
    return {**found, "SegmentationSequence, augmented, one thread": one_thread}


@contextlib.contextmanager
def of_torch(
    data: SegmentationData, environments: pathlib.Path, processes: int
) -> Iterator[dict[str, Callable[[], dict[str, float]]]]:
    """PyTorch's DataLoader; its time is that of its own process."""
    files = [(str(pair.image), str(pair.mask)) for pair in data.pairs]
    # Its own processes have one thread each too.
    one = {"OMP_NUM_THREADS": "1"}
    with Worker(SMP.python(environments), "loader", one) as worker:
        worker.ask("build", files=files, crop=CROP, batch=BATCH, workers=processes)
        name = f"DataLoader of PyTorch, augmented, {processes or 1} process"
        name += "es" if processes > 1 else ""
        yield {name: functools.partial(worker.ask, "drain")}


def measure(data: SegmentationData, given: argparse.Namespace) -> dict[str, Timing]:
    """Seconds for all pairs."""

    def measured(run: Callable[[], object]) -> float:
        if isinstance(run, functools.partial):
            seconds = "processor_seconds" if given.processor_time else "seconds"
            return run()[seconds]
        return (processor_clock if given.processor_time else clock)(run)

    with contextlib.ExitStack() as stack:
        contestants = runs(data)
        if given.environments:
            processes = 0 if given.processor_time else os.cpu_count()
            others = of_torch(data, given.environments, processes)
            contestants |= stack.enter_context(others)
        # The first round traces, and brings the files into the system's memory.
        return take_turns(contestants, measure=measured)


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
        pairs = match_pairs(folder / "images", folder / "masks")
        data = SegmentationData(pairs, [str(label) for label in range(255)])
        times = measure(data, given)
    limit = next(iter(times.values()))
    print(f"{len(pairs)} pairs, crop {CROP}, batch {BATCH}, {os.cpu_count()} cores\n")
    rows = (
        (
            what,
            f"{len(pairs) / timing.median:.0f}{timing.mark()}",
            f"{limit.ratio(timing):.2f}",
        )
        for what, timing in times.items()
    )
    print_table(("What", "Images a second", "Of the limit"), rows)


if __name__ == "__main__":
    main()
