"""One TFLite file to be made."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_deeplab.export.equalize import equalized
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.input_form import InputForm
from keras_deeplab.export.metadata import (
    METADATA_NAME,
    FileFacts,
    append_files,
    encode_metadata,
)
from keras_deeplab.export.operations import check_operations, tflite_operations
from keras_deeplab.export.output_form import OUTPUT_FORMS, OutputForm
from keras_deeplab.export.photos import laid_out
from keras_deeplab.export.quantization import QUANTIZATIONS, Quantization
from keras_deeplab.inference import class_name


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFLiteJob:
    """One TFLite file to be made.

    Args:
        graph: What is exported; its model has a fixed size.
        outputs: A key of `OUTPUT_FORMS`.
        quantize: A key of `QUANTIZATIONS`.
        calibration: Photos that show the ranges of activations.
    """

    graph: Graph
    outputs: str
    quantize: str
    calibration: tuple[Path, ...]

    @property
    def form(self) -> OutputForm:
        """What the graph answers."""
        return OUTPUT_FORMS[self.outputs]

    @property
    def quantization(self) -> Quantization:
        """How its numbers are stored."""
        return QUANTIZATIONS[self.quantize]

    @property
    def inputs(self) -> InputForm:
        """What the graph takes."""
        model, normalized = self.graph.model, self.form.normalized_input
        return InputForm(
            preprocessing="none"
            if model.include_preprocessing
            else model.preprocessing,
            dtype="float32" if normalized else "uint8",
            normalized=normalized,
        )

    def write(self, path: Path) -> None:
        """Writes the file.

        Args:
            path: Where.

        Raises:
            ExportError: If the graph cannot be what it should be.
        """
        from keras_deeplab.export.convert import convert
        from keras_deeplab.export.tflite_file import (
            add_metadata,
            add_signature,
            read_model,
            take_bytes,
            write_model,
        )

        bytes_in = self.quantization.calibrated and self.inputs.dtype == "uint8"
        traced = self.inputs.traced_for_bytes() if bytes_in else self.inputs
        content = convert(
            self._graph_to_convert(),
            traced,
            self.form,
            self.quantization,
            lambda: self._samples(traced),
        )
        check_operations(tflite_operations(content))
        model = read_model(content)
        if bytes_in:
            take_bytes(model, traced)
        add_signature(model, self.form.name)
        add_metadata(model, METADATA_NAME, encode_metadata(self._facts()))
        path.write_bytes(write_model(model))
        append_files(path, self._facts())

    def _graph_to_convert(self) -> Graph:
        if not self.quantization.calibrated:
            return self.graph
        model = self.graph.model
        images = map(model.preprocess, laid_out(model, self.calibration))
        return dataclasses.replace(self.graph, model=equalized(model, images))

    def _samples(self, traced: InputForm) -> Iterator[np.ndarray[Any, Any]]:
        for pixels in laid_out(self.graph.model, self.calibration):
            yield traced.from_pixels(pixels)

    def _facts(self) -> FileFacts:
        model = self.graph.model
        names = [class_name(i, model.class_names) for i in range(model.classes)]
        red, green, blue = model.pad_pixel
        height, width = model.input_shape[1:3]
        return FileFacts(
            name=model.name,
            input_size=(height, width),
            input_dtype=self.inputs.dtype,
            class_names=tuple(names),
            form=self.outputs,
            output=self.form.name,
            activation="none" if self.form.activated else self.graph.activation,
            mean=self.inputs.mean,
            std=self.inputs.std,
            resize_mode=model.resize_mode,
            pad_pixel=(red, green, blue),
        )
