import json

import keras
import numpy as np
import pytest

from keras_deeplab.training import PolyDecay


def rates(schedule: PolyDecay, steps: range) -> list[float]:
    return [float(schedule(keras.ops.convert_to_tensor(step))) for step in steps]


def test_rate_of_every_step_follows_the_formula_of_the_papers() -> None:
    expected = [0.007 * (1 - step / 30) ** 0.9 for step in range(30)] + [0, 0]
    found = rates(PolyDecay(0.007, 30), range(32))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


def test_rate_with_an_end_stays_there() -> None:
    found = rates(PolyDecay(0.1, 10, power=2, end_rate=0.02), range(13))
    expected = [0.08 * (1 - step / 10) ** 2 + 0.02 for step in range(10)] + 3 * [0.02]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("slow_start", ["constant", "linear"])
def test_rate_after_a_slow_start_decays_over_the_steps_that_are_left(
    slow_start: str,
) -> None:
    schedule = PolyDecay(
        0.1,
        10,
        power=0.9,
        slow_start_steps=4,
        slow_start_rate=0.02,
        slow_start=slow_start,
    )
    slow = {"constant": [0.02] * 4, "linear": [0.02, 0.04, 0.06, 0.08]}[slow_start]
    decay = [0.1 * (1 - step / 6) ** 0.9 for step in range(7)]
    np.testing.assert_allclose(
        rates(schedule, range(11)), slow + decay, rtol=1e-5, atol=1e-9
    )


def test_schedule_made_again_from_its_configuration_has_the_same_rates() -> None:
    schedule = PolyDecay(
        0.1, 10, power=1.5, end_rate=0.01, slow_start_steps=3, slow_start="linear"
    )
    saved = keras.optimizers.schedules.serialize(schedule)
    assert saved["registered_name"] == "keras_deeplab>PolyDecay"
    revived = keras.optimizers.schedules.deserialize(json.loads(json.dumps(saved)))
    assert revived.get_config() == schedule.get_config()
    assert rates(revived, range(12)) == rates(schedule, range(12))


@pytest.mark.parametrize(
    ("kwargs", "mention"),
    [
        ({"total_steps": 0}, "`total_steps`.*total_steps=0"),
        ({"learning_rate": 0}, "`learning_rate`.*learning_rate=0"),
        ({"learning_rate": float("nan")}, "`learning_rate`.*nan"),
        ({"power": -1}, "`power`.*power=-1"),
        ({"end_rate": -1}, "`end_rate`.*end_rate=-1"),
        ({"slow_start_steps": 10}, "`slow_start_steps`.*total_steps=10"),
        ({"slow_start_steps": -1}, "`slow_start_steps`.*-1"),
        ({"slow_start_rate": -1}, "`slow_start_rate`.*-1"),
        ({"slow_start": "cosine"}, "`slow_start` must be one of 'constant', 'linear'"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(
    kwargs: dict[str, float], mention: str
) -> None:
    with pytest.raises(ValueError, match=mention):
        PolyDecay(**{"learning_rate": 0.1, "total_steps": 10, **kwargs})
