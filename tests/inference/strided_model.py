"""A model of features eight pixels apart that looks no further than eleven pixels."""

from typing import Any

import numpy as np

from keras_deeplab.layers import resize_bilinear
from tests.inference.color_model import ColorModel

#: A feature lies up to 7 pixels away, and is made of pixels 3 to each side of it.
REACH = 11


class StridedModel(ColorModel):
    """Averages 7 x 7 pixels at every eighth one, and fills in linearly."""

    def predict_on_batch(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        scores = super().predict_on_batch(x)
        height, width = x.shape[1:3]
        padded = np.pad(scores, ((0, 0), (3, 3), (3, 3), (0, 0)))
        features = sum(
            padded[:, top : top + height : 8, left : left + width : 8]
            for top in range(7)
            for left in range(7)
        )
        return np.asarray(resize_bilinear(features, (height, width))) / 49
