"""The fully connected CRF: how near the exact answer, how good, how fast.

    python benchmarks/dense_crf.py DATA --cache FOLDER [--whole] [--plot FILE]
        [--only agreement examples miou v1 time sizes]

DATA is the folder of test data (see CONTRIBUTING.md). Exact answers are sums over all
pairs of pixels, a minute for a crop and ten for a photo; they are kept in FOLDER. Needs
`pip install 'keras-deeplab[crf]'`. Times are medians of interleaved repeats on one
machine: ratios mean something, milliseconds do not.
"""

import argparse
import collections
import contextlib
import io
import math
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from exact_mean_field import cached_exact

import keras_deeplab
from keras_deeplab.export.latency import measure_peak
from keras_deeplab.export.operations import tflite_operations
from keras_deeplab.inference import (
    crf_reference,
    predict_logits,
    read_labels,
    read_photo,
)
from keras_deeplab.layers import CRF_ACCURACIES, CRF_PRESETS, DenseCRF
from keras_deeplab.metrics import SegmentationScores

Sample = tuple[str, np.ndarray, np.ndarray, np.ndarray]

WEIGHTS = "models/deeplab/deeplabv3_mnv2_pascal_trainval_folded.npz"
# Photos whose exact answers are worth the minutes: those on which the settings of the
# layer were chosen, and others.
PHOTOS = {
    "chosen on": ("2007_000129", "2007_000559", "2007_004189", "2008_002536"),
    "others": (
        "2007_000039",
        "2007_000363",
        "2007_002094",
        "2007_003957",
        "2007_005331",
    ),
}
CLASSES = 21
# Crops for the quick table: a quarter of the pixels, a sixteenth of the pairs.
CROP = 257
REPEATS = 5
LIBRARY = "pydensecrf2 (1 thread)"
# Rows of `CRF_ACCURACIES` in the plot.
PLOTTED = ("accurate", "mobile")


def refined(
    logits: np.ndarray, image: np.ndarray, preset: str, accuracy: str
) -> np.ndarray:
    """Labels of the layer."""
    layer = DenseCRF(preset, accuracy=accuracy)
    # Not traced, which takes longer than one answer.
    return np.array(layer(logits[None], image[None]))[0].argmax(-1)


def voc(
    data: pathlib.Path, cache: pathlib.Path, output_stride: int = 8
) -> Iterator[Sample]:
    """Photos with masks and the official model's logits."""
    model = None
    suffix = "" if output_stride == 8 else f"_{output_stride}"
    for path in sorted((data / "voc_sample" / "images").iterdir()):
        kept = cache / f"logits{suffix}_{path.stem}.npy"
        if not kept.exists():
            model = model or keras_deeplab.load_model(
                data / WEIGHTS
            ).with_output_stride(output_stride)
            cache.mkdir(parents=True, exist_ok=True)
            np.save(kept, predict_logits(model, path))
        mask = read_labels(data / "voc_sample" / "masks" / f"{path.stem}.png")
        yield path.stem, np.load(kept), read_photo(path), mask


