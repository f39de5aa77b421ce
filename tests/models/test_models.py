"""What one model has and another has not; arguments and their errors."""

import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.layers import ASPP, ImagePooling, resize_bilinear
from keras_deeplab.models.complexity import MODELS

_MOBILE: dict[str, Any] = {"backbone": "mobilenet_v2", "alpha": 0.35}
_SMALL_RESNET: dict[str, Any] = {
    "backbone": "resnet50",
    "blocks": (1, 1, 1, 3),
    "stage_filters": (4, 4, 8, 8),
}


def _image(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (1, height, width, 3)).astype("float32")


@pytest.mark.parametrize(
    ("output_stride", "expected"),
    [(8, (12, 24, 36)), (16, (6, 12, 18)), (32, (3, 6, 9))],
)
def test_v3_default_rates_keep_their_extent(
    output_stride: int, expected: tuple[int, ...]
) -> None:
    model = keras_deeplab.DeepLabV3(**_MOBILE, output_stride=output_stride)
    assert model.get_layer("aspp").rates == expected


def test_v3_given_rates_rescale_with_the_output_stride() -> None:
    model = keras_deeplab.DeepLabV3(**_MOBILE, atrous_rates=(4, 8), output_stride=16)
    assert model.with_output_stride(8).get_layer("aspp").rates == (8, 16)
    assert model.with_output_stride(32).get_layer("aspp").rates == (2, 4)


def test_official_mobilenet_form_has_no_atrous_branches_and_no_decoder() -> None:
    model = keras_deeplab.DeepLabV3(**_MOBILE, atrous_rates=(), crop_size=513)
    aspp = model.get_layer("aspp")
    assert aspp.rates == ()
    assert aspp.image_pooling_window == (33, 33)
    assert model.with_output_stride(8).get_layer("aspp").image_pooling_window == (
        65,
        65,
    )
    assert not any(layer.name.startswith("decoder") for layer in model.layers)


def test_v3plus_decoder_joins_the_official_low_level_features() -> None:
    model = keras_deeplab.DeepLabV3Plus("mobilenet_v2", input_shape=(65, 65, 3))
    projection = model.get_layer("decoder_projection")
    assert projection.input.shape == (None, 17, 17, 144)
    assert projection.output.shape == (None, 17, 17, 48)
    assert model.get_layer("decoder_concat").output.shape == (None, 17, 17, 304)
    assert model.get_layer("decoder_conv2").output.shape == (None, 17, 17, 256)


@pytest.mark.parametrize(
    ("output_stride", "rates"),
    [
        (8, ((2, 12), (36, 30), (12, 6), (2, 2), (12, 42))),
        (16, ((1, 6), (18, 15), (6, 3), (1, 1), (6, 21))),
        (32, ((1, 3), (9, 7), (3, 1), (1, 1), (3, 10))),
    ],
)
def test_v3plus_cell_keeps_its_extent_at_every_stride(
    output_stride: int, rates: tuple[tuple[int, int], ...]
) -> None:
    arguments = {**_MOBILE, "pyramid": "dpc", "filters": 8}
    model = keras_deeplab.DeepLabV3Plus(**arguments, output_stride=output_stride)
    cell = model.get_layer("dpc")
    assert (cell.rates, cell.filters, cell.dropout) == (rates, 8, 0.1)
    # Also by the way of a stride that has to round.
    moved = model.with_output_stride(32).with_output_stride(output_stride)
    assert moved.get_layer("dpc").rates == rates
    np.testing.assert_array_equal(moved(_image(65, 81)), model(_image(65, 81)))


def test_v3plus_with_a_cell_comes_back_from_its_file(tmp_path: pathlib.Path) -> None:
    model = keras_deeplab.DeepLabV3Plus(**_MOBILE, pyramid="dpc", separable=False)
    model.save(tmp_path / "model.keras")
    loaded = keras_deeplab.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded(_image(33, 49)), model(_image(33, 49)))
    names = {layer.name for layer in loaded.layers}
    assert "dpc" in names
    assert "aspp" not in names


