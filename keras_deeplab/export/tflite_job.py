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
from keras_deeplab.export.output_form import COARSE_LOGITS, OUTPUT_FORMS, OutputForm
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

    def coarse(self) -> bytes:
        """Converts the network alone, to put one or the other answer behind it."""
        return self._converted(COARSE_LOGITS)

    def write(self, path: Path, coarse: bytes | None = None) -> None:
        """Writes the file.

        Args:
            path: Where.
            coarse: What `coarse` returned, behind which the answer is put in float. By
                default, and without a CRF, all is converted at once.

        Raises:
            ExportError: If the graph cannot be what it should be.
        """
        from keras_deeplab.export.tflite_file import (
            add_metadata,
            add_signature,
            read_model,
            take_bytes,
            write_model,
        )

        if coarse is None and self.graph.crf is not None:
            coarse = self.coarse()
        model = read_model(self._converted(self.form) if coarse is None else coarse)
        if self._bytes_in:
            take_bytes(model, self._traced)
        if coarse is not None:
            self._append_answer(model)
        check_operations(tflite_operations(write_model(model)))
        add_signature(model, self.form.name)
        add_metadata(model, METADATA_NAME, encode_metadata(self._facts()))
        path.write_bytes(write_model(model))
        append_files(path, self._facts())

    @property
    def _bytes_in(self) -> bool:
        return self.quantization.calibrated and self.inputs.dtype == "uint8"

    @property
    def _traced(self) -> InputForm:
        return self.inputs.traced_for_bytes() if self._bytes_in else self.inputs

    def _converted(self, form: OutputForm) -> bytes:
        from keras_deeplab.export.convert import convert

        return convert(
            self._graph_to_convert(),
            self._traced,
            form,
            self.quantization,
            self._samples,
        )

    def _append_answer(self, model: Any) -> None:
        from keras_deeplab.export.append_graph import append_graph
        from keras_deeplab.export.convert import convert_answer
        from keras_deeplab.export.tflite_file import read_model

        half = self.quantization.half
        answer = convert_answer(self.graph, self.inputs, self.form, half)
        (coarse,), (image,) = model.subgraphs[0].outputs, model.subgraphs[0].inputs
        append_graph(model, read_model(answer), {"coarse": coarse, "image": image})

    def _graph_to_convert(self) -> Graph:
        if not self.quantization.calibrated:
            return self.graph
        model = self.graph.model
        images = map(model.preprocess, laid_out(model, self.calibration))
        return dataclasses.replace(self.graph, model=equalized(model, images))

    def _samples(self) -> Iterator[np.ndarray[Any, Any]]:
        for pixels in laid_out(self.graph.model, self.calibration):
            yield self._traced.from_pixels(pixels)

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
