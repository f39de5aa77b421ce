import importlib

import numpy as np
import pytest


@pytest.fixture
def exponent():
    return importlib.import_module("exponent")


def test_fit_power_when_costs_are_a_power_finds_it(exponent) -> None:
    sizes = [129, 257, 513]
    law = exponent.fit_power(sizes, [3e-4 * size**1.7 for size in sizes])
    assert law.exponent == pytest.approx(1.7)
    assert law.factor == pytest.approx(3e-4)
    assert law.explained == pytest.approx(1)
    assert law.at(1025) == pytest.approx(3e-4 * 1025**1.7)


def test_fit_power_when_costs_are_noisy_is_the_least_squares_line(exponent) -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    costs = sizes**0.8 * np.exp(rng.normal(0, 0.3, 5))
    law = exponent.fit_power(sizes.tolist(), costs.tolist())
    slope, intercept = np.polyfit(np.log(sizes), np.log(costs), 1)
    left = np.log(costs) - slope * np.log(sizes) - intercept
    assert law.exponent == pytest.approx(slope)
    assert law.factor == pytest.approx(np.exp(intercept))
    assert law.explained == pytest.approx(1 - left.var() / np.log(costs).var())
    assert law.explained < 0.99


def test_fit_power_when_costs_stay_is_flat(exponent) -> None:
    law = exponent.fit_power([1, 2, 4], [0.7, 0.7, 0.7])
    assert law.exponent == pytest.approx(0)
    assert (law.factor, law.explained) == (pytest.approx(0.7), 1)


@pytest.mark.parametrize(
    ("sizes", "costs"), [([2, 2], [1, 1]), ([1, 2], [0, 1]), ([0, 2], [1, 1])]
)
def test_fit_power_when_there_is_no_line_says_so(exponent, sizes, costs) -> None:
    with pytest.raises(ValueError, match=r"above 0.*Received: sizes="):
        exponent.fit_power(sizes, costs)


def test_draw_curves_when_drawn_puts_points_on_their_line(exponent, tmp_path) -> None:
    plots, image = (
        importlib.import_module("plots"),
        importlib.import_module("PIL.Image"),
    )
    sizes, costs = [1, 2, 4], [1.0, 2.0, 4.0]
    curve = plots.Curve("a", sizes, costs, exponent.fit_power(sizes, costs))
    plots.draw_curves({"first": [curve], "second": [curve]}, tmp_path / "a.png")
    page = image.open(tmp_path / "a.png")
    assert page.size == (2 * plots.PANEL[0], plots.PANEL[1])
    blue = np.argwhere((np.array(page) == (0x1F, 0x77, 0xB4)).all(-1))
    # The line goes from the bottom left to the top right of its panel.
    low, high = blue[blue[:, 1].argmin()], blue[(blue[:, 1] < plots.PANEL[0]).nonzero()]
    assert low[0] > high[:, 0].min() + plots.PANEL[1] / 2


def test_draw_bars_when_drawn_has_lengths_in_proportion(tmp_path) -> None:
    plots, image = (
        importlib.import_module("plots"),
        importlib.import_module("PIL.Image"),
    )
    panel = plots.Bars("inference", {"ours": (1.0, 1.0), "theirs": (2.0, 0.5)})
    plots.draw_bars([panel], tmp_path / "b.png", columns=1)
    page = np.array(image.open(tmp_path / "b.png"))
    wide, thin = (
        (page[top] == (0xFF, 0x7F, 0x0E)).all(-1).sum()
        for top in (36 + 2 * plots.ROW + 3, 36 + 2 * plots.ROW + 24)
    )
    # The line at 1 hides one pixel.
    assert wide / thin == pytest.approx(4, rel=0.05)
