"""One SavedModel to be made."""

import collections
import dataclasses
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_deeplab.data.tf_files import tf_writing
from keras_deeplab.export.crf_step import CRFEffect
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.latency import Latency, timed
from keras_deeplab.export.parity import compare
from keras_deeplab.export.photos import own_photo
from keras_deeplab.export.report import ExportReport
from keras_deeplab.export.served_model import ServedModel
from keras_deeplab.export.signatures import Signatures
from keras_deeplab.export.trial import Trial
from keras_deeplab.export.warm_up import write_warm_up


@dataclasses.dataclass(frozen=True, kw_only=True)
class SavedModelJob:
    """One SavedModel to be made.

    Args:
        graph: What is exported.
        name: The name under which it is to be served.
        most_pixels: The largest image that is decoded.
    """

    graph: Graph
    name: str
    most_pixels: int

    def write(self, folder: Path) -> None:
        """Writes the SavedModel, and the requests to warm it up, into a folder."""
        served = Signatures(self.graph, self.most_pixels)
        with tf_writing(folder):
            tf.saved_model.save(served.weights, str(folder), served.concrete())
            write_warm_up(folder, self.name, self._requests())

    def report(self, folder: Path, target: Path, trial: Trial) -> ExportReport:
        """Tries what was written.

        Args:
            folder: Where it lies.
            target: Where it is going to.
            trial: What it has to pass.

        Returns:
            What is known of it.

        Raises:
            ExportError: If it does not pass.
        """
        model = self.graph.model
        saved = tf.saved_model.load(str(folder))
        served = ServedModel(saved, model)
        parity = compare(
            self.graph,
            served,
            trial.photos,
        )
        trial.check(parity)
        height, width = model.input_shape[1:3]
        effect, plain_latency = self._without_crf(trial, target.name)
        return ExportReport(
            path=target,
            format="saved_model",
            outputs="labels",
            input_size=(height, width),
            size_bytes=_size(folder),
            operations=_operations(saved),
            parity=parity,
            least_agreement=trial.least_agreement,
            mean_iou=trial.mean_iou(served),
            keras_mean_iou=trial.mean_iou(model, self.graph.crf),
            latency=(*plain_latency, self._latency(served, target.name)),
            crf=effect,
        )

    def _without_crf(
        self, trial: Trial, name: str
    ) -> tuple[CRFEffect | None, tuple[Latency, ...]]:
        crf, model = self.graph.crf, self.graph.model
        if crf is None:
            return None, ()
        plain = dataclasses.replace(self, graph=Graph(model=model))
        with tempfile.TemporaryDirectory() as part:
            folder = Path(part) / name
            plain.write(folder)
            served = ServedModel(tf.saved_model.load(str(folder)), model)
            effect = CRFEffect(
                parameters=crf.crf_parameters,
                accuracy=crf.accuracy,
                plain_bytes=_size(folder),
                plain_mean_iou=trial.mean_iou(model),
            )
            return effect, (self._latency(served, f"{name}, without the CRF"),)

    def _latency(self, served: ServedModel, name: str) -> Latency:
        photo = own_photo(self.graph.model)
        threads = tf.config.threading.get_intra_op_parallelism_threads()
        return timed(name, threads, lambda: served.run(photo))

    def _requests(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        photo = own_photo(self.graph.model)
        yield "serving_default", {"image": photo}
        yield "probabilities", {"image": photo}
        # A server would not start with a photo that it refuses.
        side = math.isqrt(self.most_pixels)
        file = tf.io.encode_png(photo[0, :side, :side]).numpy()
        yield "serve_bytes", {"image_bytes": [file]}


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _operations(saved: Any) -> dict[str, int]:
    graph = saved.signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return dict(sorted(collections.Counter(node.op for node in nodes).items()))