def test_v3plus_from_a_configuration_without_a_pyramid_has_the_atrous_one() -> None:
    model = keras_deeplab.DeepLabV3Plus(**_MOBILE)
    config = model.get_config()
    assert config["image_pooling"] is True
    del config["pyramid"]
    assert keras_deeplab.DeepLabV3Plus.from_config(config).get_config() == (
        model.get_config()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pyramid": "spp"}, r"`pyramid` must be one of 'aspp', 'dpc'\. Received: "),
        (
            {"pyramid": "dpc", "atrous_rates": (6, 12)},
            r"`atrous_rates` must be `None` with .* Received: atrous_rates=\(6, 12\)",
        ),
        (
            {"pyramid": "dpc", "image_pooling": True},
            r"`image_pooling` must be `None` with .* Received: image_pooling=True",
        ),
    ],
)
def test_v3plus_of_contradictory_pyramid_raises(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        keras_deeplab.DeepLabV3Plus(**_MOBILE, **arguments)


def test_v1_fc6_has_rate_12_at_stride_8_and_1024_filters() -> None:
    model = keras_deeplab.DeepLabV1()
    fc6 = model.get_layer("fc6")
    assert (fc6.rate, fc6.kernel_size, fc6.filters) == (12, 3, 1024)


@pytest.mark.parametrize(("output_stride", "rate"), [(16, 6), (32, 3)])
def test_v1_given_rate_rescales_with_the_output_stride(
    output_stride: int, rate: int
) -> None:
    for given in (None, 12):
        model = keras_deeplab.DeepLabV1(rate=given, classes=2)
        moved = model.with_output_stride(output_stride)
        assert moved.get_layer("fc6").rate == rate


def test_v2_on_vgg_is_aspp_l_and_on_request_aspp_s() -> None:
    aspp_l = keras_deeplab.DeepLabV2("vgg16").get_layer("network").get_layer("aspp")
    assert (aspp_l.rates, aspp_l.hidden_filters) == ((6, 12, 18, 24), 1024)
    small = keras_deeplab.DeepLabV2(
        "vgg16", atrous_rates=(2, 4, 8, 12), hidden_filters=8
    )
    aspp_s = small.get_layer("network").get_layer("aspp")
    assert (aspp_s.rates, aspp_s.hidden_filters) == ((2, 4, 8, 12), 8)
    names = {layer.name for layer in small.get_layer("network").layers}
    assert "pool5" in names
    assert "pool5a" not in names


def test_v2_scales_take_the_highest_score_of_each_class() -> None:
    model = keras_deeplab.DeepLabV2(
        **_SMALL_RESNET, classes=3, scales=(1, 0.75, 0.5), dropout=0
    )
    image = _image(65, 81)
    network = model.get_layer("network")
    scores = []
    for height, width in ((65, 81), (49, 61), (33, 41)):
        logits = network(resize_bilinear(image, (height, width)))
        scores.append(np.asarray(resize_bilinear(logits, (9, 11))))
    expected = resize_bilinear(np.max(scores, axis=0), (65, 81))
    found = np.asarray(model(image))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(found).max())


def test_v2_weights_fit_every_set_of_scales() -> None:
    one = keras_deeplab.DeepLabV2(**_SMALL_RESNET, classes=3)
    three = keras_deeplab.DeepLabV2(**_SMALL_RESNET, classes=3, scales=(1, 0.75, 0.5))
    assert [w.path for w in one.weights] == [w.path for w in three.weights]


def test_lraspp_is_a_gated_projection_plus_low_level_logits() -> None:
    model = keras_deeplab.LRASPP(
        "mobilenet_v3_small", classes=3, output_stride=32, input_shape=(129, 161, 3)
    )
    gate = model.get_layer("gate")
    assert isinstance(gate, ImagePooling)
    # The official flags: a crop of 769, steps of 4 and 5 at output stride 32.
    assert (gate.window, gate.strides) == ((25, 25), (4, 5))
    inner = keras.Model(
        model.input,
        [
            model.get_layer("projection").output,
            gate.output,
            model.get_layer("low_level_logits").output,
        ],
    )
    projected, gates, low = (np.asarray(x) for x in inner(_image(129, 161)))
    assert gates.min() >= 0
    assert gates.max() <= 1
    kernel, bias = (np.asarray(w) for w in model.get_layer("logits").weights)
    high = (projected * gates) @ kernel[0, 0] + bias
    expected = resize_bilinear(
        np.asarray(resize_bilinear(high, low.shape[1:3])) + low, (129, 161)
    )
    np.testing.assert_allclose(model(_image(129, 161)), expected, atol=1e-5)


