"""Official variable names of our weights."""

import re
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.backbones import build_backbone
from keras_deeplab.weights.official_names import (
    is_of_classifier,
    is_of_training,
    official_names,
)

MODELS: dict[str, tuple[type, dict[str, Any]]] = {
    "v3plus-xception41": (keras_deeplab.DeepLabV3Plus, {"backbone": "xception41"}),
    "v3plus-xception65": (keras_deeplab.DeepLabV3Plus, {"backbone": "xception65"}),
    "v3plus-xception71": (keras_deeplab.DeepLabV3Plus, {"backbone": "xception71"}),
    "v3plus-xception71-dpc": (
        keras_deeplab.DeepLabV3Plus,
        {"backbone": "xception71", "pyramid": "dpc", "classes": 19},
    ),
    "v3-resnet50": (keras_deeplab.DeepLabV3, {"backbone": "resnet50_beta"}),
    "v3-resnet101": (keras_deeplab.DeepLabV3, {"backbone": "resnet101_beta"}),
    "v3plus-resnet50": (
        keras_deeplab.DeepLabV3Plus,
        {"backbone": "resnet50_beta", "separable": False},
    ),
    "v3-mobilenet_v2": (
        keras_deeplab.DeepLabV3,
        {"backbone": "mobilenet_v2", "atrous_rates": ()},
    ),
    "v3-mobilenet_v2-aspp": (keras_deeplab.DeepLabV3, {"backbone": "mobilenet_v2"}),
    "v3plus-mobilenet_v2": (
        keras_deeplab.DeepLabV3Plus,
        {"backbone": "mobilenet_v2", "atrous_rates": ()},
    ),
    "lraspp-large": (keras_deeplab.LRASPP, {"backbone": "mobilenet_v3_large"}),
    "lraspp-small": (keras_deeplab.LRASPP, {"backbone": "mobilenet_v3_small"}),
}
_UNIT = "xception_module/separable_conv"
NAMES = [
    ("v3plus-xception65", "xception_65/entry_flow/conv1_2/weights"),
    (
        "v3plus-xception65",
        f"xception_65/entry_flow/block2/unit_1/{_UNIT}3_depthwise/depthwise_weights",
    ),
    (
        "v3plus-xception65",
        "xception_65/entry_flow/block3/unit_1/xception_module/shortcut/BatchNorm/beta",
    ),
    (
        "v3plus-xception65",
        f"xception_65/middle_flow/block1/unit_16/{_UNIT}1_pointwise/BatchNorm/gamma",
    ),
    (
        "v3plus-xception71",
        f"xception_71/entry_flow/block5/unit_1/{_UNIT}1_pointwise/weights",
    ),
    (
        "v3plus-xception41",
        f"xception_41/exit_flow/block2/unit_1/{_UNIT}3_pointwise/weights",
    ),
    (
        "v3plus-xception71-dpc",
        "meta_architecture/branch0_depthwise/depthwise_weights",
    ),
    ("v3plus-xception71-dpc", "meta_architecture/branch4_pointwise/BatchNorm/beta"),
    ("v3plus-xception71-dpc", "meta_architecture/concat_projection/weights"),
    ("v3plus-xception65", "aspp3_depthwise/BatchNorm/moving_variance"),
    ("v3plus-xception65", "decoder/feature_projection0/BatchNorm/moving_mean"),
    ("v3plus-xception65", "decoder/decoder_conv0_depthwise/depthwise_weights"),
    ("v3plus-xception65", "decoder/decoder_conv1_pointwise/weights"),
    ("v3plus-resnet50", "decoder/decoder_conv0/decoder_conv0_2/weights"),
    ("v3-resnet101", "resnet_v1_101/conv1_3/weights"),
    ("v3-resnet101", "resnet_v1_101/block3/unit_23/bottleneck_v1/conv2/weights"),
    ("v3-resnet50", "resnet_v1_50/block1/unit_1/bottleneck_v1/shortcut/weights"),
    ("v3-resnet50", "aspp2/weights"),
    ("v3-mobilenet_v2", "MobilenetV2/Conv/BatchNorm/gamma"),
    ("v3-mobilenet_v2", "MobilenetV2/expanded_conv/depthwise/depthwise_weights"),
    ("v3-mobilenet_v2", "MobilenetV2/expanded_conv_16/project/BatchNorm/beta"),
    ("v3-mobilenet_v2", "image_pooling/BatchNorm/gamma"),
    ("v3-mobilenet_v2", "concat_projection/weights"),
    ("v3-mobilenet_v2", "logits/semantic/biases"),
    ("lraspp-large", "MobilenetV3/Conv_1/weights"),
    ("lraspp-large", "MobilenetV3/expanded_conv_3/squeeze_excite/Conv/biases"),
    ("lraspp-small", "MobilenetV3/expanded_conv/squeeze_excite/Conv_1/weights"),
    ("lraspp-small", "image_pooling/biases"),
    ("lraspp-small", "aspp0/BatchNorm/moving_mean"),
    ("lraspp-small", "decoder/decoder_conv0/weights"),
    ("lraspp-small", "decoder/feature_projection0/biases"),
]
# Bytes of the archives of the official zoo, as published. Each holds a checkpoint with
# the slots of the optimizer (one for each trainable weight) and a frozen graph.
ARCHIVES = [
    ("v3plus-xception65", {}, 439e6),
    ("v3-mobilenet_v2", {}, 23_882_985),
    ("v3-mobilenet_v2", {"alpha": 0.5}, 7.6e6),
    ("lraspp-large", {"classes": 19}, 17e6),
    ("lraspp-small", {"classes": 19}, 5e6),
]


