import numpy as np
import pytest

from keras_deeplab.layers import SqueezeExcite
from tests.checks import check_layer, pixels, randomize


def test_squeeze_excite_keeps_the_layer_contract() -> None:
    check_layer(SqueezeExcite, {"squeezed_filters": 3}, (2, 9, 8, 4), (2, 9, 8, 4))


def test_squeeze_excite_of_any_map_is_a_hard_sigmoid_gate_on_each_channel() -> None:
    inputs = pixels((2, 9, 8, 4))
    layer = SqueezeExcite(3)
    layer.build(inputs.shape)
    randomize(layer)
    # Gates below, inside and above the sloped part.
    layer.expand.bias.assign([-5, 0.5, -1, 5])
    reduce, reduce_bias, expand, expand_bias = map(np.array, layer.weights)
    squeezed = np.maximum(inputs.mean((1, 2)) @ reduce[0, 0] + reduce_bias, 0)
    gates = np.clip((squeezed @ expand[0, 0] + expand_bias + 3) / 6, 0, 1)
    assert (gates[:, 0] == 0).all()
    assert ((gates[:, 1:3] > 0) & (gates[:, 1:3] < 1)).all()
    assert (gates[:, 3] == 1).all()
    expected = inputs * gates[:, None, None]
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-6)


def test_squeezed_filters_out_of_range_are_named_in_the_error() -> None:
    message = r"`squeezed_filters` must be .* Received: squeezed_filters=0"
    with pytest.raises(ValueError, match=message):
        SqueezeExcite(0)
