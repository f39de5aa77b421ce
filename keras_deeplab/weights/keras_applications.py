"""ImageNet weights of `keras.applications` for our backbones."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import keras

from keras_deeplab.weights.conversion_summary import ConversionSummary
from keras_deeplab.weights.folded_conv import Array
from keras_deeplab.weights.keras_arrays import open_keras_arrays
from keras_deeplab.weights.keras_layouts import (
    KerasLayout,
    keras_layout,
    weights_by_name,
)
from keras_deeplab.weights.official_variables import OfficialVariables
from keras_deeplab.weights.vgg_large_fov import (
    SAMPLERS,
    check_large_fov,
    large_fov_weights,
)

# What a compiled model's file holds besides.
_TRAINING = ("optimizer", "optimizer_weights")


def load_keras_applications(
    source: str | os.PathLike[str], model: keras.Model
) -> ConversionSummary:
    """Sets a model's backbone to the weights of a `keras.applications` model.

    MobileNetV2, ResNet-50, ResNet-101 and VGG-16, each with or without the classifier.
    Widths of MobileNetV2 other than 1 need `divisible_by=8`. With the classifier of
    VGG-16, fc6 and fc7 of `DeepLabV1` and `DeepLabV2` are set too, sampled from its
    fully connected layers. All take the input that the backbone's own preprocessing
    makes. Names and shapes do not tell strides: ResNets of `keras.applications` have
    them where ours have without `stride_last`.

    Args:
        source: A `.h5` file as `keras.applications` publishes them or as Keras 2
            saves such a model, or a `.weights.h5` or `.keras` file of Keras 3.
        model: A `Segmenter`, or a backbone by itself (`build_backbone`).

    Returns:
        Which arrays of the file, by `keras.applications` layer, were used, which were
        skipped because they come after the backbone, and the paths of those weights
        of the model, such as the head's, that were kept.

    Raises:
        ValueError: If `keras.applications` has no such network; if the file cannot be
            read; if an array is missing, has no place, or has another shape than the
            model's weight. The message names it, and the model stays as it was.
    """
    layout = keras_layout(model)
    with open_keras_arrays(Path(source), layout.rename) as variables:
        wanted = weights_by_name(model, layout.rules)
        biases = weights_by_name(model, layout.biases)
        sampled = _sampled(variables, model)
        used = {*wanted, *biases, *sampled}
        skipped = sorted(_skipped(variables, layout) - used)
        variables.check({**wanted, **biases}, (*skipped, *sampled))
        # All is read before the first weight changes.
        values = [
            *_read_backbone(variables, wanted, biases),
            *_read_large_fov(variables, sampled),
        ]
    for weight, value in values:
        weight.assign(value)
    changed = {weight.path for weight, _ in values}
    return ConversionSummary(
        source=variables.source,
        used=tuple(name for name in variables.shapes if name in used),
        skipped=tuple(skipped),
        kept=tuple(w.path for w in model.weights if w.path not in changed),
    )


def _skipped(variables: OfficialVariables, layout: KerasLayout) -> set[str]:
    layers = (*layout.top, *_TRAINING)
    return {name for name in variables.shapes if name.split("/")[0] in layers}


def _sampled(
    variables: OfficialVariables, model: keras.Model
) -> dict[str, list[keras.Variable]]:
    weights = large_fov_weights(model)
    if not weights.keys() & variables.shapes.keys():
        return {}
    check_large_fov(variables, weights)
    return weights


def _read_backbone(
    variables: OfficialVariables,
    wanted: Mapping[str, keras.Variable],
    biases: Mapping[str, keras.Variable],
) -> Iterator[tuple[keras.Variable, Array]]:
    bias_names = {weight.path: name for name, weight in biases.items()}
    for name, weight in wanted.items():
        value = variables.value(name)
        if weight.path in bias_names:
            # Our convolutions have no bias. A batch norm subtracts the mean from what
            # the bias was added to: a mean smaller by the bias is the same function.
            value = value - variables.value(bias_names[weight.path])
        yield weight, value


def _read_large_fov(
    variables: OfficialVariables, weights: Mapping[str, list[keras.Variable]]
) -> Iterator[tuple[keras.Variable, Array]]:
    for name, targets in weights.items():
        value = SAMPLERS[name](variables.value(name), targets[0].shape[-1])
        for weight in targets:
            yield weight, value
