"""Files of keras.applications, checked against their own networks."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.backbones import build_backbone
from keras_deeplab.layers.preprocess import PREPROCESSINGS
from keras_deeplab.weights import load_keras_applications
from tests.weights import keras_files

Weights = dict[str, np.ndarray]

_LEVELS = {
    "mobilenet_v2": (
        "block_2_depthwise_relu",
        "block_5_depthwise_relu",
        "block_12_depthwise_relu",
        "block_16_project_BN",
    ),
    "resnet50": ("conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
    "resnet101": ("conv2_block3_out", "conv3_block4_out", "conv4_block23_out"),
    "vgg16": ("block3_conv3", "block4_conv3", "block5_conv3", "block5_pool"),
}
_NARROW: dict[str, Any] = {"alpha": 0.35}
_LAST = {"resnet50": ("conv5_block3_out",), "resnet101": ("conv5_block3_out",)}


@pytest.fixture(scope="module")
def mobilenet() -> keras.Model:
    return keras_files.build("MobileNetV2", alpha=0.35, input_shape=(65, 65, 3))


@pytest.fixture(scope="module")
def mobilenet_file(
    mobilenet: keras.Model, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    return keras_files.write(tmp_path_factory.mktemp("ka"), mobilenet, "published")


@pytest.fixture(scope="module")
def resnet50() -> keras.Model:
    return keras_files.build("ResNet50", input_shape=(65, 65, 3))


def narrow_mobilenet() -> keras.Model:
    return build_backbone("mobilenet_v2", output_stride=32, alpha=0.35, divisible_by=8)


def small_vgg(units: int = 16, channels: int = 8, window: int = 7) -> keras.Model:
    """VGG-16 with few channels and its fully connected layers."""
    full = keras.applications.VGG16(include_top=False, weights=None)

    def narrow(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if isinstance(layer, keras.layers.Conv2D):
            config["filters"] = channels
        return type(layer).from_config(config)

    inputs = keras.Input((32 * window, 32 * window, 3))
    body = keras.models.clone_model(full, inputs, clone_function=narrow)
    x = keras.layers.Flatten(name="flatten")(body.output)
    for name in ("fc1", "fc2"):
        x = keras.layers.Dense(units, activation="relu", name=name)(x)
    x = keras.layers.Dense(5, name="predictions")(x)
    return keras_files.lively(keras.Model(body.input, x))


def check_features(
    network: keras.Model, name: str, features: Mapping[str, Any], image: np.ndarray
) -> None:
    levels = (*_LEVELS[name], *_LAST.get(name, ()))
    outputs = [network.get_layer(level).output for level in levels]
    expected = keras.Model(network.input, outputs)(image)
    for level, truth in zip(("c2", "c3", "c4", "c5"), expected, strict=True):
        scale = np.abs(truth).max()
        assert scale > 0.1
        np.testing.assert_allclose(
            features[level] / scale, truth / scale, atol=1e-4, err_msg=level
        )


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-2, 2, (1, *shape, 3)).astype("float32")


def snapshot(model: keras.Model) -> Weights:
    return {weight.path: np.array(weight) for weight in model.weights}


def check_refused(path: pathlib.Path, model: keras.Model, *mentions: str) -> None:
    """The file is refused by a message that mentions these; the model stays."""
    before = snapshot(model)
    with pytest.raises(ValueError, match="Received: ") as caught:
        load_keras_applications(path, model)
    assert str(caught.value).endswith(f"Received: source={str(path)!r}")
    for mention in mentions:
        assert mention in str(caught.value)
    for name, value in snapshot(model).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


@pytest.mark.parametrize(
    ("form", "theirs", "options"),
    [
        *(
            (form, _NARROW, _NARROW | {"divisible_by": 8})
            for form in keras_files.FORMATS
        ),
        ("published", {"alpha": 1.0}, {}),
        ("published", {"alpha": 1.3}, {"alpha": 1.3, "divisible_by": 8}),
    ],
)
def test_load_mobilenet_of_each_format_gives_the_features_of_keras_applications(
    form: str, theirs: dict[str, Any], options: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    network = keras_files.build("MobileNetV2", input_shape=(65, 97, 3), **theirs)
    model = build_backbone("mobilenet_v2", output_stride=32, **options)
    path = keras_files.write(tmp_path, network, form)
    summary = load_keras_applications(path, model)
    assert summary.source == str(path)
    assert (len(summary.used), len(summary.skipped)) == (255, 5)
    assert len(summary.used) == len(model.weights)
    assert {name.split("/")[0] for name in summary.skipped} == {"Conv_1", "Conv_1_bn"}
    assert summary.kept == ()
    image = pixels(65, 97)
    check_features(network, "mobilenet_v2", model(image), image)


@pytest.mark.parametrize("form", ["published", "keras"])
def test_load_resnet50_gives_the_features_of_keras_applications(
    form: str, resnet50: keras.Model, tmp_path: pathlib.Path
) -> None:
    path = keras_files.write(tmp_path, resnet50, form)
    check_resnet(resnet50, "resnet50", path, arrays=318, norms=53)


@pytest.mark.slow
def test_load_resnet101_gives_the_features_of_keras_applications(
    resnet50: keras.Model, tmp_path: pathlib.Path
) -> None:
    network = keras_files.build("ResNet101", input_shape=(65, 65, 3))
    path = keras_files.write(tmp_path, network, "published")
    check_resnet(network, "resnet101", path, arrays=624, norms=104)
    smaller = build_backbone("resnet50")
    check_refused(path, smaller, "'conv4_block10_1_bn/beta' has no place")
    path = keras_files.write(tmp_path, resnet50, "published")
    larger = build_backbone("resnet101")
    check_refused(path, larger, "'conv4_block10_1_bn/beta' is missing")


def check_resnet(
    network: keras.Model, name: str, path: pathlib.Path, *, arrays: int, norms: int
) -> None:
    model = build_backbone(name, output_stride=32)
    summary = load_keras_applications(path, model)
    assert len(summary.used) == arrays == len(network.weights)
    assert (summary.skipped, summary.kept) == ((), ())
    # Ours has no biases.
    assert len(model.weights) == arrays - norms
    image = pixels(65, 65)
    check_features(network, name, model(image), image)


@pytest.mark.parametrize("form", ["published", "weights_h5"])
def test_load_vgg16_gives_its_features_between_the_papers_pools(
    form: str, tmp_path: pathlib.Path
) -> None:
    network = keras_files.build("VGG16")
    model = build_backbone("vgg16", output_stride=32, average_pool=False)
    summary = load_keras_applications(keras_files.write(tmp_path, network, form), model)
    assert len(summary.used) == 26 == len(model.weights)
    assert (summary.skipped, summary.kept) == ((), ())

    def pool_of_three(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if isinstance(layer, keras.layers.MaxPooling2D):
            config |= {"pool_size": 3, "padding": "same"}
        return type(layer).from_config(config)

    deeplab = keras.models.clone_model(network, clone_function=pool_of_three)
    deeplab.set_weights(network.get_weights())
    image = pixels(65, 97)
    check_features(deeplab, "vgg16", model(image), image)


def test_load_mobilenet_of_the_published_names_is_that_of_todays(
    mobilenet: keras.Model, mobilenet_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    arrays = keras_files.renamed(
        keras_files.arrays_of(mobilenet), keras_files.older_mobilenet
    )
    assert "mobl0_conv_0_depthwise" in arrays
    assert "bn16_conv_16_bn_project" in arrays
    model, older = narrow_mobilenet(), narrow_mobilenet()
    load_keras_applications(mobilenet_file, model)
    path = keras_files.write_published(tmp_path / "older.h5", arrays)
    summary = load_keras_applications(path, older)
    assert "block_16_project_BN/gamma" in summary.used
    expected = snapshot(model)
    for name, value in snapshot(older).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize(
    ("alpha", "options"),
    [("0.35", {"alpha": 0.35, "divisible_by": 8}), ("1.0", {})],
)
def test_load_real_mobilenet_file_uses_all_arrays_up_to_the_last_bottleneck(
    alpha: str, options: dict[str, Any], data_dir: pathlib.Path
) -> None:
    name = f"mobilenet_v2_{alpha}_224_imagenet_notop.h5"
    path = data_dir / "models" / "backbones" / name
    model = keras_deeplab.DeepLabV3("mobilenet_v2", classes=3, **options)
    before = snapshot(model)
    summary = load_keras_applications(path, model)
    assert (len(summary.used), len(summary.skipped)) == (255, 5)
    heads = ("aspp/", "logits/")
    assert all(path.startswith(heads) for path in summary.kept)
    assert len(summary.kept) == len(model.weights) - 255
    for path_, value in snapshot(model).items():
        same = np.array_equal(value, before[path_])
        assert same == path_.startswith(heads), path_


def test_load_real_partial_resnet50v2_file_is_refused(data_dir: pathlib.Path) -> None:
    name = "resnet50v2_imagenet_conv1_to_conv4_fp16.h5"
    path = data_dir / "models" / "backbones" / name
    check_refused(path, build_backbone("resnet50"), "'conv1_bn/beta' is missing")


def test_load_of_another_architecture_names_the_first_array(
    mobilenet_file: pathlib.Path, resnet50: keras.Model, tmp_path: pathlib.Path
) -> None:
    model = build_backbone("resnet50")
    check_refused(mobilenet_file, model, "'conv1_bn/beta' is missing")
    wide = build_backbone("mobilenet_v2", alpha=0.35)
    check_refused(mobilenet_file, wide, "has the shape", "model's weight")
    unknown = {"conv4_block10_1_conv": [("kernel:0", np.zeros(1))]}
    path = keras_files.write_published(
        tmp_path / "larger.h5", keras_files.arrays_of(resnet50) | unknown
    )
    check_refused(path, model, "'conv4_block10_1_conv/kernel' has no place")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("xception65", "Chollet's Xception, with max pooling"),
        ("resnet50_beta", "stem has three convolutions"),
        ("mobilenet_v3_large", "half the channels"),
    ],
)
def test_load_into_a_backbone_of_another_layout_says_how_it_differs(
    name: str, reason: str, mobilenet_file: pathlib.Path
) -> None:
    model = keras.Model(x := keras.Input((9, 9, 3)), x, name=name)
    with pytest.raises(ValueError, match=reason) as error:
        load_keras_applications(mobilenet_file, model)
    assert "official TensorFlow 1 checkpoints fit" in str(error.value)
    assert "Received: model of type Functional" in str(error.value)


def test_load_into_another_model_names_the_backbones(
    mobilenet: keras.Model, mobilenet_file: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match="mobilenet_v2, resnet50, resnet101, vgg16"):
        load_keras_applications(mobilenet_file, mobilenet)


# What is wrong with which layer's arrays, and what the message says.
_WRONG: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "missing": ("Conv1", lambda w: [], "'Conv1/kernel' is missing"),
    "extra": ("Conv1", lambda w: [*w, ("b", w[0][1])], "'Conv1/bias' has no"),
    "missing of norm": (
        "block_9_depthwise_BN",
        lambda w: w[:-1],
        "'block_9_depthwise_BN/beta' is missing",
    ),
    "misshapen": (
        "block_9_expand",
        lambda w: [(name, value[..., :-1]) for name, value in w],
        "'block_9_expand/kernel' has the shape (1, 1, 24, 143)",
    ),
    "scalar": (
        "block_9_expand",
        lambda w: [(name, np.float32(1)) for name, _ in w],
        "'block_9_expand/kernel' has the shape ()",
    ),
    "integers": (
        "block_16_project",
        lambda w: [(name, value.astype("int32")) for name, value in w],
        "'block_16_project/kernel' is of int32, not of floats",
    ),
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_load_of_missing_extra_or_misshapen_arrays_leaves_the_model_as_it_was(
    wrong: str, mobilenet: keras.Model, tmp_path: pathlib.Path
) -> None:
    layer, change, problem = _WRONG[wrong]
    arrays = keras_files.arrays_of(mobilenet)
    arrays[layer] = change(arrays[layer])
    path = keras_files.write_published(tmp_path / "changed.h5", arrays)
    check_refused(path, narrow_mobilenet(), problem)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_load_of_numbers_that_are_not_finite_leaves_the_model_as_it_was(
    number: float, mobilenet: keras.Model, tmp_path: pathlib.Path
) -> None:
    arrays = keras_files.arrays_of(mobilenet)
    name, value = arrays["block_9_expand"][0]
    arrays["block_9_expand"][0] = (name, np.where(value == value.max(), number, value))
    path = keras_files.write_published(tmp_path / "changed.h5", arrays)
    said = "'block_9_expand/kernel' has numbers that are not finite"
    check_refused(path, narrow_mobilenet(), said)


def test_load_of_biases_that_are_not_finite_leaves_the_model_as_it_was(
    resnet50: keras.Model, tmp_path: pathlib.Path
) -> None:
    arrays = keras_files.arrays_of(resnet50)
    arrays["conv1_conv"] = [
        (name, value * np.nan if "bias" in name else value)
        for name, value in arrays["conv1_conv"]
    ]
    path = keras_files.write_published(tmp_path / "changed.h5", arrays)
    said = "'conv1_conv/bias' has numbers that are not finite"
    check_refused(path, build_backbone("resnet50"), said)


def test_load_of_an_extra_array_in_no_layer_is_refused(
    mobilenet: keras.Model, tmp_path: pathlib.Path
) -> None:
    path = keras_files.write(tmp_path, mobilenet, "published")
    with h5py.File(path, "r+") as file:
        file["Conv1/hidden"] = np.zeros(3)
    check_refused(path, narrow_mobilenet(), "'Conv1/hidden' has no place")


def test_load_of_a_layer_under_two_names_is_refused(
    mobilenet: keras.Model, tmp_path: pathlib.Path
) -> None:
    arrays = keras_files.arrays_of(mobilenet)
    arrays["mobl3_conv_3_expand"] = arrays["block_3_expand"]
    path = keras_files.write_published(tmp_path / "twice.h5", arrays)
    check_refused(path, narrow_mobilenet(), "two of its arrays", "block_3_expand")


def test_load_of_arrays_in_another_file_is_refused(
    mobilenet: keras.Model, mobilenet_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = keras_files.write(tmp_path, mobilenet, "published")
    name = "Conv1/Conv1/kernel:0"
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = h5py.ExternalLink(str(mobilenet_file), name)
    check_refused(path, narrow_mobilenet(), "'Conv1/kernel' is missing")
    with h5py.File(path, "r+") as file:
        del file[name]
        outside = [(str(mobilenet_file), 0, 4 * 27 * 16)]
        file["Conv1"].create_dataset(
            "Conv1/kernel:0", (3, 3, 3, 16), "float32", external=outside
        )
    check_refused(path, narrow_mobilenet(), "lies in another file")


@pytest.mark.parametrize("form", keras_files.FORMATS)
@pytest.mark.parametrize("part", [0, 0.02, 0.5, 0.999])
def test_load_of_a_cut_file_is_refused(
    form: str, part: float, mobilenet: keras.Model, tmp_path: pathlib.Path
) -> None:
    path = keras_files.write(tmp_path, mobilenet, form)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    check_refused(path, narrow_mobilenet(), "it cannot be read")


def test_load_of_no_file_is_refused(tmp_path: pathlib.Path) -> None:
    model = narrow_mobilenet()
    check_refused(tmp_path / "none.h5", model, "there is no such file")
    check_refused(tmp_path, model, "there is no such file")


def test_load_of_a_compiled_model_skips_its_optimizer(
    mobilenet: keras.Model, tmp_path: pathlib.Path
) -> None:
    network = keras.models.clone_model(mobilenet)
    network.compile("adam", "mse")
    network.optimizer.build(network.trainable_variables)
    for form in ("keras", "h5"):
        path = keras_files.write(tmp_path, network, form)
        summary = load_keras_applications(path, narrow_mobilenet())
        assert len(summary.used) == 255
        assert sum(name.startswith("optimizer") for name in summary.skipped) > 2


@pytest.mark.parametrize("form", keras_files.FORMATS)
def test_load_into_deeplab_v1_samples_the_fully_connected_layers(
    form: str, tmp_path: pathlib.Path
) -> None:
    network = small_vgg()
    model = keras_deeplab.DeepLabV1(filters=4, stage_filters=(8,) * 5, classes=3)
    summary = load_keras_applications(keras_files.write(tmp_path, network, form), model)
    assert len(summary.used) == 30
    assert summary.skipped == ("predictions/bias", "predictions/kernel")
    assert summary.kept == ("logits/kernel", "logits/bias")
    fc1, bias1 = network.get_layer("fc1").get_weights()
    fc2, bias2 = network.get_layer("fc2").get_weights()
    weights = snapshot(model)
    units = (0, 4, 8, 12)
    for new, old in enumerate(units):
        for y in range(3):
            for x in range(3):
                for channel in range(8):
                    row = (3 * y * 7 + 3 * x) * 8 + channel
                    found = weights["fc6/conv/kernel"][y, x, channel, new]
                    assert found == fc1[row, old]
        assert weights["fc6/conv/bias"][new] == bias1[old]
        assert weights["fc7/conv/bias"][new] == bias2[old]
        column = weights["fc7/conv/kernel"][0, 0, :, new]
        assert list(column) == [fc2[unit, old] for unit in units]


def test_load_into_deeplab_v1_of_all_units_answers_as_vgg_on_the_sampled_taps(
    tmp_path: pathlib.Path,
) -> None:
    network = small_vgg()
    path = keras_files.write(tmp_path, network, "published")
    model = keras_deeplab.DeepLabV1(
        filters=16, stage_filters=(8,) * 5, output_stride=32, classes=3
    )
    load_keras_applications(path, model)
    # The middle of a 7 x 7 map, where the window of VGG-16 covers all of it.
    features = np.random.default_rng(0).normal(size=(1, 7, 7, 8)).astype("float32")
    sparse = np.zeros_like(features)
    sparse[:, ::3, ::3] = features[:, ::3, ::3]
    head = keras.Sequential([network.get_layer(n) for n in ("flatten", "fc1", "fc2")])
    fc7 = model.get_layer("fc7")(model.get_layer("fc6")(features))
    expected = head(sparse)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(fc7[:, 3, 3], expected, atol=1e-5)


def test_load_into_deeplab_v2_starts_every_branch_alike(tmp_path: pathlib.Path) -> None:
    path = keras_files.write(tmp_path, small_vgg(), "published")
    model = keras_deeplab.DeepLabV2(
        "vgg16", hidden_filters=4, stage_filters=(8,) * 5, classes=3
    )
    single = keras_deeplab.DeepLabV1(filters=4, stage_filters=(8,) * 5, classes=3)
    load_keras_applications(path, single)
    summary = load_keras_applications(path, model)
    assert len(summary.kept) == 8
    assert all("/fc8_" in path for path in summary.kept)
    weights, expected = snapshot(model), snapshot(single)
    for name in ("fc6", "fc7"):
        for branch in (1, 2, 3, 4):
            for part in ("kernel", "bias"):
                np.testing.assert_array_equal(
                    weights[f"aspp/{name}_{branch}/conv/{part}"],
                    expected[f"{name}/conv/{part}"],
                )


def test_load_without_top_keeps_the_fully_connected_layers(
    tmp_path: pathlib.Path,
) -> None:
    arrays = keras_files.arrays_of(small_vgg())
    for layer in ("fc1", "fc2", "predictions"):
        del arrays[layer]
    arrays = keras_files.renamed(arrays, keras_files.older_vgg)
    assert arrays["block1_conv1"][0][0] == "block1_conv1_W_1:0"
    path = keras_files.write_published(tmp_path / "notop.h5", arrays)
    model = keras_deeplab.DeepLabV1(filters=4, stage_filters=(8,) * 5)
    before = snapshot(model)
    summary = load_keras_applications(path, model)
    heads = [f"{layer}/{part}" for layer in ("fc6/conv", "fc7/conv", "logits")
             for part in ("kernel", "bias")]  # fmt: skip
    assert list(summary.kept) == heads
    for name, value in snapshot(model).items():
        assert np.array_equal(value, before[name]) == (name in heads), name


def test_load_into_a_vgg_without_a_head_skips_the_classifier(
    tmp_path: pathlib.Path,
) -> None:
    path = keras_files.write(tmp_path, small_vgg(), "published")
    summary = load_keras_applications(
        path, build_backbone("vgg16", stage_filters=(8,) * 5)
    )
    assert {name.split("/")[0] for name in summary.skipped} == {
        "fc1",
        "fc2",
        "predictions",
    }


@pytest.mark.parametrize(
    ("units", "window", "filters", "problem"),
    [
        (16, 6, 4, "'fc1/kernel' has the shape (288, 16), not (392, 16)"),
        (16, 7, 32, "fc6 takes 32 to 4096 units"),
    ],
)
def test_load_of_fully_connected_layers_that_do_not_fit_is_refused(
    units: int, window: int, filters: int, problem: str, tmp_path: pathlib.Path
) -> None:
    network = small_vgg(units, window=window)
    path = keras_files.write(tmp_path, network, "published")
    model = keras_deeplab.DeepLabV1(filters=filters, stage_filters=(8,) * 5)
    check_refused(path, model, problem)


@pytest.mark.parametrize("name", ["fc1/kernel", "fc2/bias"])
def test_load_of_fully_connected_layers_that_are_not_finite_is_refused(
    name: str, tmp_path: pathlib.Path
) -> None:
    network = small_vgg()
    for weight in network.weights:
        if weight.path.endswith(name):
            weight.assign(np.full(weight.shape, np.inf))
    path = keras_files.write(tmp_path, network, "published")
    model = keras_deeplab.DeepLabV1(filters=4, stage_filters=(8,) * 5)
    check_refused(path, model, f"{name!r} has numbers that are not finite")


def test_load_of_half_a_classifier_is_refused(tmp_path: pathlib.Path) -> None:
    arrays = keras_files.arrays_of(small_vgg())
    del arrays["fc2"]
    path = keras_files.write_published(tmp_path / "half.h5", arrays)
    model = keras_deeplab.DeepLabV1(filters=4, stage_filters=(8,) * 5)
    check_refused(path, model, "'fc2/bias' is missing")


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mobilenet_v2", keras.applications.mobilenet_v2),
        ("resnet50", keras.applications.resnet),
        ("resnet101", keras.applications.resnet),
        ("vgg16", keras.applications.vgg16),
    ],
)
def test_backbone_preprocessing_is_that_of_keras_applications(
    name: str, module: Any
) -> None:
    # So no kernel has to have its channels turned around.
    mode = keras_deeplab.backbones.BACKBONES[name].preprocessing
    assert mode in PREPROCESSINGS
    image = np.random.default_rng(0).integers(0, 256, (1, 4, 5, 3)).astype("float32")
    layer = keras_deeplab.layers.Preprocess(mode)
    np.testing.assert_allclose(
        layer(image), module.preprocess_input(image.copy()), atol=1e-4
    )
