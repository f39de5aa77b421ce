"""Every row of the table: levels, channels, rates, and one net at three strides."""

from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab.backbones import (
    ALIASES,
    BACKBONES,
    LEVELS,
    build_backbone,
    get_backbone,
)
from keras_deeplab.backbones.inverted_residual import make_divisible
from keras_deeplab.layers import AtrousConv, AtrousDepthwiseConv, SqueezeExcite

# Channels of c2 to c5 as in the official feature extractors and the papers.
_CHANNELS = {
    "mobilenet_v2": (144, 192, 576, 320),
    "mobilenet_v3_small": (16, 88, 144, 288),
    "mobilenet_v3_large": (72, 120, 672, 480),
    "resnet50": (256, 512, 1024, 2048),
    "resnet101": (256, 512, 1024, 2048),
    "resnet50_beta": (256, 512, 1024, 2048),
    "resnet101_beta": (256, 512, 1024, 2048),
    "vgg16": (256, 512, 512, 512),
    "xception41": (256, 728, 1024, 2048),
    "xception65": (256, 728, 1024, 2048),
    "xception71": (256, 728, 1024, 2048),
}
# The same nets with fewer layers of the kind that repeats, to be fast.
_SHORTER = {
    "resnet101": {"blocks": (3, 4, 2, 3)},
    "resnet101_beta": {"blocks": (3, 4, 2, 3)},
    "xception41": {"middle_units": 1},
    "xception65": {"middle_units": 2},
    "xception71": {"middle_units": 1},
}