def test_classifier_activation_softmax_sums_to_one() -> None:
    model = keras_deeplab.DeepLabV3(**_MOBILE, classifier_activation="softmax")
    np.testing.assert_allclose(np.asarray(model(_image(33, 33))).sum(-1), 1, atol=1e-6)


def test_include_preprocessing_takes_pixels() -> None:
    plain = keras_deeplab.DeepLabV3(**_MOBILE)
    whole = keras_deeplab.DeepLabV3(**_MOBILE, include_preprocessing=True)
    whole.set_weights(plain.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (1, 33, 33, 3), dtype=np.uint8)
    np.testing.assert_allclose(
        whole(whole.preprocess(pixels)), plain(pixels / 127.5 - 1), atol=1e-5
    )


@pytest.mark.parametrize(
    ("backbone", "pixel"),
    [
        ("mobilenet_v2", (127.5, 127.5, 127.5)),
        ("resnet50", (123.68, 116.779, 103.939)),
    ],
)
def test_pad_pixel_preprocesses_to_zero(
    backbone: str, pixel: tuple[float, float, float]
) -> None:
    model = keras_deeplab.DeepLabV3(
        backbone, **({"alpha": 0.35} if backbone == "mobilenet_v2" else {})
    )
    assert model.pad_pixel == pixel
    pixels = np.broadcast_to(np.float32(pixel), (1, 2, 2, 3))
    np.testing.assert_allclose(model.preprocess(pixels), 0, atol=1e-5)


def test_functional_model_takes_our_layers_apart_from_our_models() -> None:
    inputs = keras.Input((33, 33, 8))
    outputs = ASPP(4, rates=(2,), image_pooling=False)(inputs)
    assert keras.Model(inputs, outputs).output_shape == (None, 33, 33, 4)


