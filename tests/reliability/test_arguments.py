"""Constructors with arguments of any kind: they build, or say what is wrong."""

import dataclasses
import functools
import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_deeplab
from keras_deeplab import layers, metrics, training
from keras_deeplab.backbones import BACKBONES, get_backbone
from keras_deeplab.data import Augmentation
from keras_deeplab.models.segmenter import Segmenter
from tests.reliability.clearly import names_the_argument

ANYTHING = st.one_of(
    st.none(),
    st.integers(-3, 40),
    st.sampled_from([10**30, 10**400, True, np.int64(3), np.float32(0.5), object()]),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.lists(st.one_of(st.integers(-2, 9), st.none(), st.text(max_size=1)), max_size=4),
    st.tuples(st.integers(-1, 9), st.floats()),
    st.sampled_from([{}, {"a": 1}, {1, 2}, print, np.zeros((2, 2)), np.arange(3)]),
)
LAYERS: dict[type, dict[str, Any]] = {
    layers.ASPP: {"filters": 4, "rates": [1]},
    layers.AtrousConv: {"filters": 4, "kernel_size": 3},
    layers.AtrousDepthwiseConv: {"kernel_size": 3},
    layers.BatchNormalization: {},
    layers.ConvBlock: {"filters": 4, "kernel_size": 3},
    layers.DenseCRF: {},
    layers.DensePredictionCell: {"filters": 4},
    layers.ImagePooling: {"filters": 4},
    layers.Resize: {},
    training.Dice: {},
    training.Focal: {},
    training.SegmentationCrossEntropy: {},
    training.StopOnNaN: {},
    metrics.MeanIoU: {"classes": 3},
    Augmentation: {},
}
# What Keras looks up by itself, and refuses in words of its own.
OF_KERAS = {
    "activation",
    "classifier_activation",
    "depthwise_activation",
    "depthwise_initializer",
    "dtype",
    "kernel_initializer",
    "kernel_regularizer",
}
# Yes or no, which anything in Python is, but for an array.
SWITCHES = {
    "align_corners",
    "batch_norm",
    "image_pooling",
    "include_preprocessing",
    "inputs_are_logits",
    "separable",
    "trainable",
}
# Of other rows, and so no options.
TABLES = {"rows", "entry"}
# A name or a file that is looked for, and what belongs to Python.
NOT_TRIED = {"weights", "self", "head", "backbone_options", "name", "dtype"}
MODELS: dict[type, dict[str, Any]] = {
    keras_deeplab.DeepLabV3: {"backbone": "mobilenet_v3_small", "filters": 4},
    keras_deeplab.LRASPP: {"backbone": "mobilenet_v3_small"},
}


def check(make: Any, name: str, value: Any, **others: Any) -> None:
    excused = name in OF_KERAS or (name in SWITCHES and isinstance(value, np.ndarray))
    try:
        make(**{**others, name: value})
    except (ValueError, TypeError) as error:
        if not excused and not names_the_argument(error, name):
            raise AssertionError(f"{name}={value!r}: {error}") from error


def arguments_of(cls: type) -> list[str]:
    found = inspect.signature(cls).parameters.values()
    return [p.name for p in found if p.kind is not p.VAR_KEYWORD and p.name != "name"]


@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
@settings(max_examples=100)
@given(st.data())
def test_layer_with_any_argument_is_made_or_names_it(
    cls: type, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(arguments_of(cls)))
    check(cls, name, data.draw(ANYTHING), **LAYERS[cls])


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
@settings(max_examples=12)
@given(st.data())
def test_model_with_any_argument_is_built_or_names_it(
    cls: type, data: st.DataObject
) -> None:
    shared = inspect.signature(Segmenter.__init__).parameters
    names = {*arguments_of(cls), *shared} - NOT_TRIED
    name = data.draw(st.sampled_from(sorted(names)))
    check(cls, name, data.draw(ANYTHING), **MODELS[cls])


@settings(max_examples=100)
@given(st.data())
def test_backbone_with_any_option_is_found_or_names_it(data: st.DataObject) -> None:
    backbone = data.draw(st.sampled_from(sorted(BACKBONES)))
    options = {field.name for field in dataclasses.fields(BACKBONES[backbone])}
    name = data.draw(st.sampled_from(sorted(options - TABLES)))
    make = functools.partial(get_backbone, backbone)
    check(make, name, data.draw(ANYTHING))
