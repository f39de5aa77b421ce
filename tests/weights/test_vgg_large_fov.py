"""Decimation of VGG-16's fully connected layers, against loops."""

import numpy as np
import pytest

from keras_deeplab.weights.vgg_large_fov import sample_fc6, sample_fc7, sample_units


def test_sample_units_keeps_every_fourth_of_4096() -> None:
    np.testing.assert_array_equal(sample_units(4096, 1024), np.arange(0, 4096, 4))
    np.testing.assert_array_equal(sample_units(4096, 4096), np.arange(4096))


@pytest.mark.parametrize("filters", [1, 3, 5, 7, 12])
def test_sample_units_are_distinct_and_evenly_spaced(filters: int) -> None:
    units = sample_units(12, filters)
    assert units[0] == 0
    assert units[-1] < 12
    gaps = set(np.diff([*units, 12]))
    assert min(gaps) >= 1
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(("filters", "step"), [(12, 1), (6, 2), (3, 4)])
def test_sample_fc6_takes_taps_0_3_6_of_the_kept_units(filters: int, step: int) -> None:
    kernel = np.random.default_rng(0).normal(size=(7 * 7 * 5, 12)).astype("float32")
    found = sample_fc6(kernel, filters)
    assert found.shape == (3, 3, 5, filters)
    for y in range(3):
        for x in range(3):
            for channel in range(5):
                for unit in range(filters):
                    row = 3 * y * 7 * 5 + 3 * x * 5 + channel
                    assert found[y, x, channel, unit] == kernel[row, step * unit]


@pytest.mark.parametrize(("filters", "step"), [(12, 1), (6, 2), (3, 4)])
def test_sample_fc7_reads_the_units_that_fc6_kept(filters: int, step: int) -> None:
    kernel = np.random.default_rng(0).normal(size=(12, 12)).astype("float32")
    found = sample_fc7(kernel, filters)
    assert found.shape == (1, 1, filters, filters)
    for source in range(filters):
        for unit in range(filters):
            expected = kernel[step * source, step * unit]
            assert found[0, 0, source, unit] == expected
