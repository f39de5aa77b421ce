import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_deeplab.layers import Resize, resize_bilinear
from tests.checks import check_layer, pixels
from tests.layers import litert, numpy_layers

SHAPE = (2, 9, 8, 4)
SIZES = [(33, 29), (4, 3), (9, 8), (1, 1), (5, 17)]

both_alignments = pytest.mark.parametrize("align_corners", [True, False])


@pytest.mark.parametrize(
    ("kwargs", "expected_shape"),
    [
        ({"size": 5}, (2, 5, 5, 4)),
        ({"size": (4, 13), "align_corners": False}, (2, 4, 13, 4)),
        ({"scale": 0.75}, (2, 7, 6, 4)),
    ],
)
def test_resize_of_any_form_keeps_the_layer_contract(
    kwargs: dict[str, Any], expected_shape: tuple[int, ...]
) -> None:
    check_layer(Resize, kwargs, SHAPE, expected_shape)


@both_alignments
@pytest.mark.parametrize("size", SIZES)
def test_resize_to_any_size_interpolates(
    size: tuple[int, int], align_corners: bool
) -> None:
    inputs = pixels(SHAPE)
    found = resize_bilinear(inputs, size, align_corners=align_corners)
    expected = numpy_layers.resize(inputs, size, align_corners=align_corners)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_resize_to_any_size_equals_that_of_tensorflow(size: tuple[int, int]) -> None:
    inputs = pixels(SHAPE)
    aligned = tf.compat.v1.image.resize_bilinear(inputs, size, align_corners=True)
    found = resize_bilinear(inputs, size)
    np.testing.assert_allclose(found, aligned, rtol=1e-5, atol=1e-6)
    areas = tf.image.resize(inputs, size, method="bilinear", antialias=False)
    found = resize_bilinear(inputs, size, align_corners=False)
    np.testing.assert_allclose(found, areas, rtol=1e-5, atol=1e-6)


@both_alignments
@pytest.mark.parametrize("size", SIZES)
def test_resize_on_another_backend_is_the_same(
    size: tuple[int, int], align_corners: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = pixels(SHAPE)
    expected = resize_bilinear(inputs, size, align_corners=align_corners)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    found = resize_bilinear(inputs, size, align_corners=align_corners)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_aligned_corners_of_any_stride_share_the_coarse_pixels() -> None:
    coarse = pixels((1, 5, 4, 3))
    fine = np.array(resize_bilinear(coarse, (33, 25)))
    np.testing.assert_allclose(fine[:, ::8, ::8], coarse, rtol=1e-5, atol=1e-6)


def test_resize_in_half_precision_is_exact_until_the_end() -> None:
    inputs = keras.ops.cast(pixels(SHAPE), "float16")
    expected = resize_bilinear(keras.ops.cast(inputs, "float32"), (33, 29))
    assert resize_bilinear(inputs, (33, 29)).dtype == "float32"
    found = Resize((33, 29), dtype="float16")(inputs)
    np.testing.assert_array_equal(found, keras.ops.cast(expected, "float16"))


@pytest.mark.parametrize(
    ("scale", "side", "new_side"),
    [
        (0.5, 513, 257),
        (0.5, 8, 4),
        (0.75, 513, 385),
        (1.75, 33, 57),
        (1 / 16, 513, 33),
        (1 / 16, 512, 32),
        (16, 33, 513),
        (0.001, 33, 1),
        # In floating point 0.7 * 90 is 62.99.
        (0.7, 91, 64),
        # In single precision 7 / 3 * 27 is 63.000004, in double 62.99.
        (7 / 3, 28, 64),
        (1 / 3, 100, 34),
    ],
)
def test_scale_of_a_known_or_unknown_side_keeps_corners_aligned(
    scale: float, side: int, new_side: int
) -> None:
    layer = Resize(scale=scale)
    assert layer.compute_output_shape((None, side, None, 4)) == (
        None,
        new_side,
        None,
        4,
    )
    # An aligned resize to one pixel keeps the first, to any size the last as well.
    inputs = np.arange(side, dtype="float32").reshape(1, side, 1, 1)
    unknown = keras.Input((None, None, 1))
    outputs = np.array(keras.Model(unknown, layer(unknown))(inputs))
    assert outputs.shape == (1, new_side, 1, 1)
    np.testing.assert_array_equal(outputs, layer(inputs))


@pytest.mark.parametrize("sides", [(33, 29), (None, None), (33, None)])
def test_resize_like_another_map_takes_its_size(
    sides: tuple[int | None, ...], tmp_path: pathlib.Path
) -> None:
    small = keras.Input((None, None, 4))
    large = keras.Input((*sides, 3))
    outputs = Resize(name="resize")(small, like=large)
    assert outputs.shape == (None, *sides, 4)
    model = keras.Model([small, large], outputs)
    inputs = [pixels(SHAPE), pixels((2, 33, 29, 3))]
    expected = numpy_layers.resize(inputs[0], (33, 29))
    np.testing.assert_allclose(model(inputs), expected, rtol=1e-5, atol=1e-5)
    model.save(tmp_path / "model.keras")
    revived = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(revived(inputs), model(inputs))


def run_like(x: keras.KerasTensor) -> keras.KerasTensor:
    pooled = keras.layers.AveragePooling2D(2)(x)
    return Resize()(pooled, like=x)


RESIZES = {
    "size": Resize((17, 5)),
    "areas": Resize((17, 5), align_corners=False),
    "scale": Resize(scale=2),
    "like": run_like,
}


SIZE_ARITHMETIC = {"ADD", "FLOOR_DIV", "MUL", "PACK", "SHAPE", "STRIDED_SLICE", "SUB"}


@pytest.mark.parametrize("side", [9, None])
@pytest.mark.parametrize("form", RESIZES)
def test_resize_of_any_form_exports_as_one_operation(
    form: str, side: int | None
) -> None:
    inputs = keras.Input((side, side, 4))
    model = keras.Model(inputs, RESIZES[form](inputs))
    content = litert.convert(model)
    operations = litert.operations(content)
    operations.pop("AVERAGE_POOL_2D", None)
    assert operations.pop("RESIZE_BILINEAR") == 1
    # Besides it, only the arithmetic of a size that is not known.
    assert not operations or (side is None and form in ("scale", "like"))
    assert set(operations) <= SIZE_ARITHMETIC
    features = pixels((1, 9, 9, 4))
    (answer,) = litert.run(content, features)
    np.testing.assert_allclose(answer, model(features), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"size": 0}, r"`size` must be a positive integer, .* Received: size=0"),
        ({"size": (1, 2, 3)}, r"Received: size=\(1, 2, 3\)"),
        ({"scale": 0}, r"`scale` must be above 0\. Received: scale=0"),
        ({"scale": float("nan")}, r"Received: scale=nan"),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Resize(**kwargs)


@pytest.mark.parametrize(
    ("kwargs", "like"),
    [({}, False), ({"size": 5, "scale": 2.0}, False), ({"size": 5}, True)],
)
def test_resize_with_no_or_two_sizes_is_refused(
    kwargs: dict[str, Any], like: bool
) -> None:
    maps = {"like": pixels(SHAPE)} if like else {}
    message = r"exactly one of `size`, `scale` and, when calling, `like`\. Received: "
    with pytest.raises(ValueError, match=message):
        Resize(**kwargs)(pixels(SHAPE), **maps)
