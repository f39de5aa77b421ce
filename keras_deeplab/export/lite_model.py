"""A TFLite file, run by LiteRT in the place of a Keras model."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.export.tflite_facts import TFLiteFacts, read_facts


class LiteModel:
    """A TFLite file that `segment` and `evaluate` take like a model.

    Of files of this package everything is known. Others, among them the official ones,
    are taken to be shown a photo stretched to their size, in the range -1 to 1 if they
    take floats.

    Args:
        path: A `.tflite` file of one image and one answer: a label map, or logits or
            probabilities with the classes in the last axis.
        threads: Threads of LiteRT.

    Raises:
        ValueError: If the file is no such model.

    Examples:
        >>> model = keras_deeplab.export.LiteModel("m.tflite")  # doctest: +SKIP
        >>> keras_deeplab.segment(model, "photo.jpg").shape  # doctest: +SKIP
        (375, 500)
    """

    #: Its input is fixed: there is nothing to align.
    output_stride: int = 1
    crop_size: tuple[int, int] | None = None

    def __init__(self, path: str | os.PathLike[str], *, threads: int = 1) -> None:
        self._interpreter = _interpreter(Path(path), threads)
        self._input, self._output = _details(self._interpreter, path)
        self.facts: TFLiteFacts = read_facts(Path(path))
        self._labels = len(self._output["shape"]) == 3
        self.classes = self._count_classes()
        activated = self.facts.form == "probabilities"
        scores = "probabilities" if activated else "logits"
        self.output_kind = "labels" if self._labels else scores
        names = self.facts.class_names
        self.class_names = names if names and len(names) == self.classes else None
        self.resize_mode = self.facts.resize_mode
        self.pad_pixel = self.facts.pad_pixel

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """`(None, height, width, 3)`."""
        return (None, *self._input["shape"][1:].tolist())

    def preprocess(self, images: Any) -> np.ndarray[Any, Any]:
        """Turns RGB pixels of 0 to 255 into what the file takes."""
        pixels = np.asarray(images, "float32")
        if self._input["dtype"] == np.uint8:
            return pixels.round().astype("uint8")
        mean = np.array(self.facts.mean, "float32")
        return (pixels - mean) / np.array(self.facts.std, "float32")

    def run(self, inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The file's own answer to one preprocessed image, `(1, height, width, 3)`."""
        self._interpreter.set_tensor(self._input["index"], inputs)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])

    def predict_on_batch(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Values of each class: the answer, or 1 for its label and 0 for others.

        Args:
            x: What `preprocess` returned. The file takes one image after the other.

        Returns:
            float32, `(batch, height, width, classes)`.
        """
        answer = np.concatenate([self.run(image[None]) for image in x])
        if not self._labels:
            return answer.astype("float32")
        return np.eye(self.classes, dtype="float32")[answer]

    def _count_classes(self) -> int:
        if not self._labels:
            return int(self._output["shape"][-1])
        names = self.facts.class_names
        return len(names) if names else _CLASSES_OF_LABELS


# A file that tells labels and no names, as Coral's, is of PASCAL VOC.
_CLASSES_OF_LABELS = 21


def _interpreter(path: Path, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    if not os.path.isfile(path):
        raise ValueError(f"`path` is not a file. Received: path={str(path)!r}")
    try:
        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
        # Names that are no text fail here, and not later.
        interpreter.get_input_details(), interpreter.get_output_details()
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"`path` is not a TFLite model that LiteRT runs: {error}. "
            f"Received: path={str(path)!r}"
        ) from error
    return interpreter


def _details(interpreter: Any, path: Any) -> tuple[Any, Any]:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    shapes = [tuple(detail["shape"]) for detail in (*inputs, *outputs)]
    image_in = len(inputs) == 1 and len(shapes[0]) == 4 and shapes[0][3] == 3
    answer_out = len(outputs) == 1 and len(shapes[-1]) in (3, 4)
    if not (image_in and answer_out and shapes[0][0] == shapes[-1][0] == 1):
        raise ValueError(
            "`path` must be a model of one RGB image and one label map, or one map of "
            f"logits. Received: path={str(path)!r}, of the shapes {shapes}"
        )
    return inputs[0], outputs[0]
