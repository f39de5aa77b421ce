"""The fully connected CRF: how near the exact answer, how good, how fast.

    python benchmarks/dense_crf.py DATA --cache FOLDER [--whole] [--plot FILE]
        [--only agreement examples miou v1 time sizes] [--preset v2] [--processor-time]

DATA is the folder of test data (see CONTRIBUTING.md). Exact answers are sums over all
pairs of pixels that tell each other anything (`bilateral_sum.py`), ten seconds for a
crop and two minutes for a photo and parameters; they are kept in FOLDER. Needs
`pip install 'PATH_OF_THE_CLONE[crf]'`. Times are medians of interleaved repeats on one
machine: ratios mean something, milliseconds do not.
"""

import argparse
import os
import pathlib
from collections.abc import Callable, Iterable

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from crf_cost import sizes, times
from crf_samples import CLASSES, Sample, library_examples, middle, v1_maps, voc
from exact_mean_field import cached_exact

from keras_deeplab.inference import crf_reference
from keras_deeplab.layers import CRF_ACCURACIES, CRF_PRESETS, DenseCRF
from keras_deeplab.metrics import SegmentationScores, confusion_matrix

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


def refined(
    logits: np.ndarray, image: np.ndarray, preset: str, accuracy: str
) -> np.ndarray:
    """Labels of the layer."""
    layer = DenseCRF(preset, accuracy=accuracy)
    # Not traced, which takes longer than one answer.
    return np.array(layer(logits[None], image[None]))[0].argmax(-1)


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
    print("\nExamples of pydensecrf:")
    compare(list(library_examples(data)), ("pydensecrf",), cache)


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
        table(list(voc(data, cache, output_stride)), CRF_PRESETS, cache)


def v1(data: pathlib.Path, cache: pathlib.Path) -> None:
    """Mean IoU of the label maps of V1's authors, with and without their own CRF."""
    for before in ("deeplab", "deeplab_msc"):
        found = list(v1_maps(data, before))
        theirs = score([(after, sample[3]) for sample, after in found])
        print(f"\n{before}: {len(found)} maps, mIoU with the authors' CRF {theirs:.2f}")
        table([sample for sample, _ in found], ("v1",), cache)


def table(samples: list[Sample], presets: Iterable[str], cache: pathlib.Path) -> None:
    methods: dict[str, Callable[..., np.ndarray]] = {
        "exact": lambda logits, image, preset: cached_exact(
            cache / "exact", logits, image, CRF_PRESETS[preset]
        ),
        "pydensecrf2": lambda logits, image, preset: crf_reference(
            logits, image, preset
        ).argmax(-1),
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
    """Mean IoU in percent, of the classes that occur in the masks."""
    confusion = sum(
        np.array(
            confusion_matrix(mask.astype("int32"), labels.astype("int32"), CLASSES, 255)
        )
        for labels, mask in pairs
    )
    return 100 * SegmentationScores.from_confusion(confusion).mean_iou


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--whole", action="store_true", help="no crops for agreement")
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--preset", default="v1", help="of the times")
    parser.add_argument("--processor-time", action="store_true")
    arguments = parser.parse_args()
    data, cache = arguments.data, arguments.cache
    parts = {
        "agreement": lambda: agreement(data, cache, arguments.whole),
        "examples": lambda: examples(data, cache),
        "miou": lambda: miou(data, cache),
        "v1": lambda: v1(data, cache),
        "time": lambda: times(
            data,
            cache,
            PHOTOS["others"],
            arguments.preset,
            arguments.processor_time,
        ),
        "sizes": lambda: sizes(arguments.plot),
    }
    for name in arguments.only or parts:
        parts[name]()


if __name__ == "__main__":
    main()
