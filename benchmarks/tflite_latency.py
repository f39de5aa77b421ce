"""Our TFLite files beside the official ones of the same weights, as a Markdown table.

    KERAS_DEEPLAB_TEST_DATA=DIR python benchmarks/tflite_latency.py

Two pairs: float at 257 x 257, of the weights in the official file itself, and 8 bits at
513 x 513 and output stride 16. Ours take bytes and answer with labels; the official
float file takes normalized floats and answers with logits. Each pair is measured in one
process, the files taking turns; the ratio is that of the medians.
"""

import os
import pathlib
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_deeplab
from keras_deeplab import export

DATA = pathlib.Path(os.environ["KERAS_DEEPLAB_TEST_DATA"])
OFFICIAL = DATA / "models/deeplab"
# The last photos of CamVid are of streets; the others of animals and people.
CALIBRATION = [
    *sorted((DATA / "photos").glob("*.*g")),
    *sorted((DATA / "camvid/train/images").iterdir())[::30][:12],
]


def float_257(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    official = OFFICIAL / "deeplabv3_257_mv_gpu.tflite"
    ours = folder / "ours_257_float.tflite"
    export.to_tflite(keras_deeplab.load_model(official), ours)
    return ours, official


def int8_513(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    source = OFFICIAL / "deeplabv3_mnv2_pascal_trainval_folded.npz"
    model = keras_deeplab.load_model(source).with_output_stride(16)
    ours = folder / "ours_513_int8.tflite"
    export.to_tflite(
        model, ours, size=513, quantize="int8", calibration=[*map(str, CALIBRATION)]
    )
    return ours, OFFICIAL / "deeplabv3_mnv2_pascal_quant.tflite"


def main() -> None:
    """Prints the table."""
    print("| files | threads | ours (ms) | official (ms) | ratio |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for pair in (float_257, int8_513):
            files = pair(pathlib.Path(folder))
            rows = export.measure_latency(files, threads=(1, 2), seconds=10)
            for ours, official in zip(rows[::2], rows[1::2], strict=True):
                print(
                    f"| {ours.file}, {official.file} | {ours.threads} "
                    f"| {ours.median_ms:.2f} | {official.median_ms:.2f} "
                    f"| {ours.median_ms / official.median_ms:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