def build(key: str, **more: Any) -> keras.Model:
    cls, arguments = MODELS[key]
    return cls(**arguments, **more)


@pytest.mark.parametrize("key", MODELS)
def test_official_names_for_every_weight_are_distinct(key: str) -> None:
    model = build(key)
    names = official_names(model)
    assert list(names) == [weight.path for weight in model.weights]
    assert len(set(names.values())) == len(names)
    form = re.compile(
        r"[\w/]+/(?:weights|depthwise_weights|biases"
        r"|BatchNorm/(?:gamma|beta|moving_mean|moving_variance))"
    )
    assert [name for name in names.values() if not form.fullmatch(name)] == []
    expected = {name for owner, name in NAMES if owner == key}
    assert expected <= set(names.values())


def test_official_names_for_a_backbone_are_those_within_a_model() -> None:
    whole = official_names(build("v3-mobilenet_v2"))
    alone = official_names(build_backbone("mobilenet_v2"))
    assert alone == {
        path: name for path, name in whole.items() if name.startswith("MobilenetV2/")
    }


def test_official_names_for_other_models_raise() -> None:
    message = r"has no official TensorFlow 1 counterpart: .*DeepLabV1"
    with pytest.raises(ValueError, match=message):
        official_names(keras_deeplab.DeepLabV1())
    with pytest.raises(ValueError, match="has no official TensorFlow 1 counterpart"):
        official_names(keras_deeplab.DeepLabV3(backbone="resnet50"))


@pytest.mark.parametrize(
    "name",
    [
        "global_step",
        "aspp0/weights/Momentum",
        "aspp0/BatchNorm/gamma/Adam_1",
        "logits/semantic/weights/ExponentialMovingAverage",
        "beta1_power",
    ],
)
def test_variables_of_training_when_asked_are_told_apart(name: str) -> None:
    assert is_of_training(name)
    assert not is_of_training(f"{name}_not")


def test_variables_of_the_classifier_when_asked_are_told_apart() -> None:
    assert is_of_classifier("xception_65/logits/weights")
    assert is_of_classifier("MobilenetV2/Conv_1/BatchNorm/gamma")
    assert not is_of_classifier("MobilenetV3/Conv_1/weights")
    assert not is_of_classifier("logits/semantic/weights")


@pytest.mark.parametrize(("key", "more", "published"), ARCHIVES)
def test_published_archive_when_compared_is_a_little_smaller_than_its_weights(
    key: str, more: dict[str, Any], published: float
) -> None:
    model = build(key, **more)
    trainable, frozen = (
        sum(int(np.prod(weight.shape)) for weight in weights)
        for weights in (model.trainable_weights, model.non_trainable_weights)
    )
    # Twice in the checkpoint, once in the graph; the rest once in each.
    total = 4 * (3 * trainable + 2 * frozen)
    # Floats of trained networks compress by a tenth or so.
    assert 0.87 < published / total < 0.96
