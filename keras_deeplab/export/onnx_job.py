"""One ONNX file to be made."""

import collections
import contextlib
import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_deeplab._types import Tensor
from keras_deeplab.export.answer import answer_of
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.input_form import InputForm
from keras_deeplab.export.label_strips import labels_of
from keras_deeplab.export.latency import timed
from keras_deeplab.export.onnx_graph import fold_constants, spell_padding
from keras_deeplab.export.onnx_model import OnnxModel
from keras_deeplab.export.output_form import OUTPUT_FORMS, OutputForm
from keras_deeplab.export.parity import compare
from keras_deeplab.export.photos import own_photo
from keras_deeplab.export.report import ExportReport
from keras_deeplab.export.trial import Trial
from keras_deeplab.inference import class_name

# Of 2022; ONNX Runtime has it on phones and in browsers too.
_OPSET = 17


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnnxJob:
    """One ONNX file to be made.

    Args:
        graph: What is exported.
        outputs: A key of `ONNX_FORMS`.
    """

    graph: Graph
    outputs: str

    @property
    def form(self) -> OutputForm:
        """What the graph answers."""
        return ONNX_FORMS[self.outputs]

    @property
    def inputs(self) -> InputForm:
        """What the graph takes."""
        model = self.graph.model
        own = model.include_preprocessing
        return InputForm(preprocessing="none" if own else model.preprocessing)

    def write(self, path: Path) -> None:
        """Writes the file."""
        import onnx

        model = self._converted()
        spell_padding(model.graph)
        fold_constants(model.graph)
        self._name_sides(model.graph)
        onnx.helper.set_model_props(model, self._facts())
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString(deterministic=True))

    def report(self, path: Path, target: Path, trial: Trial) -> ExportReport:
        """Tries what was written.

        Args:
            path: Where it lies.
            target: Where it is going to.
            trial: What it has to pass.

        Returns:
            What is known of it.

        Raises:
            ExportError: If it does not pass.
        """
        import onnx

        model, form = self.graph.model, self.form
        runtime = OnnxModel(path, model, self.outputs)
        parity = compare(
            self.graph,
            runtime,
            trial.photos,
            activated=form.activated,
        )
        trial.check(parity)
        nodes = onnx.load(path).graph.node
        photo = own_photo(model)
        height, width = model.input_shape[1:3]
        return ExportReport(
            path=target,
            format="onnx",
            outputs=self.outputs,
            input_size=(height, width),
            size_bytes=path.stat().st_size,
            operations=dict(
                sorted(collections.Counter(n.op_type for n in nodes).items())
            ),
            parity=parity,
            least_agreement=trial.least_agreement,
            mean_iou=trial.mean_iou(runtime),
            keras_mean_iou=trial.mean_iou(model, self.graph.crf),
            latency=(timed(target.name, 0, lambda: runtime.run(photo)),),
        )

    @property
    def _batch(self) -> int | None:
        # A CRF would need a loop over more.
        return None if self.graph.crf is None else 1

    def _converted(self) -> Any:
        import tf2onnx

        from keras_deeplab.layers._tensorflow import tracing_for_tflite

        answer = answer_of(self.graph.coarse, self.graph, self.inputs, self.form)

        def named(image: Tensor) -> dict[str, Tensor]:
            return {self.form.name: answer(image)}

        shape = (self._batch, *self.graph.model.input_shape[1:])
        image = tf.TensorSpec(shape, tf.uint8, name="image")
        # As for TFLite, a convolution at a rate has to be one operation.
        with tracing_for_tflite(), _quiet():
            model, _ = tf2onnx.convert.from_function(
                tf.function(named, autograph=False), [image], opset=_OPSET
            )
        return model

    def _name_sides(self, graph: Any) -> None:
        sides = (self._batch, *self.graph.model.input_shape[1:3])
        names = ("batch", "height", "width")
        for tensor in (*graph.input, *graph.output):
            dims = tensor.type.tensor_type.shape.dim[:3]
            for dim, side, name in zip(dims, sides, names, strict=True):
                if side is None:
                    dim.dim_param = name
                else:
                    dim.dim_value = side

    def _facts(self) -> dict[str, str]:
        model = self.graph.model
        names = [class_name(i, model.class_names) for i in range(model.classes)]
        return {"name": model.name, "class_names": "\n".join(names)}


def _labels(graph: Graph, coarse: Tensor, pixels: Tensor) -> Tensor:
    if graph.crf is not None:
        return labels_of(graph.full_probabilities(coarse, pixels))
    return labels_of(graph.full_logits(coarse, pixels))


# Of a batch, and at sizes that only the running graph knows.
ONNX_FORMS = {
    "labels": dataclasses.replace(OUTPUT_FORMS["labels"], head=_labels),
    "probabilities": OUTPUT_FORMS["probabilities"],
    "logits": OUTPUT_FORMS["logits"],
}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
