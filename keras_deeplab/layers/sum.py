"""The sum that closes a residual block."""

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers.watch import watched_map


@register
class Sum(keras.layers.Add):
    """Adds feature maps, as `keras.layers.Add` does, where a watcher sees it.

    Call arguments:
        inputs: A list of feature maps of one shape.

    Examples:
        >>> total = keras_deeplab.layers.Sum()([keras.ops.ones((1, 2, 2, 3))] * 2)
        >>> float(total[0, 0, 0, 0])
        2.0
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        return watched_map(self, super().call(inputs))
