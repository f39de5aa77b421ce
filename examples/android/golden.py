"""Writes the numbers that the Kotlin of `core` is tested against.

python examples/android/golden.py
"""

import base64
import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from keras_deeplab.data import label_colors
from keras_deeplab.export.metadata import FileFacts, append_files
from keras_deeplab.inference.framing import PhotoFrame, frame_for, lay_out

OUT = pathlib.Path(__file__).parent / "core/src/test/resources/golden.json"

FACTS = FileFacts(
    name="model",
    input_size=(13, 17),
    input_dtype="float32",
    class_names=("background", "road", "a sign: \u201cstop\u201d"),
    form="delegate",
    output="logits",
    activation="softmax",
    mean=(127.5, 116.0, 104.0),
    std=127.5,
    resize_mode="pad",
    pad_pixel=(127.5, 116.0, 104.0),
)
PHOTO_SIZES = ((480, 640), (640, 480), (13, 17), (5, 6), (2000, 3), (99, 130))


def golden() -> dict[str, Any]:
    """All numbers."""
    random = np.random.default_rng(0)
    photo = random.integers(0, 256, (23, 31, 3), "uint8")
    model = SimpleNamespace(
        input_shape=(None, *FACTS.input_size, 3),
        resize_mode="pad",
        crop_size=None,
        output_stride=1,
    )
    canvas = lay_out(photo, frame_for(model, photo.shape[:2]), FACTS.pad_pixel)[0]
    return {
        "facts": dataclasses.asdict(FACTS),
        "file": encoded(appended()),
        "colors": [int(r) << 16 | int(g) << 8 | int(b) for r, g, b in label_colors()],
        "frames": list(frames(model)),
        **image("photo", photo),
        **image("averaged", resized(photo, (10, 13))),
        **image("averaged_odd", resized(photo, (23, 29))),
        **image("sampled", resized(photo, (11, 40), antialias=False)),
        "input_bytes": encoded(canvas.round().astype("uint8")),
        "input_floats": ((canvas - FACTS.mean) / FACTS.std).astype("float32").ravel(),
        **overlay(random),
    }


def appended() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.tflite"
        path.write_bytes(bytes(range(100)))
        append_files(path, FACTS)
        return path.read_bytes()


def frames(model: Any) -> Iterator[int]:
    for size in PHOTO_SIZES:
        yield from (*size, *frame_for(model, size).content)


def resized(
    photo: np.ndarray, size: tuple[int, int], antialias: bool = True
) -> np.ndarray:
    frame = PhotoFrame(content=size, canvas=size, antialias=antialias)
    return lay_out(photo, frame, FACTS.pad_pixel)[0].astype("uint8")


def overlay(random: np.random.Generator) -> dict[str, Any]:
    logits = random.integers(-2, 2, (4, 5, 3)).astype("float32")
    labels = logits.argmax(axis=-1).astype("uint8")
    photo = random.integers(0, 256, (4, 5, 3), "uint8")
    colored = Image.fromarray(label_colors()[labels])
    blended = np.array(Image.blend(Image.fromarray(photo), colored, 0.55))
    blended[labels == 0] = photo[labels == 0]
    return {
        "labels_size": labels.shape,
        "logits": logits.ravel(),
        "labels": labels.ravel(),
        **image("overlay_photo", photo),
        **image("overlay", blended),
    }


def image(name: str, pixels: np.ndarray) -> dict[str, Any]:
    return {f"{name}_size": pixels.shape[:2], name: encoded(pixels)}


def encoded(content: Any) -> str:
    return base64.b64encode(bytes(content)).decode()


def as_json() -> str:
    """The text of the file, a line for each of them."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(value, default=np.ndarray.tolist)}"
        for name, value in golden().items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(as_json(), encoding="utf-8")
