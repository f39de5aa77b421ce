import dataclasses
import json

import pytest

from keras_deeplab.training import Recipe
from tests.training.tiny_run import recipe


def test_recipe_is_equal_after_a_way_through_json() -> None:
    data = json.loads(json.dumps(recipe().as_data()))
    again = Recipe(**data)
    assert again.as_data() == data
    assert again.crop_size == (33, 49)
    assert set(data) == {field.name for field in dataclasses.fields(Recipe)}


def test_changes_reach_fields_and_their_entries_and_nothing_else() -> None:
    before = recipe().as_data()
    changed = recipe().with_changes(
        {"batch_size": 3, "augmentation.flip": 0.25, "augmentation.hue": 0, "steps": 9}
    )
    augmentation = {"scale": [0.6, 2.0], "scale_step": 0, "hue": 0, "flip": 0.25}
    expected = {"batch_size": 3, "augmentation": augmentation, "steps": 9}
    assert changed.as_data() == {**before, **expected, "epochs": None}
    assert recipe().as_data() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learnin_rate": 1}, r"no field 'learnin_rate'. Did you mean learning_rate"),
        ({"xyz": 1}, r"no field 'xyz'. There are: name, model, "),
        ({"batch_size.x": 1}, "'batch_size' has no entries: change it as a whole"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"optimizer": "adam"}, "`optimizer` must be one of 'sgd', 'adamw'"),
        ({"model": "UNet"}, "`model` must be one of 'DeepLabV1', "),
        ({"crop_size": "big"}, "`crop_size` must be a positive integer"),
        ({"epochs": None}, "One of `epochs` and `steps` must be given"),
        ({"steps": 1.5}, "`steps` must be an integer"),
        ({"batch_norm": "off"}, "`batch_norm` must be one of"),
        ({"quantize": "int4"}, "`quantize` must be one of 'none', 'int8'"),
        (
            {"quantize": "int8", "precision": "mixed_float16"},
            "`quantize` 'int8' needs `precision` 'float32'",
        ),
    ],
)
def test_change_that_makes_no_sense_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe().with_changes(changes)


def test_epochs_and_steps_follow_from_each_other() -> None:
    by_steps = recipe(steps=25)
    assert by_steps.total_epochs(10) == 3
    assert by_steps.total_steps(10) == 25
    assert recipe(epochs=4).total_steps(10) == 40
    assert recipe(epochs=4).total_epochs(10) == 4
