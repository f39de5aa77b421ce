import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.data import DATASETS, SegmentationData, read_photo
from keras_deeplab.training import RECIPES, Recipe, find_data, find_recipe
from keras_deeplab.training.batches import Batches
from keras_deeplab.training.build import build_model, compile_model
from keras_deeplab.weights.pretrained import find_start
from tests.training import tiny_run

few_images = pytest.mark.filterwarnings("ignore:The statistics of")
every_recipe = pytest.mark.parametrize("name", RECIPES)
V3 = {"optimizer": "sgd", "schedule": "poly", "batch_size": 16, "learning_rate": 0.007}

# As the papers and the official code state it.
STATED: dict[str, dict[str, Any]] = {
    "deeplabv1_vgg16_voc": {
        "learning_rate": 1e-3,
        "schedule": "staircase",
        "steps": 6000,
        "batch_size": 20,
        "weight_decay": 5e-4,
        "crop_size": (321, 321),
    },
    "deeplabv2_resnet101_voc": {
        "learning_rate": 2.5e-4,
        "batch_size": 1,
        "accumulation": 10,
        "steps": 200_000,
        "weight_decay": 5e-4,
        "crop_size": (321, 321),
        "batch_norm": "frozen",
        "multi_scale_loss": True,
    },
    "deeplabv3_resnet101_voc": {
        **V3,
        "steps": 30_000,
        "crop_size": (513, 513),
        "weight_decay": 1e-4,
        "train_data": ("voc2012_aug", "trainaug"),
    },
    "deeplabv3_resnet101_voc_trainval": {
        "steps": 30_000,
        "learning_rate": 1e-3,
        "batch_norm": "frozen",
        "train_data": ("voc2012", "trainval"),
        "after": "deeplabv3_resnet101_voc",
    },
    "deeplabv3plus_xception65_voc": {**V3, "steps": 30_000, "weight_decay": 4e-5},
    "deeplabv3plus_xception65_cityscapes": {
        "steps": 90_000,
        "crop_size": (769, 769),
        "weight_decay": 4e-5,
    },
    "deeplabv3plus_xception65_ade20k": {"steps": 150_000, "crop_size": (513, 513)},
    "lraspp_mobilenet_v3_large_cityscapes": {"crop_size": (769, 769), "weights": None},
    "camvid_mobilenet_v2": {
        "crop_size": (361, 481),
        "batch_size": 8,
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "ema": 0.995,
        "epochs": 120,
        "class_weight_range": (0.4, 3.0),
    },
}

