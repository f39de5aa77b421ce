"""What happens before a training and at the end of every epoch."""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_deeplab.data import SegmentationData
from keras_deeplab.inference import score_data
from keras_deeplab.metrics import SegmentationScores
from keras_deeplab.models import Segmenter
from keras_deeplab.training.averaged import AveragedModel
from keras_deeplab.training.checkpoints import Checkpoint
from keras_deeplab.training.curves import draw_curves
from keras_deeplab.training.quantization_aware import find_aware
from keras_deeplab.training.recipe import Recipe
from keras_deeplab.training.report import describe_scores, known
from keras_deeplab.training.run_folder import RunFolder
from keras_deeplab.training.sample_sheet import draw_samples
from keras_deeplab.weights.manifest import manifest

# More than any photo has: scores are those at full size.
_ANY_SIZE = 1 << 30


class Recorder(keras.callbacks.Callback):
    """Scores the model and writes everything that a run leaves behind.

    The checkpoint comes last of what a resumed run does not make again, and all that
    is drawn from its rows after it.

    Args:
        folder: Where to write.
        recipe: The recipe.
        model: The model in training, without what is around it.
        val_data: Photos with masks to score on.
        epochs: Number of epochs of the whole training.
        facts: What the report says from the beginning.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        model: Segmenter,
        val_data: SegmentationData,
        *,
        epochs: int,
        facts: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.scores: dict[str, Any] = {}
        self._folder = folder
        self._recipe = recipe
        self._segmenter = model
        self._val_data = val_data
        self.epochs = epochs
        self._facts = dict(facts)
        self._kept = AveragedModel(model, recipe.evaluation_output_stride)
        self._begin = 0.0

    @property
    def done(self) -> int:
        """Number of epochs that are done."""
        return len(self.rows)

    @property
    def last_good(self) -> Path | None:
        """The newest checkpoint, or `None`."""
        return self._folder.checkpoints.newest_path()

    @property
    def report(self) -> dict[str, Any]:
        """The content of `report.json` so far."""
        return {
            **self._facts,
            "epochs": self.epochs,
            "epochs_done": self.done,
            "seconds": sum(row["seconds"] for row in self.rows),
            "scores": self.scores,
        }

    def restore(self, trained: keras.Model, checkpoint: Checkpoint) -> None:
        """Goes back to the state after an epoch.

        Args:
            trained: What `fit` trains.
            checkpoint: The state.

        Raises:
            ValueError: If it is the state of another model, or of other data.
        """
        variables = self._variables(trained)
        shapes = [tuple(variable.shape) for variable in variables]
        found = [array.shape for array in checkpoint.arrays]
        if shapes != found:
            raise ValueError(
                "The checkpoint is of another model: its variables have other shapes. "
                f"Received: {checkpoint.path}"
            )
        if checkpoint.facts["data"] != self._facts["data"]:
            raise ValueError(
                "The checkpoint is of other data: names or sizes of the files, or the "
                f"classes, have changed. Received: {checkpoint.path}"
            )
        for variable, array in zip(variables, checkpoint.arrays, strict=True):
            variable.assign(array)
        self.rows = list(checkpoint.facts["rows"])
        self.scores = dict(checkpoint.facts["scores"])

    def write_report(self) -> None:
        """Writes what is made of the rows alone."""
        self._folder.write_json("report.json", self.report)
        if self.rows:
            self._folder.write_history(self.rows)
            curves = draw_curves(self.rows, ("loss", "mean_iou", "learning_rate"))
            self._folder.write("curves.png", lambda file: curves.save(file, "PNG"))

    def on_train_begin(self, logs: Any = None) -> None:
        # What it begins with may be better than what becomes of it. Where it is to
        # round, nobody knows yet in which ranges.
        begins = self.done == 0 and _are_of_a_model(self._recipe.weights)
        if begins and find_aware(self.model) is None:
            scores = self._score(self._kept.update(None))
            self.scores["start"] = self._described(0, scores)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begin = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        row = {
            "epoch": epoch + 1,
            "loss": known(float(logs["loss"])),
            "learning_rate": float(rate),
            "seconds": round(time.monotonic() - self._begin, 3),
        }
        due = (epoch + 1) % self._recipe.evaluate_every == 0
        if due or epoch + 1 == self.epochs:
            scores = self._evaluate(epoch + 1)
            row |= _columns(scores, self._val_data.class_names)
            # The progress line and TensorBoard come after this callback.
            logs["val_mean_iou"] = scores.mean_iou
            logs["val_pixel_accuracy"] = scores.pixel_accuracy
        self.rows.append(row)
        self._folder.checkpoints.save(
            epoch + 1,
            [keras.ops.convert_to_numpy(v) for v in self._variables(self.model)],
            {
                "config": self._segmenter.get_config(),
                "data": self._facts["data"],
                "rows": self.rows,
                "scores": self.scores,
            },
        )
        self.write_report()

    def _evaluate(self, epoch: int) -> SegmentationScores:
        model = self._kept.update(self.model.optimizer)
        scores = self._score(model)
        found = self._described(epoch, scores)
        self.scores["last"] = found
        self._folder.write_model(self._folder.last, model)
        best = self.scores.get("best", {}).get("mean_iou")
        if best is None or (found["mean_iou"] or 0.0) > best:
            self.scores["best"] = found
            self._folder.write_model(self._folder.best, model)
            with self._as_shipped(model):
                page = draw_samples(model, self._val_data, size=_ANY_SIZE)
            self._folder.write("samples.png", lambda file: page.save(file, "PNG"))
        return scores

    def _score(self, model: Segmenter) -> SegmentationScores:
        # Never but here is the copy used, or it would go on as it was traced here.
        with self._as_shipped(model):
            return score_data(model, self._val_data, size=_ANY_SIZE)

    def _described(self, epoch: int, scores: SegmentationScores) -> dict[str, Any]:
        return {"epoch": epoch, **describe_scores(scores, self._val_data.class_names)}

    def _as_shipped(self, model: Segmenter) -> contextlib.AbstractContextManager[None]:
        aware = find_aware(self.model)
        return contextlib.nullcontext() if aware is None else aware.rounding(model)

    def _variables(self, trained: keras.Model) -> list[Any]:
        aware = find_aware(trained)
        ranges = [] if aware is None else aware.range_variables
        # With the states of the dropouts, which `weights` leaves out.
        return [*self._segmenter.variables, *ranges, *trained.optimizer.variables]


def _are_of_a_model(weights: str | None) -> bool:
    """Whether weights are more than those of a backbone, as far as their name tells."""
    rows = [row for row in manifest().values() if weights in (row.name, row.dataset)]
    whole = not rows or any(row.model is not None for row in rows)
    return weights is not None and whole


def _columns(scores: SegmentationScores, names: Any) -> dict[str, Any]:
    found = describe_scores(scores, names)
    classes = {f"iou_{name}": value for name, value in found.pop("class_iou").items()}
    return {**found, **classes}
