"""The batches of a training, on every backend."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_deeplab.data import (
    Augmentation,
    Samples,
    SegmentationData,
    SegmentationSequence,
    make_dataset,
)
from keras_deeplab.models import Segmenter
from keras_deeplab.training.recipe import Recipe


class Batches:
    """The training batches of a recipe: a function of its seed and the epoch.

    Args:
        data: Photos with masks.
        recipe: The recipe.
        model: The recipe's model, which knows its preprocessing.
        cache: Whether decoded files are kept in memory.
        workers: Threads that make batches, where TensorFlow does not.

    Raises:
        ValueError: If there is no full batch, or an option is out of range.
    """

    def __init__(
        self,
        data: SegmentationData,
        recipe: Recipe,
        model: Segmenter,
        *,
        cache: bool = False,
        workers: int = 1,
    ) -> None:
        self.data = data
        self.batch_size = recipe.batch_size
        self._outputs = len(model.get_config().get("scales", ())) + 1
        self._copies = self._outputs if recipe.multi_scale_loss else 0
        self._workers = workers
        self._preprocess = model.preprocess
        self._options: dict[str, Any] = {
            "crop_size": recipe.crop_size,
            "augment": Augmentation(**recipe.augmentation),
            "pad_pixel": model.pad_pixel,
            "seed": recipe.seed,
        }
        self._samples = Samples(data, **self._options)
        self._options["cache"] = cache
        if len(data) < self.batch_size:
            raise ValueError(
                f"`batch_size` must be at most the number of photos, {len(data)}. "
                f"Received: batch_size={self.batch_size}"
            )

    @property
    def steps(self) -> int:
        """Number of batches of an epoch; all are full."""
        return len(self.data) // self.batch_size

    def files(self, epoch: int, batch: int) -> Sequence[str]:
        """Names the photos of a batch, both counted from 0."""
        chosen = self._samples.order(epoch)[batch * self.batch_size :]
        return [
            Path(self.data.pairs[index].image).name
            for index in chosen[: self.batch_size]
        ]

    def from_epoch(
        self, epoch: int
    ) -> tuple[dict[str, Any], list[keras.callbacks.Callback]]:
        """Makes what `fit` takes.

        Args:
            epoch: The first epoch, from 0.

        Returns:
            Arguments of `fit`, and the callbacks that it needs with them.
        """
        options = {
            "batch_size": self.batch_size,
            "drop_remainder": True,
            "preprocess": self._preprocess,
            "first_epoch": epoch,
            **self._options,
        }
        if keras.backend.backend() == "tensorflow":
            dataset = make_dataset(self.data, repeat=True, **options)
            if self._copies:
                dataset = dataset.map(lambda x, y: (x, (y,) * self._copies))
            return {"x": dataset, "steps_per_epoch": self.steps}, []
        sequence = _Sequence(self._copies, self.data, options, self._workers)
        return {"x": sequence}, [_EpochOf(sequence)]


class _Sequence(SegmentationSequence):
    """Batches whose labels come once for each output."""

    def __init__(
        self,
        copies: int,
        data: SegmentationData,
        options: Mapping[str, Any],
        workers: int,
    ) -> None:
        super().__init__(data, workers=workers, **options)
        self._copies = copies

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        images, labels = super().__getitem__(index)
        return images, (labels,) * self._copies if self._copies else labels


class _EpochOf(keras.callbacks.Callback):
    """Keras counts an epoch when it looks at a first batch: here it counts anew."""

    def __init__(self, sequence: SegmentationSequence) -> None:
        super().__init__()
        self._sequence = sequence

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._sequence.go_to(epoch)