@pytest.mark.parametrize("name", sorted(BACKBONES))
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_backbone_of_each_output_stride_has_the_official_levels(
    name: str, output_stride: int
) -> None:
    model = build_backbone(
        name,
        output_stride=output_stride,
        input_shape=(65, 129, 3),
        **_SHORTER.get(name, {}),
    )
    for index, level in enumerate(LEVELS):
        stride = min(4 * 2**index, output_stride)
        expected = (None, 64 // stride + 1, 128 // stride + 1, _CHANNELS[name][index])
        assert model.output[level].shape == expected


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_backbone_of_smaller_stride_subsampled_equals_that_of_larger(name: str) -> None:
    models = {
        stride: build_backbone(name, output_stride=stride, **_SHORTER.get(name, {}))
        for stride in (8, 16, 32)
    }
    weights = _lively_weights(models[8])
    image = np.random.default_rng(0).uniform(-1, 1, (1, 65, 65, 3)).astype("float32")
    features = {}
    for stride, model in models.items():
        model.set_weights(weights)
        features[stride] = model(image)
    for level in LEVELS:
        if name == "vgg16" and level == "c5":
            continue  # Its last pool is not dilated: the test below.
        fine = np.asarray(features[8][level])
        for stride in (16, 32):
            coarse = np.asarray(features[stride][level])
            step = (fine.shape[1] - 1) // (coarse.shape[1] - 1)
            scale = np.abs(coarse).max()
            assert scale > 0
            # Equal but for the order of summation in float32.
            np.testing.assert_allclose(
                fine[:, ::step, ::step] / scale, coarse / scale, atol=5e-6
            )


def test_vgg_last_pool_at_stride_8_is_the_official_undilated_one() -> None:
    model = build_backbone("vgg16", output_stride=8, average_pool=False)
    image = np.random.default_rng(0).uniform(-99, 99, (1, 65, 65, 3)).astype("float32")
    features = model(image)
    conv5, pool5 = (np.asarray(features[level])[0] for level in ("c4", "c5"))
    padded = np.pad(conv5, ((1, 1), (1, 1), (0, 0)))
    windows = [padded[y : y + 9, x : x + 9] for y in range(3) for x in range(3)]
    np.testing.assert_array_equal(pool5, np.max(windows, axis=0))


def test_vgg_average_pool_divides_by_nine_at_the_border_as_caffe_does() -> None:
    spec = get_backbone("vgg16", blocks=(1, 1, 1, 1, 1), stage_filters=(4, 4, 4, 4, 4))
    inputs = keras.Input((33, 33, 3))
    features = spec.features(inputs, 8)
    pool5 = next(n for n in keras.Model(inputs, features).layers if n.name == "pool5")
    model = keras.Model(inputs, [pool5.output, features["c5"]])
    pooled, averaged = model(np.random.default_rng(0).normal(size=(1, 33, 33, 3)))
    padded = np.pad(np.asarray(pooled)[0], ((1, 1), (1, 1), (0, 0)))
    windows = [padded[y : y + 5, x : x + 5] for y in range(3) for x in range(3)]
    np.testing.assert_allclose(averaged[0], np.mean(windows, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "output_stride", "prefix", "expected"),
    [
        ("resnet50_beta", 16, "block4", (2, 4, 8)),
        ("resnet50_beta", 8, "block4", (4, 8, 16)),
        ("resnet50_beta", 8, "block3", (1 * 2,) * 6),
        ("resnet50", 8, "block3", (2,) * 6),
        ("resnet50", 8, "block4", (4,) * 3),
        ("resnet50", 16, "block4", (2,) * 3),
        ("vgg16", 8, "conv5", (2,) * 3),
        ("vgg16", 8, "conv4", (1,) * 3),
    ],
)
def test_backbone_rates_are_those_of_the_official_network(
    name: str, output_stride: int, prefix: str, expected: tuple[int, ...]
) -> None:
    model = build_backbone(name, output_stride=output_stride)
    rates = [
        layer.rate
        for block in model.layers
        if block.name.startswith(prefix)
        for layer in block._flatten_layers()
        if isinstance(layer, AtrousConv) and layer.kernel_size == 3
    ]
    assert tuple(rates) == expected


@pytest.mark.parametrize("output_stride", [8, 16])
def test_xception_multi_grid_multiplies_the_last_modules_rates(
    output_stride: int,
) -> None:
    model = build_backbone(
        "xception41",
        output_stride=output_stride,
        middle_units=1,
        multi_grid=(1, 2, 4),
    )
    rates = [
        layer.rate
        for index in (1, 2, 3)
        for layer in model.get_layer(f"exit_flow_block2_conv{index}").steps
        if isinstance(layer, AtrousDepthwiseConv)
    ]
    base = 32 // output_stride
    assert rates == [base, 2 * base, 4 * base]


@pytest.mark.parametrize(
    ("alpha", "options", "channels"),
    [
        (1.0, {}, (32, 16, 24, 32, 64, 96, 160, 320)),
        # As in the official DeepLab model of width 0.5.
        (0.5, {}, (16, 8, 12, 16, 32, 48, 80, 160)),
        (0.75, {}, (24, 12, 18, 24, 48, 72, 120, 240)),
        (0.35, {}, (11, 6, 8, 11, 22, 34, 56, 112)),
        # As in keras.applications.MobileNetV2 of width 0.35.
        (0.35, {"divisible_by": 8}, (16, 8, 8, 16, 24, 32, 56, 112)),
    ],
)
def test_mobilenet_v2_alpha_scales_channels_as_the_official_code(
    alpha: float, options: dict[str, Any], channels: tuple[int, ...]
) -> None:
    model = build_backbone("mobilenet_v2", alpha=alpha, **options)
    blocks = ["", "_1", "_3", "_6", "_10", "_13", "_16"]
    names = ["conv", *(f"expanded_conv{index}_project" for index in blocks)]
    assert tuple(model.get_layer(n).filters for n in names) == channels


def test_mobilenet_v2_imagenet_weights_give_the_keras_applications_features(
    data_dir: Any,
) -> None:
    # Another implementation of the same net, with real trained weights.
    path = data_dir / "models/backbones/mobilenet_v2_0.35_224_imagenet_notop.h5"
    reference = keras.applications.MobileNetV2(
        input_shape=(224, 224, 3), alpha=0.35, include_top=False, weights=str(path)
    )
    reference = keras.Model(
        reference.input, reference.get_layer("block_16_project_BN").output
    )
    model = build_backbone("mobilenet_v2", output_stride=32, alpha=0.35, divisible_by=8)
    model.set_weights(reference.get_weights())
    image = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
    np.testing.assert_allclose(
        model(image)["c5"], reference(image), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("name", ["ResNet50", "ResNet101"])
def test_resnet_of_stride_32_equals_keras_applications(name: str) -> None:
    reference = getattr(keras.applications, name)(include_top=False, weights=None)
    blocks = (3, 4, 6, 3) if name == "ResNet50" else (3, 4, 23, 3)
    model = build_backbone(name.lower(), output_stride=32, epsilon=1.001e-5)
    _copy_resnet(reference, model, blocks)
    image = np.random.default_rng(0).uniform(-99, 99, (1, 64, 64, 3)).astype("float32")
    expected = np.asarray(reference(image))
    found = np.asarray(model(image)["c5"])
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


def test_get_backbone_of_alias_gives_the_same_row() -> None:
    for alias, name in ALIASES.items():
        assert get_backbone(alias) is not None
        assert get_backbone(alias) == BACKBONES[name]


def test_get_backbone_of_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'resnet50'") as error:
        get_backbone("resnet5")
    assert "Received: backbone='resnet5'" in str(error.value)
    assert all(name in str(error.value) for name in BACKBONES)


def test_get_backbone_of_unknown_option_names_those_it_takes() -> None:
    with pytest.raises(TypeError, match=r"multi_grid.*Received: alpha"):
        get_backbone("resnet50", alpha=0.5)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mobilenet_v2", {"alpha": 0}, "`alpha` must be above 0"),
        ("mobilenet_v2", {"divisible_by": 0}, "`divisible_by` must be at least 1"),
        ("resnet50", {"multi_grid": (1, 2)}, "one rate for each .* 3 units"),
        ("resnet50_beta", {"blocks": (1, 2, 2, 3)}, "at least 2 units"),
        ("resnet50", {"blocks": (1, 1, 3)}, "one number for each of 4 stages"),
        ("vgg16", {"stage_filters": (1, 1, 1)}, "one number for each of 5 stages"),
        (
            "xception41",
            {"middle_units": -1},
            "`middle_units` must be an integer of at least 0",
        ),
        ("xception", {"multi_grid": (1,)}, "one rate for each .* 3 convolutions"),
    ],
)
def test_get_backbone_of_bad_option_raises(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        get_backbone(name, **options)


@pytest.mark.parametrize(
    ("name", "option"), [("mobilenet_v2", "rows"), ("xception41", "entry")]
)
def test_get_backbone_of_option_that_no_file_can_hold_raises(
    name: str, option: str
) -> None:
    with pytest.raises(TypeError, match=f"Received: {option}"):
        get_backbone(name, **{option: ()})


def test_mobilenet_v3_alpha_rounds_to_8_as_the_official_code() -> None:
    model = build_backbone("mobilenet_v3_large", alpha=0.75)
    names = ["conv", "expanded_conv_project", "expanded_conv_1_project"]
    names += ["expanded_conv_3_project", "expanded_conv_6_project"]
    found = [model.get_layer(name).filters for name in names]
    assert found == [16, 16, 24, 32, 64]


def test_resnet_of_the_official_plain_form_differs_from_beta_in_the_stem_only() -> None:
    plain = build_backbone("resnet50", stride_last=True, multi_grid=(1, 2, 4))
    beta = build_backbone("resnet50_beta")
    units = [
        {
            weight.path: tuple(weight.shape)
            for weight in model.weights
            if weight.path.startswith("block")
            and not weight.path.startswith("block1_unit1_")
        }
        for model in (plain, beta)
    ]
    assert units[0] == units[1]
    stems = [
        [layer.name for layer in model.layers if layer.name.startswith("conv1")]
        for model in (plain, beta)
    ]
    assert stems == [["conv1"], ["conv1_1", "conv1_2", "conv1_3"]]


def test_build_backbone_of_channels_first_raises() -> None:
    keras.config.set_image_data_format("channels_first")
    with pytest.raises(ValueError, match="'channels_last' only"):
        build_backbone("mobilenet_v2")


@pytest.mark.parametrize(
    ("value", "divisor", "expected"),
    [(33.6, 8, 32), (11.2, 8, 16), (11.2, 1, 11), (8.4, 1, 8), (5.6, 8, 8), (4, 8, 8)],
)
def test_make_divisible_never_rounds_down_by_more_than_a_tenth(
    value: float, divisor: int, expected: int
) -> None:
    assert make_divisible(value, divisor) == expected


def _lively_weights(model: keras.Model) -> list[np.ndarray]:
    """Random weights under which no layer is silent, and batch norms do something."""
    rng = np.random.default_rng(1)
    for layer in model._flatten_layers():
        if isinstance(layer, SqueezeExcite):
            # The gate reads the mean of the whole map, and that is another one at
            # another resolution; with constant gates the rest must agree.
            layer.expand.kernel.assign(0 * layer.expand.kernel)
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.gamma.assign(rng.uniform(0.5, 1.5, shape))
            layer.beta.assign(rng.normal(0, 0.1, shape))
            layer.moving_mean.assign(rng.normal(0, 0.1, shape))
    weights: list[np.ndarray] = model.get_weights()
    return weights


def _copy_resnet(
    source: keras.Model, target: keras.Model, blocks: tuple[int, ...]
) -> None:
    """Copies keras.applications' weights, folding its conv biases into the norms."""
    pairs = {"conv1": "conv1"}
    for stage, count in enumerate(blocks, start=1):
        for unit in range(1, count + 1):
            for index, name in enumerate(("shortcut", "conv1", "conv2", "conv3")):
                theirs = f"conv{stage + 1}_block{unit}_{index}"
                pairs[f"block{stage}_unit{unit}_{name}"] = theirs
    names = {layer.name for layer in target.layers}
    for ours, theirs in pairs.items():
        if ours not in names:
            continue
        kernel, bias = source.get_layer(f"{theirs}_conv").get_weights()
        gamma, beta, mean, variance = source.get_layer(f"{theirs}_bn").get_weights()
        conv, norm = target.get_layer(ours).steps[:2]
        conv.set_weights([kernel])
        norm.set_weights([gamma, beta, mean - bias, variance])
