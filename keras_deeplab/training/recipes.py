"""The trainings of the papers, and those of this package's own weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from keras_deeplab.training.layerwise import classifier_multipliers
from keras_deeplab.training.recipe import Recipe

# Where the masks of the Semantic Boundaries Dataset are added, as in the papers.
_VOC: Mapping[str, Any] = {
    "train_data": ("voc2012_aug", "trainaug"),
    "val_data": ("voc2012", "val"),
}
# The second stage trains on the images it is scored on: a test server has the others.
_VOC_TRAINVAL: Mapping[str, Any] = {
    "train_data": ("voc2012", "trainval"),
    "val_data": ("voc2012", "val"),
}
_CITYSCAPES: Mapping[str, Any] = {
    "train_data": ("cityscapes", "train"),
    "val_data": ("cityscapes", "val"),
}
_ADE20K: Mapping[str, Any] = {
    "train_data": ("ade20k", "train"),
    "val_data": ("ade20k", "val"),
}
_CAMVID: Mapping[str, Any] = {
    "train_data": ("camvid", "train"),
    "val_data": ("camvid", "val"),
}

# V1 and V2 train a new classifier on ImageNet's network.
_FIRST: Mapping[str, Any] = {
    "crop_size": (321, 321),
    "learning_rate": 1e-3,
    "multipliers": classifier_multipliers(),
    "weight_decay": 5e-4,
    "batch_norm": "frozen",
    "weights": "imagenet",
    "evaluate_every": 10,
}
# V3 and all after it: section 4.1 of the V3 paper.
_SECOND: Mapping[str, Any] = {
    "batch_size": 16,
    "learning_rate": 7e-3,
    "weights": "imagenet",
    "evaluate_every": 10,
}
_SECOND_VOC: Mapping[str, Any] = {
    **_SECOND,
    **_VOC,
    "crop_size": (513, 513),
    "steps": 30_000,
}
_SECOND_CITYSCAPES: Mapping[str, Any] = {
    **_SECOND,
    **_CITYSCAPES,
    "crop_size": (769, 769),
    "steps": 90_000,
}
_SECOND_ADE20K: Mapping[str, Any] = {
    **_SECOND,
    **_ADE20K,
    "crop_size": (513, 513),
    "steps": 150_000,
}
_STAGE_TWO: Mapping[str, Any] = {
    **_SECOND,
    **_VOC_TRAINVAL,
    "crop_size": (513, 513),
    "steps": 30_000,
    "learning_rate": 1e-3,
    "batch_norm": "frozen",
    "weights": None,
}
_RESNET_101 = {"backbone": "resnet101_beta", "multi_grid": [1, 2, 4]}
_LRASPP: Mapping[str, Any] = {
    **_SECOND_CITYSCAPES,
    "model": "LRASPP",
    # Trained without ImageNet: MobileNetV3, table 7.
    "weights": None,
    "weight_decay": 4e-5,
}
_STREETS: Mapping[str, Any] = {
    **_CAMVID,
    "model": "DeepLabV3Plus",
    # The whole photo of 360 x 480, to the next size that aligns.
    "crop_size": (361, 481),
    "batch_size": 8,
    "epochs": 120,
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "multipliers": {"^(conv/|expanded_conv)": 0.3},
    "weight_decay": 0.01,
    "class_weights": "median_frequency",
    "class_weight_power": 0.5,
    "class_weight_range": (0.4, 3.0),
    "augmentation": {
        "scale": (0.6, 2.0),
        "scale_step": 0.0,
        "brightness": 0.3,
        "contrast": 0.3,
        "saturation": 0.3,
        "hue": 0.03,
    },
    # 46 steps an epoch: the official 0.9997 would still remember its start.
    "batch_norm_momentum": 0.97,
    "ema": 0.995,
}

_ROWS = (
    # The paper's loss is at the features' size, ours at the image's.
    Recipe(
        name="deeplabv1_vgg16_voc",
        model="DeepLabV1",
        batch_size=20,
        steps=6000,
        schedule="staircase",
        schedule_options={"decay_steps": 2000, "decay_rate": 0.1},
        augmentation={"scale": (1.0, 1.0)},
        **_FIRST,
        **_VOC,
    ),
    Recipe(
        name="deeplabv2_vgg16_voc",
        model="DeepLabV2",
        arguments={"backbone": "vgg16"},
        batch_size=10,
        steps=20_000,
        augmentation={"scale": (0.5, 1.5)},
        **_FIRST,
        **_VOC,
    ),
    # 20,000 updates of ten images each, one image at a time.
    Recipe(
        name="deeplabv2_resnet101_voc",
        model="DeepLabV2",
        arguments={"backbone": "resnet101", "scales": [1.0, 0.75, 0.5]},
        batch_size=1,
        accumulation=10,
        steps=200_000,
        multi_scale_loss=True,
        augmentation={"scale": (0.5, 1.5)},
        **{**_FIRST, **_VOC, "learning_rate": 2.5e-4, "evaluate_every": 1},
    ),
    Recipe(
        name="deeplabv3_resnet101_voc",
        model="DeepLabV3",
        arguments=_RESNET_101,
        weight_decay=1e-4,
        evaluation_output_stride=8,
        **_SECOND_VOC,
    ),
    Recipe(
        name="deeplabv3_resnet101_voc_trainval",
        model="DeepLabV3",
        arguments={**_RESNET_101, "output_stride": 8},
        after="deeplabv3_resnet101_voc",
        weight_decay=1e-4,
        **_STAGE_TWO,
    ),
    Recipe(
        name="deeplabv3_resnet101_cityscapes",
        model="DeepLabV3",
        arguments=_RESNET_101,
        weight_decay=1e-4,
        evaluation_output_stride=8,
        **_SECOND_CITYSCAPES,
    ),
    Recipe(
        name="deeplabv3_mobilenet_v2_voc",
        model="DeepLabV3",
        arguments={"backbone": "mobilenet_v2", "atrous_rates": []},
        weight_decay=4e-5,
        **_SECOND_VOC,
    ),
    Recipe(
        name="deeplabv3_mobilenet_v2_cityscapes",
        model="DeepLabV3",
        arguments={"backbone": "mobilenet_v2", "atrous_rates": []},
        weight_decay=4e-5,
        **_SECOND_CITYSCAPES,
    ),
    Recipe(
        name="deeplabv3plus_xception65_voc",
        model="DeepLabV3Plus",
        arguments={"backbone": "xception65"},
        weight_decay=4e-5,
        evaluation_output_stride=8,
        **_SECOND_VOC,
    ),
    Recipe(
        name="deeplabv3plus_xception65_voc_trainval",
        model="DeepLabV3Plus",
        arguments={"backbone": "xception65", "output_stride": 8},
        after="deeplabv3plus_xception65_voc",
        weight_decay=4e-5,
        **_STAGE_TWO,
    ),
    Recipe(
        name="deeplabv3plus_xception65_cityscapes",
        model="DeepLabV3Plus",
        arguments={"backbone": "xception65"},
        weight_decay=4e-5,
        **_SECOND_CITYSCAPES,
    ),
    Recipe(
        name="deeplabv3plus_xception65_ade20k",
        model="DeepLabV3Plus",
        arguments={"backbone": "xception65"},
        weight_decay=4e-5,
        **_SECOND_ADE20K,
    ),
    Recipe(
        name="deeplabv3plus_mobilenet_v2_ade20k",
        model="DeepLabV3Plus",
        arguments={"backbone": "mobilenet_v2"},
        weight_decay=4e-5,
        **_SECOND_ADE20K,
    ),
    Recipe(
        name="lraspp_mobilenet_v3_large_cityscapes",
        arguments={"backbone": "mobilenet_v3_large", "output_stride": 32},
        **_LRASPP,
    ),
    Recipe(
        name="lraspp_mobilenet_v3_small_cityscapes",
        arguments={"backbone": "mobilenet_v3_small", "output_stride": 32},
        **_LRASPP,
    ),
    Recipe(
        name="camvid_mobilenet_v2",
        arguments={"backbone": "mobilenet_v2"},
        weights="mobilenet_v2_imagenet",
        **_STREETS,
    ),
    Recipe(
        name="camvid_mobilenet_v2_035",
        arguments={"backbone": "mobilenet_v2", "alpha": 0.35, "divisible_by": 8},
        weights="mobilenet_v2_035_imagenet",
        **_STREETS,
    ),
    # Photos of one's own, as few as ten, from weights that know other things. Batches
    # of two have no statistics, and so few steps no long average.
    Recipe(
        name="fine_tune_mobilenet_v2_035",
        arguments={"backbone": "mobilenet_v2", "alpha": 0.35, "divisible_by": 8},
        weights="deeplabv3plus_mobilenet_v2_035_camvid",
        **{
            **_STREETS,
            "crop_size": (513, 513),
            "batch_size": 2,
            "epochs": 60,
            "batch_norm": "frozen",
            "batch_norm_momentum": None,
            "ema": 0.95,
            "evaluate_every": 10,
        },
    ),
)

#: The recipes by name.
RECIPES: Mapping[str, Recipe] = MappingProxyType({row.name: row for row in _ROWS})


def find_recipe(name: str) -> Recipe:
    """Returns a recipe by its name.

    Args:
        name: A key of `RECIPES`.

    Returns:
        The recipe.

    Raises:
        ValueError: If there is none of that name; the message lists all.
    """
    if name not in RECIPES:
        raise ValueError(
            f"There is no such recipe. Choose one of: {', '.join(RECIPES)}. "
            f"Received: {name!r}"
        )
    return RECIPES[name]
