"""Our models beside the published sizes of the archives that hold their weights."""

import math
from typing import NamedTuple

import pytest

import keras_deeplab
from keras_deeplab import backbones
from keras_deeplab.weights import WeightsRow, manifest


class Archive(NamedTuple):
    """What is known of an archive's content."""

    copies: int = 3  # The frozen graph, and the checkpoint with its momentum.
    classifier: int = 0
    whole: str | None = None


# 2048 features, 1001 classes.
_IMAGENET = 2049 * 1001

_START = Archive(classifier=_IMAGENET)
# All others of the manifest differ from these in their training data alone.
ARCHIVES = {
    "deeplabv3_mobilenet_v2_pascal_voc": Archive(),
    "deeplabv3_mobilenet_v2_050_pascal_voc": Archive(),
    "deeplabv3_mobilenet_v2_cityscapes": Archive(),
    "deeplabv3plus_mobilenet_v2_ade20k": Archive(),
    "lraspp_mobilenet_v3_large_cityscapes": Archive(),
    "lraspp_mobilenet_v3_small_cityscapes": Archive(),
    "deeplabv3plus_xception65_pascal_voc": Archive(),
    "deeplabv3plus_xception65_cityscapes": Archive(),
    "deeplabv3plus_xception65_ade20k": Archive(),
    "deeplabv3plus_xception71_cityscapes": Archive(),
    "xception41_imagenet": _START,
    "xception65_imagenet": _START,
    "xception71_imagenet": _START,
    "resnet50_beta_imagenet": _START,
    "resnet101_beta_imagenet": _START,
    # Two copies of all of V3+, not of its backbone alone.
    "xception65_coco": Archive(2, whole="deeplabv3plus_xception65_pascal_voc"),
}
# What gzip leaves of trained float32 numbers.
PACKED = (0.875, 0.945)


def trainable(row: WeightsRow) -> int:
    """Numbers that training changes."""
    if row.model:
        model = getattr(keras_deeplab, row.model)(**row.model_arguments())
    else:
        model = backbones.build_backbone(**{"name": row.backbone, **_options(row)})
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def _options(row: WeightsRow) -> dict[str, object]:
    return {key: row.arguments[key] for key in row.arguments if key != "backbone"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHIVES)
def test_trainable_parameters_agree_with_the_published_size(name: str) -> None:
    archive = ARCHIVES[name]
    numbers = trainable(manifest()[archive.whole or name]) + archive.classifier
    packed = published_bytes(manifest()[name]) / (4 * archive.copies * numbers)
    assert PACKED[0] < packed < PACKED[1]


def published_bytes(row: WeightsRow) -> float:
    return row.bytes or 1e6 * float(str(row.stated_size).removesuffix("MB"))


def test_size_in_bytes_is_the_rounded_one_where_both_are_stated() -> None:
    row = manifest()["deeplabv3_mobilenet_v2_pascal_voc"]
    assert (row.bytes, row.stated_size) == (23882985, "23MB")


def test_every_official_architecture_has_a_published_size() -> None:
    rows = [row for row in manifest().values() if row.converter == "tf1"]
    sized = {_architecture(row) for row in rows if row.name in ARCHIVES}
    assert {_architecture(row) for row in rows} == sized


def _architecture(row: WeightsRow) -> tuple[object, ...]:
    return row.model, row.class_names, *sorted(row.arguments.items(), key=str)
