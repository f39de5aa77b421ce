import numpy as np
import pytest

from keras_deeplab.data import Augmentation


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_scales_in_steps_are_the_official_ones_equally_often() -> None:
    random = rng()
    drawn = [Augmentation().draw_scale(random) for _ in range(7000)]
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    assert counts.min() > 850


def test_scales_without_steps_fill_the_range() -> None:
    augment, random = Augmentation(scale=(0.5, 1.5), scale_step=0), rng()
    drawn = np.array([augment.draw_scale(random) for _ in range(2000)])
    assert 0.5 <= drawn.min() < 0.51
    assert 1.49 < drawn.max() < 1.5
    assert drawn.mean() == pytest.approx(1, abs=0.03)


def test_steps_that_are_not_exact_in_binary_reach_the_greatest_scale() -> None:
    augment, random = Augmentation(scale=(0.5, 2.0), scale_step=0.1), rng()
    drawn = {round(augment.draw_scale(random), 6) for _ in range(1000)}
    assert (len(drawn), max(drawn)) == (16, 2.0)


@pytest.mark.parametrize("flip", [0.0, 0.25, 1.0])
def test_flips_are_as_frequent_as_asked(flip: float) -> None:
    augment, random = Augmentation(flip=flip), rng()
    drawn = [augment.draw_flip(random) for _ in range(2000)]
    assert np.mean(drawn) == pytest.approx(flip, abs=0.03)


def test_colours_are_left_alone_unless_asked_for() -> None:
    assert Augmentation().draw_color_shift(rng()) is None


def test_color_shifts_stay_in_their_ranges_and_fill_them() -> None:
    widths = {"brightness": 0.4, "contrast": 0.3, "saturation": 0.2, "hue": 0.1}
    augment, random = Augmentation(**widths), rng()
    shifts = [augment.draw_color_shift(random) for _ in range(500)]
    for name, width in widths.items():
        middle = 0 if name == "hue" else 1
        drawn = np.array([getattr(shift, name) for shift in shifts]) - middle
        assert 0.95 * width < np.abs(drawn).max() <= width
        assert abs(drawn.mean()) < 0.1 * width


@pytest.mark.parametrize(
    "arguments",
    [
        {"scale": (0, 2.0)},
        {"scale": (2.0, 0.5)},
        {"scale": (0.5, float("inf"))},
        {"scale": (float("nan"), 1.0)},
        {"scale_step": -0.1},
        {"flip": 1.5},
        {"brightness": -0.1},
        {"hue": 0.6},
    ],
    ids=str,
)
def test_ranges_that_make_no_sense_are_refused(arguments: dict) -> None:
    ((name, _),) = arguments.items()
    with pytest.raises(ValueError, match=rf"`{name}` .*Received: {name}="):
        Augmentation(**arguments)
