from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab.layers import DensePredictionCell
from tests.checks import check_layer, pixels, randomize
from tests.layers import litert, numpy_layers

SHAPE = (2, 9, 8, 4)
# As published, and written down apart: input, rate down, rate across of each branch.
PUBLISHED = ((-1, 1, 6), (0, 18, 15), (1, 6, 3), (0, 1, 1), (0, 6, 21))
EPSILON = 0.1


def test_cell_keeps_the_layer_contract() -> None:
    # Without dropout a step is the same each time.
    kwargs = {"rates": (2, (1, 3)), "sources": (-1, 0), "dropout": 0.0}
    check_layer(DensePredictionCell, {"filters": 3, **kwargs}, SHAPE, (2, 9, 8, 3))


def make_layer(**kwargs: Any) -> DensePredictionCell:
    layer = DensePredictionCell(3, **kwargs, epsilon=EPSILON, name="cell")
    layer.build(SHAPE)
    random = np.random.default_rng(3)
    for weight in layer.weights:
        spread = random.normal(size=weight.shape)
        positive = weight.name in ("gamma", "moving_variance")
        weight.assign(0.5 + np.abs(spread) if positive else spread)
    return layer


def stage(
    layer: DensePredictionCell, inputs: np.ndarray, name: str, **kwargs: Any
) -> np.ndarray:
    """Convolution, batch norm, ReLU."""
    weights = {
        weight.path.removeprefix(f"cell/{name}"): np.array(weight)
        for weight in layer.weights
        if weight.path.startswith(f"cell/{name}")
    }
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    norm = [weights[f"_batch_norm/{part}"] for part in parts]
    x = numpy_layers.convolve(inputs, weights["/kernel"], **kwargs)
    return numpy_layers.relu(numpy_layers.batch_norm(x, norm, EPSILON))


def expected_answer(layer: DensePredictionCell, inputs: np.ndarray) -> np.ndarray:
    maps = {-1: inputs}
    for index, (source, down, across) in enumerate(PUBLISHED):
        x = stage(
            layer,
            maps[source],
            f"branch_{index}/depthwise",
            rate=(down, across),
            depthwise=True,
        )
        maps[index] = stage(layer, x, f"branch_{index}/pointwise")
    merged = np.concatenate([maps[index] for index in range(5)], axis=-1)
    return stage(layer, merged, "projection/conv")


# Smaller than the largest rates, and larger.
@pytest.mark.parametrize("size", [(9, 8), (41, 47)])
def test_published_cell_is_the_projection_of_its_branches_in_order(
    size: tuple[int, int],
) -> None:
    layer = make_layer()
    inputs = pixels((2, *size, 4))
    expected = expected_answer(layer, inputs)
    assert np.mean(expected > 0) > 0.3
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-3)


def test_branches_start_as_the_official_ones() -> None:
    layer = DensePredictionCell()
    layer.build((None, None, None, 2048))
    for path, expected in (
        ("branch_0/depthwise/kernel", 0.33),
        ("branch_4/pointwise/kernel", 0.06),
    ):
        (weight,) = (w for w in layer.weights if w.path.endswith(path))
        # Keras' truncated normal has 0.88 of the deviation it is given.
        assert np.std(weight) == pytest.approx(0.88 * expected, rel=0.1)


def test_dropout_drops_channels_of_the_branches_before_the_projection() -> None:
    layer = DensePredictionCell(
        1, ((1, 1),), (-1,), dropout=0.75, epsilon=0.0, name="cell"
    )
    layer.build((1, 33, 33, 1))
    for weight in layer.weights:
        one = weight.name in ("gamma", "moving_variance")
        weight.assign(np.full(weight.shape, float(one)))
    # The branch is 2 everywhere; the projection adds 1 after the dropout.
    biases = {w.path: w for w in layer.weights if w.name == "beta"}
    biases["cell/branch_0/pointwise_batch_norm/beta"].assign([2.0])
    biases["cell/projection/conv_batch_norm/beta"].assign([1.0])
    layer.projection.steps[0].kernel.assign(np.ones((1, 1, 1, 1)))
    # Of batch statistics only the batch's are used, so they are not for training here.
    for norm in layer._flatten_layers():
        if isinstance(norm, keras.layers.BatchNormalization):
            norm.trainable = False
    inputs = pixels((1, 33, 33, 1))
    found = np.array(layer(inputs, training=True))
    assert set(np.unique(found.round(4))) == {1.0, 9.0}
    assert np.mean(found < 2) == pytest.approx(0.75, abs=0.05)
    np.testing.assert_allclose(layer(inputs), 3.0, rtol=1e-6)


def test_cell_of_an_unknown_size_exports_fused() -> None:
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, DensePredictionCell(3)(inputs))
    randomize(model)
    content = litert.convert(model)
    assert litert.operations(content) == {
        "DEPTHWISE_CONV_2D": 5,
        "CONV_2D": 6,
        "CONCATENATION": 1,
    }
    features = pixels((1, 25, 30, 4))
    (answer,) = litert.run(content, features)
    np.testing.assert_allclose(answer, model(features), rtol=1e-4, atol=1e-5)


_SOURCES = r"`sources` must hold, for each of the 2 branches of `rates`.*Received: sour"


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"filters": 0}, r"`filters` must be .* Received: filters=0"),
        ({"dropout": 1.0}, r"`dropout` must lie in \[0, 1\)\. Received: dropout=1\.0"),
        ({"rates": 6}, r"`rates` must hold .* Received: rates=6"),
        ({"rates": ((1, 6), 0)}, r"`rates` must hold .*rates=\(\(1, 6\), 0\)"),
        ({"rates": ((1, 2, 3),)}, r"`rates` must hold .*rates=\(\(1, 2, 3\),\)"),
        ({"rates": (), "sources": ()}, r"`sources` must hold, .*sources=\(\)"),
        ({"rates": (1, 2)}, _SOURCES),
        ({"rates": (1, 2), "sources": (-1, 1)}, _SOURCES),
        ({"rates": (1, 2), "sources": (0, 0)}, _SOURCES),
        ({"rates": (1, 2), "sources": (-1, -2)}, _SOURCES),
        ({"rates": (1, 2), "sources": (-1, 0.0)}, _SOURCES),
        ({"rates": (1, 2), "sources": -1}, _SOURCES),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        DensePredictionCell(**kwargs)
