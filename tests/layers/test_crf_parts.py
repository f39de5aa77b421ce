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
from keras_deeplab.layers.color_weights import ONES, color_weights
from keras_deeplab.layers.label_groups import label_groups
from tests.layers import exact_crf
from tests.layers.crf_scenes import round_factors


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


def test_narrow_colors_get_a_larger_palette_and_first_steps_are_left_out() -> None:
    row = dataclasses.replace(
        CRF_ACCURACIES["accurate"],
        palette=100,
        narrow_palette=150,
        last_strides=(2, 1),
        most_steps=8,
    )
    assert [row.colors(theta) for theta in (13.0, 5.0, 4.5, 3.0)] == [
        100,
        100,
        123,
        150,
    ]
    assert row.strides(10) == (4,) * 6 + (2, 1)
    assert [row.strides(steps) for steps in (1, 2, 5)] == [
        (1,),
        (2, 1),
        (4, 4, 4, 2, 1),
    ]
    assert len(dataclasses.replace(row, most_steps=None).strides(10)) == 10


def test_grids_of_successive_steps_see_other_pixels() -> None:
    grids = crf_grid.grids_of((300, 400), 20, (4, 4, 4, 2))
    assert [grid.offset for grid in grids] == [(0, 0), (2, 2), (0, 0), (0, 0)]
    small = crf_grid.grids_of((100, 400), 20, (4, 2))
    assert [grid.stride for grid in small] == [1, 1]


def test_groups_are_the_labels_that_are_sure_somewhere_and_all_others() -> None:
    # Label 0 is unlikely everywhere, label 3 is sure of an eighth of the pixels.
    share = np.tile(np.array([0.2, 0.5, 0.3, 0.0], "float32"), (1, 2, 8, 1))
    share[0, :, 0] = [0, 0, 0, 1]
    groups = label_groups(share, 3)
    assert np.array(groups.alone).tolist() == [1, 3]
    np.testing.assert_array_equal(groups.of, [[0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 1, 0]])
    scores = np.log(share + 1e-3)
    found = np.array(groups.scores(scores))
    np.testing.assert_allclose(found[..., :2], scores[..., [1, 3]])
    np.testing.assert_allclose(found[..., 2], scores[..., [0, 2]].max(-1))
    np.testing.assert_allclose(
        np.array(groups.to_labels(found)), found[..., [2, 0, 2, 1]]
    )


@pytest.mark.parametrize("middle", [0.0, -30.0])
def test_color_weights_are_a_softmax_of_squared_distances(
    middle: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    colors = middle + rng.uniform(-2, 2, (2, 7, 3)).astype("float32")
    samples = colors[:, 1:5] + rng.normal(0, 1, (2, 4, 3)).astype("float32")
    filled = np.pad(colors, ((0, 0), (0, 0), (0, ONES)), constant_values=1)
    squares = ((colors[:, :, None] - samples[:, None]) ** 2).sum(-1)
    expected = exact_crf.softmax(-squares)
    np.testing.assert_allclose(color_weights(filled, samples), expected, atol=0.05)
    round_factors(monkeypatch)
    np.testing.assert_allclose(color_weights(filled, samples), expected, atol=0.1)


@pytest.mark.parametrize("spread", [3.0, 0.3, 1e-4, 0.0])
@pytest.mark.parametrize("count", [30, 460])
def test_inverse_of_the_palettes_kernel_stands_colors_that_are_alike(
    spread: float, count: int
) -> None:
    rng = np.random.default_rng(0)
    palette = 2 + rng.uniform(-spread, spread, (count, 3)).astype("float32")
    squares = ((palette[:, None] - palette[None]) ** 2).sum(-1)
    kernel = np.exp(-0.5 * squares)
    kernel += kernel.sum(axis=0).max() / 1e3 * np.eye(count)
    inverse = np.array(color_palette.inverse_kernel(palette), "float64")
    np.testing.assert_allclose(inverse @ kernel, np.eye(count), atol=2e-2)


def test_tiles_of_a_map_join_to_the_map_again() -> None:
    values = np.arange(8 * 12 * 2, dtype="float32").reshape(1, 8, 12, 2)
    tiles = np.array(crf_grid.to_tiles(values, 4))
    assert tiles.shape == (6, 16, 2)
    np.testing.assert_array_equal(tiles[4], values[0, 4:, 4:8].reshape(16, 2))
    np.testing.assert_array_equal(crf_grid.from_tiles(tiles, 3, 4), values)
