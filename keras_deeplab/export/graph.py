"""From a model to the one graph that is shipped: pixels in, an answer out."""

import dataclasses
from collections.abc import Callable

import keras
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.inference.refine_photo import refine_logits
from keras_deeplab.layers import DenseCRF, resize_bilinear
from keras_deeplab.models import Segmenter

_TINY = 1e-30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Graph:
    """A model cut where its logits are brought to full size.

    Args:
        model: The model.
        crf: A CRF without weights that refines the logits at full size, or `None`.
    """

    model: Segmenter
    crf: DenseCRF | None = None

    @property
    def coarse(self) -> keras.Model:
        """The network from its input to its logits, as coarse as its features."""
        inputs = self.model.get_layer("upsampling").input
        logits = inputs[0] if isinstance(inputs, list | tuple) else inputs
        return keras.Model(self.model.inputs, logits)

    def full_logits(self, coarse: Tensor, pixels: Tensor) -> Tensor:
        """Logits at the size of the pixels; of the CRF's answer if there is one."""
        return self.refined_logits(self._resized(coarse, pixels), pixels)

    def refined_logits(self, logits: Tensor, pixels: Tensor) -> Tensor:
        """Does what `full_logits` does, of logits at the size of the pixels."""
        if self.crf is None:
            return logits
        return _logarithms(self._refined(self.crf, logits, pixels))

    def full_probabilities(self, coarse: Tensor, pixels: Tensor) -> Tensor:
        """Probabilities at the size of the pixels; the CRF's if there is one."""
        return self.probabilities(self._resized(coarse, pixels), pixels)

    def probabilities(self, logits: Tensor, pixels: Tensor) -> Tensor:
        """Does what `full_probabilities` does, of logits at the size of the pixels."""
        if self.crf is None:
            return self._end(logits)
        return self._refined(self.crf, logits, pixels)

    @property
    def activation(self) -> str:
        """The name of what makes probabilities of logits."""
        if self.crf is not None:
            return "softmax"
        return str(getattr(self._end, "__name__", "softmax"))

    def _resized(self, coarse: Tensor, pixels: Tensor) -> Tensor:
        _, height, width, _ = ops.shape(pixels)
        return resize_bilinear(coarse, (height, width))

    def _refined(self, crf: DenseCRF, logits: Tensor, pixels: Tensor) -> Tensor:
        if self._end is not keras.activations.softmax:
            # Those of which the softmax is what the model ends in.
            logits = _logarithms(self._end(logits))
        return refine_logits(crf, logits, pixels)

    @property
    def _end(self) -> Callable[[Tensor], Tensor]:
        for layer in self.model.layers:
            if layer.name == "predictions":
                return layer.activation
        return keras.activations.softmax


def _logarithms(probabilities: Tensor) -> Tensor:
    return ops.log(ops.maximum(probabilities, _TINY))
