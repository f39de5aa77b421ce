"""Stops at the first loss that is no number, and says where it came from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_deeplab.layers import arguments


class StopOnNaN(keras.callbacks.Callback):
    """Raises `FloatingPointError` when the loss, or a weight, is NaN or infinite.

    The message names the step and, with `files`, the images of the batch. The model is
    given back the last good weights: a copy is taken at the begin of training and
    again every `keep_every` batches, after a look at every weight, since a loss is
    still fine in the step whose update spoils them. The optimizer's state is not kept.

    Args:
        keep_every: Batches between two copies of the weights, which stay in the main
            memory.
        files: Called with the epoch and the batch, both from 0; returns the names of
            the batch's files. `None` if they are not known.

    Raises:
        FloatingPointError: From `fit`, when the loss or a weight is not finite.

    Examples:
        >>> callback = keras_deeplab.training.StopOnNaN(keep_every=500)
    """

    def __init__(
        self,
        *,
        keep_every: int = 500,
        files: Callable[[int, int], Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        self.keep_every = arguments.positive(keep_every=keep_every)
        self.files = files
        self._epoch = 0
        self._next_batch = 0
        self._step = 0
        self._kept_step = 0
        self._kept: list[Any] = []

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._step = 0
        self._kept = []
        self._keep(0)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._next_batch = 0

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        # More than one at a time with `steps_per_execution`.
        self._step += batch + 1 - self._next_batch
        self._next_batch = batch + 1
        loss = float((logs or {}).get("loss", 0.0))
        if not np.isfinite(loss):
            self._stop(batch, f"The loss is {loss}")
        if self._step - self._kept_step >= self.keep_every:
            self._keep(batch)

    def _keep(self, batch: int) -> None:
        weights = self.model.get_weights()
        bad = [
            variable.path
            for variable, value in zip(self.model.weights, weights, strict=True)
            if not np.isfinite(value).all()
        ]
        if bad:
            self._stop(batch, f"Weights are not finite: {', '.join(bad[:3])}")
        self._kept, self._kept_step = weights, self._step

    def _stop(self, batch: int, what: str) -> None:
        kept = "The weights are as they were"
        if self._kept:
            self.model.set_weights(self._kept)
            kept = f"The model has the weights of step {self._kept_step} again"
        found = "" if self.files is None else f" Files: {list(self._named(batch))}."
        raise FloatingPointError(
            f"{what} after step {self._step} (epoch {self._epoch}, batch {batch}). "
            f"{kept}.{found}"
        )

    def _named(self, batch: int) -> Sequence[str]:
        return self.files(self._epoch, batch) if self.files is not None else ()
