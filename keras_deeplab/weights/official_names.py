"""Our layers and the variable scopes of the official TensorFlow 1 code.

A weight is named in two steps: a rule maps its layer to an official scope, and the end
of its path to the end of the official name. What an official checkpoint holds besides
(slots of optimizers, averages, the step) is told apart here too.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import keras

from keras_deeplab.models import LRASPP, DeepLabV3, DeepLabV3Plus
from keras_deeplab.weights.name_rule import NameRule

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def _tails(conv: str, norm: str, scope: str, kernel: str) -> Iterator[tuple[str, str]]:
    """Ends of the paths of one convolution and its batch norm, ours and official."""
    yield f"{conv}kernel", f"{scope}/{kernel}"
    yield f"{conv}bias", f"{scope}/biases"
    for part in _NORM:
        yield f"{norm}/{part}", f"{scope}/BatchNorm/{part}"


# Every other layer: bare, in a block, or the two halves of a separable block.
_TAILS: Mapping[str, str] = MappingProxyType(
    {
        "kernel": "/weights",
        "bias": "/biases",
        **dict(_tails("conv/", "conv_batch_norm", "", "weights")),
        **dict(
            _tails(
                "depthwise/", "depthwise_batch_norm", "_depthwise", "depthwise_weights"
            )
        ),
        **dict(_tails("pointwise/", "pointwise_batch_norm", "_pointwise", "weights")),
    }
)
# A depthwise convolution by itself has its own scope in the MobileNets.
_DEPTHWISE: Mapping[str, str] = MappingProxyType(
    dict(_tails("depthwise/", "depthwise_batch_norm", "", "depthwise_weights"))
)


def _rule(layer: str, scope: str, tails: Mapping[str, str] = _TAILS) -> NameRule:
    return NameRule(layer, scope, tails)


_XCEPTION = (
    _rule(r"entry_flow_conv1_([12])", r"/entry_flow/conv1_\1"),
    _rule(
        r"(entry|exit)_flow_block(\d+)_conv(\d)",
        r"/\1_flow/block\2/unit_1/xception_module/separable_conv\3",
    ),
    _rule(
        r"(entry|exit)_flow_block(\d+)_shortcut",
        r"/\1_flow/block\2/unit_1/xception_module/shortcut",
    ),
    _rule(
        r"middle_flow_unit(\d+)_conv(\d)",
        r"/middle_flow/block1/unit_\1/xception_module/separable_conv\2",
    ),
)
_RESNET = (
    _rule(r"conv1_([123])", r"/conv1_\1"),
    _rule(
        r"block(\d)_unit(\d+)_(conv\d|shortcut)",
        r"/block\1/unit_\2/bottleneck_v1/\3",
    ),
)
_MOBILENET = (
    _rule("conv", "/Conv"),
    _rule("conv_1", "/Conv_1"),
    _rule(r"(expanded_conv(?:_\d+)?)_(expand|project)", r"/\1/\2"),
    _rule(r"(expanded_conv(?:_\d+)?)_depthwise", r"/\1/depthwise", _DEPTHWISE),
    _rule(
        r"(expanded_conv(?:_\d+)?)_squeeze_excite/reduce", r"/\1/squeeze_excite/Conv"
    ),
    _rule(
        r"(expanded_conv(?:_\d+)?)_squeeze_excite/expand", r"/\1/squeeze_excite/Conv_1"
    ),
)

# Official scope and rules of each backbone that has official weights.
_BACKBONES: Mapping[str, tuple[str, tuple[NameRule, ...]]] = MappingProxyType(
    {
        "xception41": ("xception_41", _XCEPTION),
        "xception65": ("xception_65", _XCEPTION),
        "xception71": ("xception_71", _XCEPTION),
        # The scopes do not say beta.
        "resnet50_beta": ("resnet_v1_50", _RESNET),
        "resnet101_beta": ("resnet_v1_101", _RESNET),
        "mobilenet_v2": ("MobilenetV2", _MOBILENET),
        "mobilenet_v3_small": ("MobilenetV3", _MOBILENET),
        "mobilenet_v3_large": ("MobilenetV3", _MOBILENET),
    }
)

_PYRAMID = (
    _rule("aspp/image_pooling/projection", "image_pooling"),
    _rule(r"aspp/rate_(\d+)", r"aspp\1"),
    _rule("aspp/projection", "concat_projection"),
    _rule("logits", "logits/semantic"),
)
_CELL = (
    _rule(r"dpc/branch_(\d+)", r"meta_architecture/branch\1"),
    _rule("dpc/projection", "meta_architecture/concat_projection"),
)
# The official code names the two convolutions from 0 when separable, and from 1 under
# one scope when not.
_DECODER = (
    _rule("decoder_projection", "decoder/feature_projection0"),
    _rule(r"decoder_conv1(?=/\w+wise)", "decoder/decoder_conv0"),
    _rule(r"decoder_conv2(?=/\w+wise)", "decoder/decoder_conv1"),
    _rule(r"decoder_conv([12])(?=/conv)", r"decoder/decoder_conv0/decoder_conv0_\1"),
)
_LITE = (
    _rule("gate/projection", "image_pooling"),
    _rule("projection", "aspp0"),
    _rule("logits", "decoder/decoder_conv0"),
    _rule("low_level_logits", "decoder/feature_projection0"),
)
_HEADS: Mapping[type, tuple[NameRule, ...]] = MappingProxyType(
    {DeepLabV3: _PYRAMID, DeepLabV3Plus: _PYRAMID + _CELL + _DECODER, LRASPP: _LITE}
)
# Scopes whose channels are the classes.
_LOGITS: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        DeepLabV3: ("logits/",),
        DeepLabV3Plus: ("logits/",),
        LRASPP: ("decoder/decoder_conv0/", "decoder/feature_projection0/"),
    }
)

# The official gates are `relu6(x + 3) * 0.16667`, ours a sixth of it.
_GATE = 0.16667 * 6

# What training leaves in a checkpoint. Averages are not used in place of the
# variables: the official evaluation and export restore the variables themselves.
_TRAINING = re.compile(
    r"(?:.*/)?(?:Momentum|Adam(?:_1)?|RMSProp(?:_1)?|Adagrad|ExponentialMovingAverage"
    r"|global_step|beta[12]_power|learning_rate)"
)
# The classifiers of the ImageNet checkpoints.
_CLASSIFIER = re.compile(
    r"(?:xception_\d+|resnet_v1_\d+)/logits/.*|MobilenetV2/(?:Conv_1|Logits)/.*"
)


def official_names(model: keras.Model) -> dict[str, str]:
    """Official names of all weights of a model.

    Args:
        model: A `DeepLabV3`, `DeepLabV3Plus` or `LRASPP` on a backbone that has
            official weights, or such a backbone by itself (`build_backbone`).

    Returns:
        Official variable names by our weights' paths, each name once.

    Raises:
        ValueError: If the official code has no such model.

    Examples:
        >>> model = keras_deeplab.DeepLabV3(backbone="mobilenet_v2", atrous_rates=())
        >>> official_names(model)["aspp/rate_0/conv/kernel"]
        'aspp0/weights'
    """
    rules = _rules(model)
    names = {}
    for weight in model.weights:
        found = (rule.name(weight.path) for rule in rules)
        name = next((name for name in found if name is not None), None)
        if name is None:
            raise _no_official(model, f"weight {weight.path!r} has no official name")
        names[weight.path] = name
    return names


def backbone_scope(model: keras.Model) -> str:
    """The official scope of a model's backbone, with its slash.

    Args:
        model: See `official_names`.

    Returns:
        For example `"xception_65/"`.

    Raises:
        ValueError: If the official code has no such backbone.
    """
    name = getattr(model, "backbone", model.name)
    if name not in _BACKBONES:
        raise _no_official(
            model, f"only these backbones have one: {', '.join(_BACKBONES)}"
        )
    return f"{_BACKBONES[name][0]}/"


def logits_scopes(model: keras.Model) -> tuple[str, ...]:
    """The official scopes, with slashes, whose channels are the classes.

    Args:
        model: See `official_names`.

    Returns:
        The scopes; none for a backbone by itself.
    """
    return _of_class(_LOGITS, model) or ()


def gate_factor(model: keras.Model, name: str) -> float:
    """How many times larger than ours the official gate before a convolution is.

    The convolution is linear in its input: its kernel takes the factor over, and the
    model answers as the official one does.

    Args:
        model: See `official_names`.
        name: Official name of one of its weights.

    Returns:
        1 where no gate comes before.
    """
    if isinstance(model, LRASPP) and name == "decoder/decoder_conv0/weights":
        return _GATE
    block, _, conv = name.rpartition("/project/")
    excite = block.rpartition("/")[2] + "_squeeze_excite"
    gated = conv == "weights" and any(layer.name == excite for layer in model.layers)
    return _GATE if gated else 1.0


def is_of_training(name: str) -> bool:
    """Whether a variable is a slot, an average or a counter of the training."""
    return _TRAINING.fullmatch(name) is not None


def is_of_classifier(name: str) -> bool:
    """Whether a variable belongs to the ImageNet classifier on top of a backbone."""
    return _CLASSIFIER.fullmatch(name) is not None


def _rules(model: keras.Model) -> tuple[NameRule, ...]:
    scope = backbone_scope(model).rstrip("/")
    _, rules = _BACKBONES[getattr(model, "backbone", model.name)]
    backbone = tuple(rule._replace(scope=scope + rule.scope) for rule in rules)
    if not hasattr(model, "backbone"):
        return backbone
    head = _of_class(_HEADS, model)
    if head is None:
        raise _no_official(model, "its head is not of the TensorFlow 1 code")
    return head + backbone


def _of_class(table: Mapping[type, Any], model: keras.Model) -> Any:
    # Classes that users derive from ours have the same layers.
    return next((table[cls] for cls in type(model).__mro__ if cls in table), None)


def _no_official(model: keras.Model, problem: str) -> ValueError:
    return ValueError(
        f"`model` has no official TensorFlow 1 counterpart: {problem}. "
        f"Received: model of type {type(model).__name__}, name={model.name!r}"
    )
