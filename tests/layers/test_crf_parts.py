"""The parts of `DenseCRF`: kernels of place, the palette, tiles."""

import dataclasses

import numpy as np
import pytest

from keras_deeplab.layers import (
    CRF_ACCURACIES,
    color_palette,
    crf_grid,
    space_kernel,
)
from tests.layers import exact_crf


def test_tile_basis_is_a_factor_of_the_kernel() -> None:
    kernel = space_kernel.tile_kernel(np, 33, 16, 49.0)
    basis = space_kernel.tile_basis(33, 16, 49.0, 1e-4)
    assert basis.shape[1] < 20
    np.testing.assert_allclose(basis @ basis.T, kernel, atol=1e-3)


@pytest.mark.parametrize(
    ("stride", "theta", "shift"), [(1, 3.0, 0), (2, 3.0, 1), (4, 1.0, 2)]
)
def test_blur_of_ones_is_the_row_sum_of_the_symmetric_kernel(
    stride: int, theta: float, shift: int
) -> None:
    side = 97
    sources, targets = np.arange(0, side, stride), np.arange(shift, side, stride)
    radius = space_kernel.blur_radius(theta, stride)
    scale, taps, to = space_kernel.blur_axis(
        np, side, sources, stride, targets, radius, theta
    )
    values = (
        np.convolve(np.pad(scale, radius), taps[::-1], "valid")[: len(targets)] * to
    )
    place = np.arange(side)[:, None] / theta
    expected = exact_crf.normalized(place).sum(axis=1)[targets]
    np.testing.assert_allclose(values, expected, rtol=0.01)


def test_color_features_and_inverse_make_the_kernel() -> None:
    rng = np.random.default_rng(0)
    palette = rng.uniform(-3, 3, (30, 3)).astype("float32")
    columns = color_palette.color_columns(palette)
    rows = color_palette.palette_rows(palette)
    features = np.array(color_palette.color_features(columns, rows))
    squares = ((palette[:, None] - palette[None]) ** 2).sum(-1)
    np.testing.assert_allclose(features, np.exp(-0.5 * squares), atol=1e-4)


def test_scale_of_features_forgets_a_share_of_the_distance() -> None:
    features = np.exp(-0.5 * np.array([[1.0, 4.0], [9.0, 16.0], [1e4, 1e4]], "float32"))
    scale = np.array(color_palette.feature_scale(features, 0.25))
    expected = np.exp(0.25 * 0.5 * np.array([[1.0], [9.0]]))
    np.testing.assert_allclose(scale[:2], expected, rtol=1e-5)
    assert np.isfinite(scale).all()


def test_narrow_colors_get_a_larger_palette_and_early_steps_are_skipped() -> None:
    row = dataclasses.replace(
        CRF_ACCURACIES["accurate"],
        palette=100,
        narrow_palette=150,
        last_strides=(2, 1),
        skipped=0.2,
    )
    assert [row.colors(theta) for theta in (13.0, 5.0, 4.5, 3.0)] == [
        100,
        100,
        123,
        150,
    ]
    assert row.strides(10) == (4,) * 6 + (2, 1)
    assert [row.strides(steps) for steps in (1, 2, 5)] == [(1,), (2, 1), (4, 4, 2, 1)]


@pytest.mark.parametrize("spread", [3.0, 0.3, 1e-4, 0.0])
@pytest.mark.parametrize("count", [30, 460])
def test_inverse_of_the_palettes_kernel_stands_colors_that_are_alike(
    spread: float, count: int
) -> None:
    rng = np.random.default_rng(0)
    palette = 2 + rng.uniform(-spread, spread, (count, 3)).astype("float32")
    squares = ((palette[:, None] - palette[None]) ** 2).sum(-1)
    kernel = np.exp(-0.5 * squares)
    kernel += kernel.sum(axis=0).max() / 5e3 * np.eye(count)
    inverse = np.array(color_palette.inverse_kernel(palette), "float64")
    np.testing.assert_allclose(inverse @ kernel, np.eye(count), atol=2e-2)


def test_tiles_of_a_map_join_to_the_map_again() -> None:
    values = np.arange(8 * 12 * 2, dtype="float32").reshape(8, 12, 2)
    tiles = np.array(crf_grid.to_tiles(values, 4))
    assert tiles.shape == (6, 16, 2)
    np.testing.assert_array_equal(tiles[4], values[4:, 4:8].reshape(16, 2))
    np.testing.assert_array_equal(crf_grid.from_tiles(tiles, 3, 4), values)