@pytest.mark.parametrize("cls", MODELS)
def test_model_on_unsuitable_backbone_lists_those_it_has(cls: type) -> None:
    unsuitable = (
        "resnet50_beta" if cls.__name__ in ("DeepLabV1", "DeepLabV2") else ("vgg16")
    )
    with pytest.raises(ValueError, match=f"Received: backbone='{unsuitable}'") as error:
        cls(unsuitable)
    assert all(name in str(error.value) for name in cls.backbones)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 0}, "`classes` must be an integer of at least 1"),
        ({"output_stride": 12}, "`output_stride` must be 8, 16 or 32"),
        ({"atrous_rates": (6, 0)}, "`atrous_rates` must hold integers"),
        ({"filters": -1}, "`filters` must be an integer"),
        ({"dropout": 1.0}, r"`dropout` must lie in \[0, 1\)"),
        ({"crop_size": (1, 2, 3)}, "`crop_size` must be a positive integer, or"),
        ({"resize_mode": "crop"}, "`resize_mode` must be one of 'pad', 'stretch'"),
        ({"preprocessing": "rgb"}, "`preprocessing` must be one of"),
        ({"output_stride": 16.5}, "`output_stride` must be 8, 16 or 32"),
        ({"atrous_rates": 6}, "`atrous_rates` must hold integers.*atrous_rates=6"),
        ({"crop_size": 513.0}, "`crop_size` must be a positive integer, or"),
        ({"class_names": ["a"]}, "one name for each of the 21 classes"),
        ({"class_names": "a" * 21}, "one name for each of the 21 classes"),
        ({"class_names": list(range(21))}, "one name for each of the 21 classes"),
        ({"input_shape": (65, 65)}, "`input_shape` must be a height, a width and 3"),
        ({"input_shape": (65, 65, 1)}, "`input_shape` must be a height, a width"),
        ({"weights": "nowhere"}, r"`weights` must be a file .*'nowhere'"),
        ({"alpha": "0.5"}, "`alpha` must be a number"),
        ({"backbone": "resnet5"}, "Unknown `backbone`"),
    ],
)
def test_v3_of_bad_argument_raises(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        keras_deeplab.DeepLabV3(**{**_MOBILE, **arguments})


@pytest.mark.parametrize("name", ["low_level_filters", "decoder_filters"])
@pytest.mark.parametrize("filters", [None, 0, -1])
def test_v3plus_of_bad_filters_raises(name: str, filters: int | None) -> None:
    with pytest.raises(ValueError, match=f"`{name}` must be an integer"):
        keras_deeplab.DeepLabV3Plus(**_MOBILE, **{name: filters})


def test_v2_of_bad_hidden_filters_names_them() -> None:
    with pytest.raises(ValueError, match="`hidden_filters` must be an integer"):
        keras_deeplab.DeepLabV2(**_SMALL_RESNET, hidden_filters=-1)


def test_numpy_arguments_are_kept_as_plain_numbers() -> None:
    model = keras_deeplab.DeepLabV3(
        **_MOBILE,
        classes=np.int64(3),
        output_stride=np.int64(16),
        atrous_rates=np.array([2, 4]),
        crop_size=np.int64(33),
    )
    config = json.loads(json.dumps(model.get_config()))
    assert config["classes"] == 3
    assert config["atrous_rates"] == [2, 4]


def test_frozen_layers_stay_frozen_in_a_file_and_at_another_stride(
    tmp_path: pathlib.Path,
) -> None:
    model = keras_deeplab.DeepLabV3(**_MOBILE)
    norms = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for norm in norms:
        norm.trainable = False
    model.get_layer("conv").trainable = False
    expected = [weight.path for weight in model.trainable_weights]
    assert len(expected) == len(model.weights) - 4 * len(norms) - 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for found in (loaded, model.with_output_stride(8)):
        assert [weight.path for weight in found.trainable_weights] == expected


def test_frozen_layers_that_the_model_has_not_are_refused() -> None:
    config = keras_deeplab.DeepLabV3(**_MOBILE).get_config()
    with pytest.raises(ValueError, match=r"`frozen` .*'/logits'.* with /logit$"):
        keras_deeplab.DeepLabV3.from_config({**config, "frozen": ["/logit"]})


def test_separable_blocks_start_as_published() -> None:
    model = keras_deeplab.DeepLabV3Plus("mobilenet_v2")
    for path, expected in (
        ("aspp/rate_1/depthwise/kernel", 0.33),
        ("aspp/rate_1/pointwise/kernel", 0.06),
        ("decoder_conv1/depthwise/kernel", 0.33),
        ("decoder_conv2/pointwise/kernel", 0.06),
        ("logits/kernel", 0.01),
    ):
        (weight,) = (w for w in model.weights if w.path == path)
        # Keras' truncated normal has 0.88 of the deviation it is given.
        assert np.std(weight) == pytest.approx(0.88 * expected, rel=0.1)


def test_lraspp_given_strides_rescale_with_the_output_stride() -> None:
    model = keras_deeplab.LRASPP("mobilenet_v3_small", pooling_strides=(8, 10))
    gate = model.with_output_stride(8).get_layer("gate")
    assert (gate.window, gate.strides) == ((97, 97), (16, 20))


@pytest.mark.parametrize("cls", [keras_deeplab.DeepLabV1, keras_deeplab.DeepLabV2])
def test_v1_and_v2_subtract_the_mean_of_the_released_models(cls: Any) -> None:
    model = cls("vgg16", classes=2)
    blue = model.preprocess(np.float32([[[[0, 0, 255]]]]))
    np.testing.assert_allclose(
        blue, [[[[255 - 104.008, -116.669, -122.675]]]], atol=1e-4
    )


@pytest.mark.parametrize("scales", [(), (0.5, 1), (1, 0), (1, 1.5)])
def test_v2_of_bad_scales_raises(scales: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="`scales` must begin with 1"):
        keras_deeplab.DeepLabV2(**_SMALL_RESNET, scales=scales)


def test_v3_of_unknown_option_names_those_of_the_backbone() -> None:
    with pytest.raises(TypeError, match=r"It takes: .*alpha.*Received: depth"):
        keras_deeplab.DeepLabV3("mobilenet_v2", depth=3)
