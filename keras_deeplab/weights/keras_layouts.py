"""Our layers and those of `keras.applications`."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import keras

from keras_deeplab.weights.name_rule import NameRule

_CONV = {
    f"{conv}/{part}": f"/{part}"
    for conv in ("conv", "depthwise")
    for part in ("kernel", "bias")
}
_NORM = {
    f"{conv}_batch_norm/{part}": f"/{part}"
    for conv in ("conv", "depthwise")
    for part in ("gamma", "beta", "moving_mean", "moving_variance")
}
_FOLDED = {"conv_batch_norm/moving_mean": "/bias"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasLayout:
    """Where the arrays of a `keras.applications` model go.

    Args:
        rules: From our weights to the file's arrays.
        biases: From moving means of our batch norms to the file's biases of the
            convolutions before, which ours do not have.
        top: Layers after our backbone's last.
        older: Patterns of layer names in older files, and what they are called now.
    """

    rules: tuple[NameRule, ...]
    biases: tuple[NameRule, ...] = ()
    top: tuple[str, ...] = ("predictions",)
    older: tuple[tuple[str, str], ...] = ()

    def rename(self, layer: str) -> str:
        """Today's name of a layer."""
        for pattern, name in self.older:
            if match := re.fullmatch(pattern, layer):
                return match.expand(name)
        return layer


def _pair(layer: str, conv: str, norm: str) -> tuple[NameRule, NameRule]:
    """A block of ours is two layers there."""
    return NameRule(layer, conv, _CONV), NameRule(layer, norm, _NORM)


def _resnet_layers() -> Iterator[tuple[str, str]]:
    yield "conv1", "conv1"
    for stage in range(1, 5):
        unit = rf"block{stage}_unit(\d+)"
        yield rf"{unit}_conv([123])", rf"conv{stage + 1}_block\1_\2"
        yield rf"{unit}_shortcut", rf"conv{stage + 1}_block\1_0"


_STEP = "(expand|depthwise|project)"
_MOBILENET_V2 = KerasLayout(
    rules=(
        *_pair("conv", "Conv1", "bn_Conv1"),
        *_pair(f"expanded_conv_{_STEP}", r"expanded_conv_\1", r"expanded_conv_\1_BN"),
        *_pair(rf"expanded_conv_(\d+)_{_STEP}", r"block_\1_\2", r"block_\1_\2_BN"),
    ),
    top=("Conv_1", "Conv_1_bn", "Logits", "predictions"),
    # The published files are older than the names.
    older=(
        (rf"mobl0_conv_(?:0_)?{_STEP}", r"expanded_conv_\1"),
        (rf"bn0_conv_(?:0_)?(?:bn_)?{_STEP}", r"expanded_conv_\1_BN"),
        (rf"mobl(\d+)_conv_(?:\1_)?{_STEP}", r"block_\1_\2"),
        (rf"bn(\d+)_conv_(?:\1_)?(?:bn_)?{_STEP}", r"block_\1_\2_BN"),
    ),
)
_RESNET = KerasLayout(
    rules=tuple(
        rule
        for ours, theirs in _resnet_layers()
        for rule in _pair(ours, f"{theirs}_conv", f"{theirs}_bn")
    ),
    biases=tuple(
        NameRule(ours, f"{theirs}_conv", _FOLDED) for ours, theirs in _resnet_layers()
    ),
)
_VGG = KerasLayout(
    rules=(NameRule(r"conv(\d)_(\d)", r"block\1_conv\2", _CONV),),
    top=("fc1", "fc2", "predictions"),
)
_LAYOUTS: Mapping[str, KerasLayout] = MappingProxyType(
    {
        "mobilenet_v2": _MOBILENET_V2,
        "resnet50": _RESNET,
        "resnet101": _RESNET,
        "vgg16": _VGG,
    }
)

_XCEPTION = (
    "keras.applications.Xception has the layout of Chollet's Xception, with max "
    "pooling, 8 middle modules and no batch norm between the halves of a separable "
    "convolution; the DeepLab paper's is different"
)
_BETA = "its stem has three convolutions, that of keras.applications.ResNet has one"
_V3 = (
    "DeepLab's form has half the channels of keras.applications.MobileNetV3 in its "
    "last bottlenecks"
)
_UNLIKE: Mapping[str, str] = MappingProxyType(
    {
        "xception41": _XCEPTION,
        "xception65": _XCEPTION,
        "xception71": _XCEPTION,
        "resnet50_beta": _BETA,
        "resnet101_beta": _BETA,
        "mobilenet_v3_small": _V3,
        "mobilenet_v3_large": _V3,
    }
)


def keras_layout(model: keras.Model) -> KerasLayout:
    """Finds the `keras.applications` layout of a model's backbone.

    Args:
        model: A `Segmenter`, or a backbone by itself (`build_backbone`).

    Returns:
        The layout.

    Raises:
        ValueError: If `keras.applications` has no such network.
    """
    backbone = getattr(model, "backbone", model.name)
    if backbone in _LAYOUTS:
        return _LAYOUTS[backbone]
    problem = f"only these backbones have weights there: {', '.join(_LAYOUTS)}"
    if backbone in _UNLIKE:
        problem = f"{_UNLIKE[backbone]}; official TensorFlow 1 checkpoints fit it"
    raise ValueError(
        f"`model` has no counterpart in keras.applications: {problem}. "
        f"Received: model of type {type(model).__name__}, name={model.name!r}"
    )


def weights_by_name(
    model: keras.Model, rules: Iterable[NameRule]
) -> dict[str, keras.Variable]:
    """Finds the weights of a model that rules give a name.

    Args:
        model: The model.
        rules: The rules, of which at most one names each weight.

    Returns:
        The weights by the file's names.
    """
    return {
        name: weight
        for weight in model.weights
        for rule in rules
        if (name := rule.name(weight.path)) is not None
    }