def middle(*maps: np.ndarray) -> tuple[np.ndarray, ...]:
    height, width = maps[0].shape[:2]
    top, left = max((height - CROP) // 2, 0), max((width - CROP) // 2, 0)
    window = np.s_[top : top + CROP, left : left + CROP]
    return tuple(np.ascontiguousarray(values[window]) for values in maps)


def agreement(data: pathlib.Path, cache: pathlib.Path, whole: bool) -> None:
    """Percent of labels that are those of the exact answer."""
    for group, names in PHOTOS.items():
        samples = [
            (name, *((logits, image) if whole else middle(logits, image)))
            for name, logits, image, _ in voc(data, cache)
            if name in names
        ]
        print(f"\nPhotos of VOC, {group}:")
        compare(samples, CRF_PRESETS, cache)


def examples(data: pathlib.Path, cache: pathlib.Path) -> None:
    """The same on the examples of the reference library, at its parameters."""
    folder = data / "crf" / "pydensecrf_examples"
    samples = []
    for index in (1, 2, 3):
        image = read_photo(folder / f"im{index}.png")
        colors = np.array(read_photo(folder / f"anno{index}.png"), "int64")
        known, labels = np.unique(colors @ [1, 256, 65536], return_inverse=True)
        labels = labels.reshape(colors.shape[:2])
        # Black is unknown: as the library's example has it, each label holds at 0.7.
        first = int(known[0] == 0)
        count = len(known) - first
        share = np.full((*labels.shape, count), 0.3 / (count - 1), "float32")
        share[labels < first] = 1 / count
        rows, columns = np.nonzero(labels >= first)
        share[rows, columns, labels[rows, columns] - first] = 0.7
        samples.append((f"im{index}", np.log(share), image))
    print("\nExamples of pydensecrf:")
    compare(samples, ("pydensecrf",), cache)


def compare(
    samples: list[tuple[str, np.ndarray, np.ndarray]],
    presets: Iterable[str],
    cache: pathlib.Path,
) -> None:
    names = ("unary", "pydensecrf2", *CRF_ACCURACIES)
    print(f"\n| Photo | Parameters | {' | '.join(names)} |")
    print("| --- " * (2 + len(names)) + "|")
    for preset in presets:
        found = []
        for name, logits, image in samples:
            parameters = CRF_PRESETS[preset]
            exact = cached_exact(cache / "exact", logits, image, parameters)
            labels = [
                logits.argmax(-1),
                crf_reference(logits, image, preset).argmax(-1),
                *(refined(logits, image, preset, row) for row in CRF_ACCURACIES),
            ]
            found.append([100 * (each == exact).mean() for each in labels])
            where = f"{name} {image.shape[1]}x{image.shape[0]}"
            print(row_of(where, preset, found[-1]), flush=True)
        print(row_of("mean", preset, np.mean(found, axis=0)), flush=True)


def row_of(first: str, second: str, numbers: list[float]) -> str:
    return f"| {first} | {second} | {' | '.join(f'{n:.2f}' for n in numbers)} |"


def miou(data: pathlib.Path, cache: pathlib.Path) -> None:
    """Mean IoU on voc_sample before and after."""
    for output_stride in (16, 8):
        print(f"\nOutput stride {output_stride}:")
        table(list(voc(data, cache, output_stride)), CRF_PRESETS)


def v1(data: pathlib.Path, cache: pathlib.Path) -> None:
    """Mean IoU of the label maps of V1's authors, with and without their own CRF."""
    for before in ("deeplab", "deeplab_msc"):
        samples, theirs = [], []
        for path in sorted((data / "crf" / "deeplab_v1" / before).iterdir()):
            photos = (data / "voc_sample" / "images").glob(f"{path.stem}.*")
            image = read_photo(next(photos))
            mask = read_labels(data / "voc_sample" / "masks" / path.name)
            labels = read_labels(path)
            # A label map says nothing of scores: its label is taken to hold at 0.5.
            share = np.full((*labels.shape, CLASSES), 0.5 / (CLASSES - 1), "float32")
            np.put_along_axis(share, labels[..., None].astype("int64"), 0.5, axis=-1)
            samples.append((path.stem, np.log(share), image, mask))
            after = data / "crf" / "deeplab_v1" / f"{before}_crf" / path.name
            theirs.append((read_labels(after), mask))
        print(
            f"\n{before}: {len(samples)} maps, mIoU with the authors' CRF "
            f"{score(theirs):.2f}"
        )
        table(samples, ("v1",))


def table(samples: list[Sample], presets: object) -> None:
    methods: dict[str, Callable[..., np.ndarray]] = {
        "pydensecrf2": lambda logits, image, preset: crf_reference(
            logits, image, preset
        ).argmax(-1)
    }
    for row in CRF_ACCURACIES:
        methods[row] = lambda *args, row=row: refined(*args, row)
    print(f"\n| Parameters | before | {' | '.join(methods)} |")
    print("| --- " * (2 + len(methods)) + "|")
    before = score([(logits.argmax(-1), mask) for _, logits, _, mask in samples])
    for preset in presets:
        after = [
            score(
                [
                    (run(logits, image, preset), mask)
                    for _, logits, image, mask in samples
                ]
            )
            for run in methods.values()
        ]
        print(row_of(preset, f"{before:.2f}", after), flush=True)


def score(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean IoU in percent, of the classes that occur in the masks or the labels."""
    confusion = np.zeros((CLASSES, CLASSES), "int64")
    for labels, mask in pairs:
        known = mask != 255
        index = mask[known].astype("int64") * CLASSES + labels[known]
        confusion += np.bincount(index, minlength=CLASSES**2).reshape(confusion.shape)
    return 100 * SegmentationScores.from_confusion(confusion).mean_iou


def converted(side: int, classes: int, accuracy: str, preset: str = "v1") -> bytes:
    inputs = [keras.Input((side, side, c), batch_size=1) for c in (classes, 3)]
    layer = DenseCRF(preset, accuracy=accuracy)
    return to_tflite(keras.Model(inputs, layer(*inputs)))


def to_tflite(model: keras.Model) -> bytes:
    with contextlib.redirect_stdout(io.StringIO()):
        return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def runner(
    content: bytes, arrays: list[np.ndarray], threads: int
) -> Callable[[], None]:
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    for details in interpreter.get_input_details():
        fits = (a for a in arrays if a.shape[-1] == details["shape"][-1])
        interpreter.set_tensor(details["index"], next(fits)[None].astype("float32"))
    return interpreter.invoke


def seconds(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for index in range(REPEATS + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            # The first round warms up.
            if index:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def peak(content: bytes) -> float:
    """Megabytes that a process grows by to run a model, inputs and weights included."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(content)
        file.flush()
        return (measure_peak(file.name) or math.nan) / 2**20


def padded(logits: np.ndarray, image: np.ndarray, side: int) -> list[np.ndarray]:
    logits, image = logits[:side, :side], image[:side, :side]
    pads = [(0, side - length) for length in image.shape[:2]] + [(0, 0)]
    return [np.pad(values, pads, mode="edge") for values in (logits, image)]


def times(data: pathlib.Path, cache: pathlib.Path) -> None:
    """Ratios to pydensecrf2 at 513 x 513 x 21 and 10 steps; memory; operations."""
    # The library's time depends on the photo's colours; the layer's does not.
    photos = [
        padded(logits, image, 513)
        for name, logits, image, _ in voc(data, cache)
        if name in PHOTOS["others"]
    ]
    arrays = photos[0]
    contents = {row: converted(513, CLASSES, row) for row in CRF_ACCURACIES}
    model = keras_deeplab.load_model(data / WEIGHTS)
    fixed = keras.Input((513, 513, 3), batch_size=1)
    contents["MobileNetV2 forward"] = to_tflite(keras.Model(fixed, model(fixed)))
    for name, content in contents.items():
        found = collections.Counter(tflite_operations(content))
        print(
            f"\n{name}: {len(content) / 1e6:.2f} MB, peak {peak(content):.0f} "
            f"MB, {sum(found.values())} operations: "
            + ", ".join(f"{count} {op}" for op, count in found.most_common())
        )
    for threads in (1, 2):
        runs = {name: runner(c, arrays, threads) for name, c in contents.items()}
        runs[LIBRARY] = lambda: [crf_reference(*photo, "v1") for photo in photos]
        taken = seconds(runs)
        taken[LIBRARY] /= len(photos)
        reference = taken[LIBRARY]
        print(f"\n| {threads} thread(s) | ms | of pydensecrf2 | of the forward pass |")
        print("| --- | --- | --- | --- |")
        for name, value in taken.items():
            ratios = value / reference, value / taken["MobileNetV2 forward"]
            print(
                f"| {name} | {1000 * value:.0f} | {ratios[0]:.3f} | {ratios[1]:.2f} |"
            )


def sizes(plot: pathlib.Path | None) -> None:
    """Milliseconds against the side of the photo, and against the classes."""
    rng = np.random.default_rng(0)
    grid = {
        "side": [(129, 21), (257, 21), (385, 21), (513, 21)],
        "classes": [(257, 2), (257, 21), (257, 60), (257, 150)],
    }
    curves = {}
    for kind, points in grid.items():
        for accuracy in PLOTTED:
            line = []
            for side, classes in points:
                arrays = [
                    rng.normal(size=(side, side, classes)),
                    rng.uniform(0, 255, (side, side, 3)),
                ]
                run = runner(converted(side, classes, accuracy), arrays, 1)
                line.append(1000 * seconds({"": run})[""])
            curves[kind, accuracy] = line
            print(kind, accuracy, points, [round(value) for value in line])
    if plot:
        draw(grid, curves, plot)


def draw(grid: dict, curves: dict, path: pathlib.Path) -> None:
    """Two pictures of lines side by side, with Pillow alone."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (1000, 420), "white")
    pen = ImageDraw.Draw(picture)
    colors = dict(zip(PLOTTED, ("#1f77b4", "#d62728"), strict=True))
    for left, (kind, points) in zip((60, 560), grid.items(), strict=True):
        axis = [point[kind == "classes"] for point in points]
        top = max(max(curves[kind, row]) for row in PLOTTED)
        pen.line([(left, 30), (left, 370), (left + 400, 370)], "black")
        pen.text((left, 10), f"ms (to {top:.0f}) against {kind}", "black")
        for value in axis:
            pen.text((left + 400 * value / max(axis) - 8, 378), str(value), "black")
        for index, (row, color) in enumerate(colors.items()):
            line = [
                (left + 400 * x / max(axis), 370 - 340 * y / top)
                for x, y in zip(axis, curves[kind, row], strict=True)
            ]
            pen.line(line, color, 2)
            pen.text((left + 10, 40 + 14 * index), row, color)
    picture.save(path)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--whole", action="store_true", help="no crops for agreement")
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    data, cache = arguments.data, arguments.cache
    parts = {
        "agreement": lambda: agreement(data, cache, arguments.whole),
        "examples": lambda: examples(data, cache),
        "miou": lambda: miou(data, cache),
        "v1": lambda: v1(data, cache),
        "time": lambda: times(data, cache),
        "sizes": lambda: sizes(arguments.plot),
    }
    for name in arguments.only or parts:
        parts[name]()


if __name__ == "__main__":
    main()