# Arguments that leave a model as it is but for its size.
SMALL: dict[str, dict[str, Any]] = {
    "vgg16": {"stage_filters": [4, 4, 8, 8, 8]},
    "resnet101": {"blocks": [1, 1, 1, 3], "stage_filters": [4, 4, 8, 8]},
    "resnet101_beta": {"blocks": [2, 2, 2, 3], "stage_filters": [4, 4, 8, 8]},
    "xception65": {"middle_units": 1},
    "mobilenet_v2": {"alpha": 0.1},
    "mobilenet_v3_large": {"alpha": 0.1},
    "mobilenet_v3_small": {"alpha": 0.1},
}
HEADS: dict[str, dict[str, Any]] = {
    "DeepLabV1": {"filters": 8},
    "DeepLabV2": {},
    "DeepLabV3": {"filters": 8},
    "DeepLabV3Plus": {"filters": 8, "decoder_filters": 8},
    "LRASPP": {"filters": 8},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> SegmentationData:
    root = tiny_run.write_data(tmp_path_factory.mktemp("data"))
    return find_data(tiny_run.recipe(), root).train


@pytest.mark.parametrize("name", STATED)
def test_recipe_is_that_of_the_paper(name: str) -> None:
    found = {field: getattr(RECIPES[name], field) for field in STATED[name]}
    assert found == STATED[name]


@every_recipe
def test_recipe_is_plain_data_of_known_datasets(name: str) -> None:
    recipe = RECIPES[name]
    assert Recipe(**json.loads(json.dumps(recipe.as_data()))) == recipe.with_changes({})
    for dataset, split in (recipe.train_data, recipe.val_data):
        assert split in DATASETS[dataset].splits
    assert recipe.name == name
    assert recipe.after is None or recipe.after in RECIPES


@every_recipe
def test_weights_of_a_recipe_suit_its_model(name: str) -> None:
    recipe = RECIPES[name]
    if recipe.weights is None:
        return
    given = {**recipe.arguments, "classes": 3, "crop_size": recipe.crop_size}
    start = find_start(getattr(keras_deeplab, recipe.model), recipe.weights, given)
    assert start.arguments["backbone"] == recipe.arguments.get("backbone", "vgg16")


@pytest.mark.slow
@few_images
@every_recipe
def test_recipe_builds_and_takes_steps(name: str, data: SegmentationData) -> None:
    recipe = tiny(RECIPES[name])
    model = build_model(recipe, data)
    trained = compile_model(
        model, recipe, steps_per_epoch=12, ignore_label=255, class_weights=None
    )
    trained.run_eagerly = True
    before = model.get_weights()
    batches = Batches(data, recipe, model)
    assert batches.steps == len(data) // recipe.batch_size
    arguments, callbacks = batches.from_epoch(0)
    # As many as it takes to one update.
    steps = recipe.accumulation
    arguments["steps_per_epoch"] = steps
    history = trained.fit(**arguments, shuffle=False, verbose=0, callbacks=callbacks)
    assert np.isfinite(history.history["loss"]).all()
    for weight, old in zip(model.weights, before, strict=True):
        assert np.isfinite(weight).all()
        norm = "batch_norm" in weight.path or "moving" in weight.path
        if norm and recipe.batch_norm == "frozen":
            np.testing.assert_array_equal(weight, old)
    moved = [
        not np.array_equal(w, o) for w, o in zip(model.weights, before, strict=True)
    ]
    assert any(moved)
    rate = float(keras.ops.convert_to_numpy(trained.optimizer.learning_rate))
    left = (1 - steps / 12) ** 0.9 if recipe.schedule == "poly" else 1
    assert rate == pytest.approx(recipe.learning_rate * left, rel=1e-4)


def tiny(recipe: Recipe) -> Recipe:
    backbone = recipe.arguments.get("backbone", "vgg16")
    small = {**SMALL[backbone], **HEADS[recipe.model]}
    if recipe.model == "DeepLabV2":
        small["hidden_filters"] = 8 if backbone == "vgg16" else 0
    batch = min(2, recipe.batch_size)
    return recipe.with_changes(
        {
            "arguments": {**recipe.arguments, **small},
            "weights": None,
            "after": None,
            "crop_size": 33,
            "batch_size": batch,
            "epochs": 1,
        }
    )


def test_recipe_of_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"fine_tune_mobilenet_v2_035\. Received: 'x'"):
        find_recipe("x")


def test_second_stage_without_a_first_says_which(data: SegmentationData) -> None:
    recipe = RECIPES["deeplabv3_resnet101_voc_trainval"]
    with pytest.raises(ValueError, match="a model of 'deeplabv3_resnet101_voc'"):
        build_model(recipe, data)


def test_files_of_a_batch_are_those_that_fit_gets(data: SegmentationData) -> None:
    recipe = tiny(RECIPES["camvid_mobilenet_v2"])
    recipe = recipe.with_changes(
        {"augmentation": {"scale": [1, 1], "flip": 0}, "crop_size": [33, 49]}
    )
    model = build_model(recipe, data)
    batches = Batches(data, recipe, model)
    names = [batches.files(epoch, batch) for epoch in (3, 4) for batch in range(3)]
    assert names[:3] != names[3:]
    photos = {pair.image.name: read_photo(pair.image) for pair in data.pairs}
    dataset = iter(batches.from_epoch(3)[0]["x"])
    for batch in names:
        images, _ = next(dataset)
        for image, name in zip(images, batch, strict=True):
            expected = photos[name] * (2 / 255) - 1
            np.testing.assert_allclose(image[:, :48], expected, atol=1e-5)
