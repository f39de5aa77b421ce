"""How much of a label map is edges, and what its labels cost in a TFLite file.

    KERAS_DEEPLAB_TEST_DATA=DIR python benchmarks/label_edges.py [--calls 200]

The official model of width 0.5 at 257 x 257 on the 26 VOC photos of the test data:
the share of the columns between two coarse rows whose labels differ, which are the
edges, and the labels that are not those of the whole interpolation. Then the last step
alone, from coarse logits to labels, as LiteRT runs it on one thread, in time of the
processor.
"""

import argparse
import functools
import os
import pathlib
from collections.abc import Callable, Iterator

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image
from rounds import Timing, print_table, processor_clock, take_turns

import keras_deeplab
from keras_deeplab.export.label_edges import labels_along_edges
from keras_deeplab.export.label_strips import labels_of
from keras_deeplab.layers import resize_bilinear

DATA = pathlib.Path(os.environ["KERAS_DEEPLAB_TEST_DATA"])
WEIGHTS = DATA / "models/deeplab/deeplabv3_257_mv_gpu.tflite"
SIDE = 257
FORMS = {
    "all pixels": lambda logits: labels_of(resize_bilinear(logits, (SIDE, SIDE))),
    "along edges": lambda logits: labels_along_edges(logits, (SIDE, SIDE)),
}

Array = np.ndarray


def coarse_logits() -> Iterator[Array]:
    """What the model says of each photo, before the last resize."""
    model = keras_deeplab.load_model(WEIGHTS)
    for path in sorted((DATA / "voc_sample/images").iterdir()):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE)))
        logits = model.predict_on_batch(model.preprocess(pixels[None]))
        # The corners are aligned: these pixels are not interpolated.
        yield np.asarray(logits)[:, :: model.output_stride, :: model.output_stride]


def edge_share(logits: Array) -> float:
    """Share of the columns between two coarse rows that have two labels."""
    rows = resize_bilinear(logits, (logits.shape[1], SIDE))
    labels = np.argmax(rows[0], axis=-1)
    return float(np.mean(labels[:-1] != labels[1:]))


def lite(form: Callable[[tf.Tensor], tf.Tensor], shape: tuple[int, ...]) -> Interpreter:
    """The step alone, as LiteRT runs it."""
    function = tf.function(form, input_signature=[tf.TensorSpec(shape, tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()]
    )
    interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def labels_by(interpreter: Interpreter, logits: Array) -> Array:
    (given,), (answer,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    interpreter.set_tensor(given["index"], logits)
    interpreter.invoke()
    return interpreter.get_tensor(answer["index"])


def times(steps: dict[str, Interpreter], logits: Array, calls: int) -> Iterator[Timing]:
    runs = {
        name: functools.partial(labels_by, step, logits) for name, step in steps.items()
    }
    yield from take_turns(
        runs, rounds=calls, warm_ups=5, measure=processor_clock
    ).values()


def main() -> None:
    """Prints the shares and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    calls = parser.parse_args().calls
    photos = list(coarse_logits())
    steps = {name: lite(form, photos[0].shape) for name, form in FORMS.items()}
    shares = [edge_share(logits) for logits in photos]
    middle = photos[int(np.argsort(shares)[len(shares) // 2])]
    changed = sum(
        int(np.sum(np.not_equal(*(labels_by(step, each) for step in steps.values()))))
        for each in photos
    )
    print(
        f"columns with an edge on {len(photos)} photos: {np.mean(shares):.1%}, at most "
        f"{max(shares):.1%}; labels changed: {changed}\n"
    )
    noise = np.random.default_rng(0).normal(size=middle.shape).astype("float32")
    rows = (
        (
            name,
            *(
                f"{t.median * 1000:.2f} ms{t.mark()}"
                for t in times(steps, logits, calls)
            ),
        )
        for name, logits in (("the photo in the middle", middle), ("noise", noise))
    )
    print_table(("logits", *steps), rows)


if __name__ == "__main__":
    main()
