"""The model that is scored and kept."""

from typing import Any

import keras

from keras_deeplab.models import Segmenter


class AveragedModel:
    """A copy of a model in training, with the averaged weights where there are any.

    The model in training is left alone: swapping its weights for their averages and
    back would round them.

    Args:
        model: The model in training.
        output_stride: That of the copy; `None` for the model's own.
    """

    def __init__(self, model: Segmenter, output_stride: int | None = None) -> None:
        copy = model.with_dtype("float32")
        if output_stride not in (None, model.output_stride):
            copy = copy.with_output_stride(output_stride)
        self.model = copy
        self._trained = model

    def update(self, optimizer: Any | None) -> Segmenter:
        """Brings the copy up to date.

        Args:
            optimizer: That of the training; `None` before its first step, when there
                is nothing to average.

        Returns:
            The copy, always the same object.
        """
        averages = {} if optimizer is None else _averages(optimizer)
        self.model.set_weights(
            [
                keras.ops.convert_to_numpy(averages.get(id(weight), weight))
                for weight in self._trained.weights
            ]
        )
        return self.model


def _averages(optimizer: Any) -> dict[int, Any]:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not inner.use_ema:
        return {}
    # As `keras.callbacks.SwapEMAWeights` finds them.
    variables = inner._trainable_variables
    means = inner._model_variables_moving_average
    return {id(v): mean for v, mean in zip(variables, means, strict=True)}
