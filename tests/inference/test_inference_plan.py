from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab import DeepLabV3
from keras_deeplab.inference import (
    ImagePoolingWarning,
    InferencePlan,
    check_plan,
    segment,
)
from tests.inference.color_model import ColorModel


def test_plan_of_the_papers_has_six_scales_each_mirrored_too() -> None:
    plan = InferencePlan.multi_scale(output_stride=8)
    assert plan.scales == (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
    assert plan.output_stride == 8
    views = [(view.scale, view.flipped) for view in plan.views]
    assert views[:3] == [(0.5, False), (0.5, True), (0.75, False)]
    assert len(set(views)) == 12


def test_plan_brings_its_values_into_one_form() -> None:
    plan = InferencePlan(scales=[1, 2], window=5)  # type: ignore[arg-type]
    assert plan == InferencePlan(scales=(1.0, 2.0), window=(5, 5))
    assert hash(plan) == hash(InferencePlan(scales=(1.0, 2.0), window=(5, 5)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"scales": ()},
        {"scales": (1.0, 0.0)},
        {"scales": (1.0, 1.0)},
        {"scales": (float("nan"),)},
        {"scales": "1"},
        {"flip": 2},
        {"window": 0},
        {"window": (3, 4, 5)},
        {"overlap": 1.0},
        {"overlap": -0.1},
        {"output_stride": 4},
    ],
    ids=str,
)
def test_plan_with_an_impossible_value_names_it(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=rf"`{name}` must") as error:
        InferencePlan(**wrong)
    assert str(error.value).endswith(f"Received: {name}={value!r}")


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (InferencePlan(scales=(0.5, 1)), r"fixed input of 40 x 50.*window=\(40, 50\)"),
        (InferencePlan(window=40), r"`window` must be \(40, 50\)"),
        (InferencePlan(output_stride=8), r"needs a Keras model"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("resize_mode", ["pad", "stretch"])
def test_model_of_a_fixed_input_refuses_what_it_cannot_do(
    plan: InferencePlan, message: str, resize_mode: str
) -> None:
    model = ColorModel(height=40, width=50, resize_mode=resize_mode)
    with pytest.raises(ValueError, match=message):
        check_plan(model, None, plan)
    check_plan(model, None, InferencePlan(window=(40, 50), scales=(0.5, 1), flip=True))


def test_window_below_the_output_stride_is_refused() -> None:
    with pytest.raises(ValueError, match="`window` must be at least the model's outpu"):
        check_plan(ColorModel(), None, InferencePlan(window=(99, 7)))


def tiny(**options: Any) -> DeepLabV3:
    return DeepLabV3("mobilenet_v2", alpha=0.35, classes=3, **options)


@pytest.mark.parametrize(
    ("options", "plan", "reason"),
    [
        ({"crop_size": 65}, InferencePlan(window=(99, 64)), "padded to it"),
        ({"crop_size": 65, "input_shape": (33, 65, 3)}, None, "its input, 33 x 65, is"),
        ({}, InferencePlan(window=65), "`crop_size` of its training"),
    ],
    ids=["window", "input", "global"],
)
def test_image_pooling_that_is_not_that_of_training_is_told_once(
    options: dict[str, Any],
    plan: InferencePlan | None,
    reason: str,
    recwarn: pytest.WarningsRecorder,
) -> None:
    model = tiny(**options)
    for _ in range(2):
        check_plan(model, None, plan)
    (told,) = recwarn
    assert told.category is ImagePoolingWarning
    assert reason in str(told.message)


def test_image_pooling_over_the_window_of_training_is_not_worth_a_word() -> None:
    model = tiny(crop_size=65)
    for plan in (None, InferencePlan(window=65), InferencePlan.multi_scale()):
        check_plan(model, 1000, plan)
    check_plan(tiny(), None, InferencePlan.multi_scale())


def test_image_pooling_is_told_of_by_whoever_segments() -> None:
    photo = keras.ops.convert_to_numpy(keras.ops.zeros((40, 40, 3), "uint8"))
    with pytest.warns(ImagePoolingWarning, match="padded"):
        segment(tiny(crop_size=65), photo, plan=InferencePlan(window=33))


@pytest.mark.parametrize("plan", ["papers", {"scales": [1]}, 0.5])
def test_plan_that_is_none_is_refused_by_name(plan: Any) -> None:
    with pytest.raises(TypeError, match="`plan` must be an `InferencePlan`"):
        segment(ColorModel(), np.zeros((9, 9, 3), "uint8"), plan=plan)
