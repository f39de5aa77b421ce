import keras
import numpy as np
import pytest

from keras_deeplab.layers import AtrousConv, ConvBlock, Sum
from keras_deeplab.layers.watch import watched_by

RNG = np.random.default_rng(0)


class Doubled:
    """A watcher of kernels of twice the size, that writes down what it sees."""

    def __init__(self) -> None:
        self.seen: list[keras.layers.Layer] = []

    def kernel(self, layer: keras.layers.Layer, kernel: object) -> object:
        return 2 * keras.ops.convert_to_tensor(kernel)

    def feature_map(self, layer: keras.layers.Layer, outputs: object) -> object:
        self.seen.append(layer)
        return outputs


def test_sum_adds() -> None:
    maps = [RNG.normal(size=(2, 5, 4, 3)).astype("float32") for _ in range(2)]
    np.testing.assert_array_equal(Sum()(maps), maps[0] + maps[1])


def test_watcher_sees_and_changes_what_is_computed_inside_the_block_alone() -> None:
    inputs = RNG.normal(size=(1, 5, 4, 3)).astype("float32")
    conv = AtrousConv(2, 3, use_bias=False)
    block = ConvBlock(2, 3, separable=True, activation="relu")
    before, _ = conv(inputs), block(inputs)
    total, watcher = Sum(), Doubled()
    with watched_by(watcher):
        np.testing.assert_allclose(conv(inputs), 2 * np.asarray(before), rtol=1e-5)
        block(inputs)
        total([inputs, inputs])
    assert watcher.seen == [conv, *block.steps, total]
    with pytest.raises(RuntimeError, match="inside"), watched_by(watcher):
        raise RuntimeError("inside")
    np.testing.assert_array_equal(conv(inputs), before)
    assert len(watcher.seen) == len(block.steps) + 2
