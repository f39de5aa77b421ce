"""Time, memory and size of `DenseCRF` in TFLite, for `dense_crf.py`."""

import collections
import contextlib
import io
import math
import pathlib
import statistics
import tempfile
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from crf_samples import CLASSES, WEIGHTS, voc
from exponent import fit_power
from plots import Curve, draw_curves
from rounds import clock, processor_clock, take_turns

import keras_deeplab
from keras_deeplab.export.latency import measure_peak
from keras_deeplab.export.operations import tflite_operations
from keras_deeplab.inference import crf_reference
from keras_deeplab.layers import CRF_ACCURACIES, DenseCRF

LIBRARY = "pydensecrf2, photo"
# Rows of `CRF_ACCURACIES` in the plot.
PLOTTED = ("accurate", "mobile")


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


def times(
    data: pathlib.Path,
    cache: pathlib.Path,
    names: Sequence[str],
    preset: str,
    processor_time: bool,
) -> None:
    """Ratios to pydensecrf2 at 513 x 513 x 21 and 10 steps; memory; operations."""
    # The library's time depends on the photo's colours; the layer's does not.
    photos = [
        padded(logits, image, 513)
        for name, logits, image, _ in voc(data, cache)
        if name in names
    ]
    arrays = photos[0]
    contents = {row: converted(513, CLASSES, row, preset) for row in CRF_ACCURACIES}
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
        for index, photo in enumerate(photos):
            runs[f"{LIBRARY} {index}"] = lambda photo=photo: crf_reference(
                *photo, preset
            )
        measure = processor_clock if processor_time else clock
        timings = take_turns(runs, measure=measure)
        taken = {name: timing.median for name, timing in timings.items()}
        each = [value for name, value in taken.items() if name.startswith(LIBRARY)]
        reference = statistics.mean(each)
        fastest = min(each) / reference
        print(f"\npydensecrf2 on its fastest photo: {fastest:.2f} of the mean")
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
    panels: dict[str, list[Curve]] = {}
    for kind, points in grid.items():
        axis = [point[kind == "classes"] for point in points]
        for accuracy in PLOTTED:
            line = []
            for side, classes in points:
                arrays = [
                    rng.normal(size=(side, side, classes)),
                    rng.uniform(0, 255, (side, side, 3)),
                ]
                run = runner(converted(side, classes, accuracy), arrays, 1)
                line.append(1000 * take_turns({"": run})[""].median)
            curve = Curve(accuracy, axis, line, fit_power(axis, line))
            panels.setdefault(f"milliseconds against {kind}", []).append(curve)
            print(kind, accuracy, points, [round(value) for value in line])
    if plot:
        draw_curves(panels, plot)
