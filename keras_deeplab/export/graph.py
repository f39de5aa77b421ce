"""From a model to the one graph that is shipped: pixels in, an answer out."""

import dataclasses
from collections.abc import Callable

import keras
from keras import ops

from keras_deeplab._types import Tensor
from keras_deeplab.layers import resize_bilinear
from keras_deeplab.models import Segmenter

# A step between logits and answer: `(logits, pixels) -> logits`, all at full size.
Refine = Callable[[Tensor, Tensor], Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Graph:
    """A model cut where its logits are brought to full size.

    Args:
        model: The model.
        refine: A step that improves the logits at full size, float32
            `(batch, height, width, classes)`, by the RGB pixels of 0 to 255, float32;
            or `None`.
    """

    model: Segmenter
    refine: Refine | None = None

    @property
    def coarse(self) -> keras.Model:
        """The network from its input to its logits, as coarse as its features."""
        inputs = self.model.get_layer("upsampling").input
        logits = inputs[0] if isinstance(inputs, list | tuple) else inputs
        return keras.Model(self.model.inputs, logits)

    def full_logits(self, coarse: Tensor, pixels: Tensor) -> Tensor:
        """Logits at the size of the pixels, refined if that is wanted."""
        _, height, width, _ = ops.shape(pixels)
        logits = resize_bilinear(coarse, (height, width))
        return logits if self.refine is None else self.refine(logits, pixels)

    def probabilities(self, logits: Tensor) -> Tensor:
        """What the model ends in, or softmax."""
        return self._end(logits)

    @property
    def activation(self) -> str:
        """The name of what makes probabilities of logits."""
        return str(getattr(self._end, "__name__", "softmax"))

    @property
    def _end(self) -> Callable[[Tensor], Tensor]:
        for layer in self.model.layers:
            if layer.name == "predictions":
                return layer.activation
        return keras.activations.softmax
