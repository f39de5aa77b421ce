"""Our TFLite files beside the official ones of the same weights, as Markdown tables.

    KERAS_DEEPLAB_TEST_DATA=DIR python benchmarks/tflite_latency.py [--seconds 10]

Two tables: of the weights in the official float file at 257 x 257, and of the official
MobileNetV2 at 513 x 513, output stride 16, beside the official 8-bit file. Files of 8
bits are calibrated with photos that are none of those scored. Mean IoU and same labels
are of the 26 VOC photos of the test data. All files of a table are timed in one
process, taking turns; ratios are those of the medians.
"""

import argparse
import os
import pathlib
import tempfile
from collections.abc import Iterator, Sequence

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_deeplab
from keras_deeplab import export
from keras_deeplab.export import tflite
from keras_deeplab.export.operations import tflite_operations

DATA = pathlib.Path(os.environ["KERAS_DEEPLAB_TEST_DATA"])
OFFICIAL = DATA / "models/deeplab"
SCORED = {"photos": DATA / "voc_sample/images", "masks": DATA / "voc_sample/masks"}
FORMS_257 = (
    ("delegate", "none"),
    ("logits", "none"),
    ("probabilities", "none"),
    ("labels", "none"),
    ("labels", "float16"),
    ("labels", "dynamic"),
    ("delegate", "int8"),
    ("labels", "int8"),
)
FORMS_513 = (("labels", "none"), ("delegate", "int8"), ("labels", "int8"))
THREADS = (1, 2)
TITLES = (
    *("file", "outputs", "numbers", "MB", "operations", "mIoU", "same labels"),
    *(f"{count} thread{'s' * (count > 1)}" for count in THREADS),
)
# Each file is timed beside the others, not by itself.
tflite._SECONDS = 0.0

Row = tuple[str, ...]


def official_row(file: pathlib.Path) -> Row:
    score = keras_deeplab.evaluate(export.LiteModel(file), *SCORED.values())
    return ("official", "logits", "", *facts(file), f"{score.mean_iou:.2%}", "")


def our_row(
    model: keras_deeplab.models.Segmenter,
    file: pathlib.Path,
    size: int,
    outputs: str,
    quantize: str,
) -> Row:
    report = export.to_tflite(
        model,
        file,
        size=size,
        outputs=outputs,
        quantize=quantize,
        calibration=DATA / "photos",
        **SCORED,
    )
    agreement = f"{report.parity.agreement:.3%}"
    score = f"{report.mean_iou:.2%}"
    return ("ours", outputs, quantize, *facts(file), score, agreement)


def facts(file: pathlib.Path) -> tuple[str, str]:
    content = file.read_bytes()
    count = sum(tflite_operations(content).values())
    return f"{len(content) / 1e6:.2f}", str(count)


def times(files: Sequence[pathlib.Path], seconds: float) -> Iterator[list[str]]:
    """For each file what it takes with each number of threads."""
    rows = export.measure_latency(files, threads=THREADS, seconds=seconds)
    medians = [row.median_ms for row in rows]
    of_threads = [medians[i : i + len(files)] for i in range(0, len(rows), len(files))]
    for own in zip(*of_threads, strict=True):
        yield [
            f"{mine:.2f} ms, {mine / all_files[0]:.3f}"
            for mine, all_files in zip(own, of_threads, strict=True)
        ]


def print_table(
    official: pathlib.Path,
    model: keras_deeplab.models.Segmenter,
    size: int,
    forms: Sequence[tuple[str, str]],
    seconds: float,
) -> None:
    """Prints the table of one size; ratios are to the official file."""
    with tempfile.TemporaryDirectory() as folder:
        files, rows = [official], [official_row(official)]
        for outputs, quantize in forms:
            files.append(pathlib.Path(folder) / f"{outputs}_{quantize}.tflite")
            rows.append(our_row(model, files[-1], size, outputs, quantize))
        print(f"\n{official.name}, {size} x {size}\n")
        print("|", " | ".join(TITLES), "|")
        print("|", " | ".join("---" for _ in TITLES), "|")
        for row, own in zip(rows, times(files, seconds), strict=True):
            print("|", " | ".join((*row, *own)), "|", flush=True)


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="for each file")
    seconds = parser.parse_args().seconds
    official = OFFICIAL / "deeplabv3_257_mv_gpu.tflite"
    model = keras_deeplab.load_model(official)
    print_table(official, model, 257, FORMS_257, seconds)
    source = OFFICIAL / "deeplabv3_mnv2_pascal_trainval_folded.npz"
    model = keras_deeplab.load_model(source).with_output_stride(16)
    official = OFFICIAL / "deeplabv3_mnv2_pascal_quant.tflite"
    print_table(official, model, 513, FORMS_513, seconds)


if __name__ == "__main__":
    main()
