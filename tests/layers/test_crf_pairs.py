"""Pixels of doubtful label, compared with the others one by one."""

import dataclasses

import numpy as np
import pytest

from keras_deeplab.layers import CRF_PRESETS, crf_pairs
from keras_deeplab.layers.crf_grid import Grid, from_tiles, to_tiles
from keras_deeplab.layers.crf_kernels import CRFKernels, constant_kernels
from keras_deeplab.layers.crf_photo import Photo, PhotoView, clipped_logits
from keras_deeplab.layers.gauss_exponent import exponent_rows
from tests.layers import exact_crf

SIZE, CLASSES, DOUBTFUL = (29, 41), 4, 0.03
PARAMETERS = CRF_PRESETS["v1"]


@dataclasses.dataclass(frozen=True)
class Scene:
    """A photo, what its pixels say, and what is found of it so far."""

    photo: Photo
    kernels: CRFKernels
    scores: np.ndarray
    found: np.ndarray


@pytest.fixture
def scene() -> Scene:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(*SIZE, CLASSES)).astype("float32")
    colors = rng.uniform(-2, 2, (*SIZE, 3)).astype("float32")
    photo = Photo(
        scores=scores,
        colors=colors,
        palette=exponent_rows(colors[0]),
        inverse=np.eye(SIZE[1], dtype="float32"),
        snap=0.0,
        unary=clipped_logits,
    )
    kernels = dataclasses.replace(
        constant_kernels(SIZE, PARAMETERS, "accurate"), doubtful=DOUBTFUL
    )
    return Scene(photo, kernels, scores, exact_crf.softmax(2 * scores))


def said_by(grid: Grid, strips: int) -> tuple[list[np.ndarray], np.ndarray]:
    """What a grid's pixels say, by strip in tiles, and as a map."""
    rng = np.random.default_rng(1)
    told = rng.uniform(0, 1, (*grid.map_of_places.shape[:2], 1 + CLASSES))
    told = told.astype("float32") * grid.inside
    told[..., :1] = grid.inside
    tiles = np.array(to_tiles(told, grid.side))
    return np.array_split(tiles, strips), told


def settled_one_by_one(
    scene: Scene, places: np.ndarray, told: np.ndarray, top: int
) -> np.ndarray:
    """The same in plain loops over all pixels, float64."""
    rows = scene.found[top:]
    flat = rows.reshape(-1, CLASSES).astype("float64")
    order = np.argsort(flat.max(axis=-1))[: round(DOUBTFUL * len(flat))]
    for index in order:
        row, column = top + index // SIZE[1], index % SIZE[1]
        apart = ((places - (row, column)) / PARAMETERS.theta_alpha) ** 2
        here = scene.photo.colors[row, column]
        there = scene.photo.colors[
            np.minimum(places[..., 0], SIZE[0] - 1).astype(int),
            np.minimum(places[..., 1], SIZE[1] - 1).astype(int),
        ]
        kernel = np.exp(-0.5 * (apart.sum(-1) + ((there - here) ** 2).sum(-1)))
        heard = (kernel[..., None] * told).sum(axis=(0, 1))
        labels = PARAMETERS.w_bilateral * heard[1:] / np.sqrt(heard[0])
        flat[index] = exact_crf.softmax(scene.scores[row, column] + labels)
    return flat.reshape(rows.shape)


@pytest.mark.parametrize("top", [0, 5])
@pytest.mark.parametrize("most", [10**6, 60])
def test_doubtful_pixels_hear_all_others_and_the_rest_stays(
    most: int, top: int, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crf_pairs, "_MOST_SPEAKERS", most)
    monkeypatch.setattr(crf_pairs, "_BLOCK", 37)
    grid = Grid(SIZE, 24, 2)
    each, told = said_by(grid, len(grid.strips))
    view = PhotoView(scene.photo, grid)
    speakers = crf_pairs.speakers_of(view, each, PARAMETERS.theta_alpha)
    last = PhotoView(scene.photo, scene.kernels.last, filled=False)
    found = crf_pairs.settle(
        scene.found[top:], scene.scores[top:], last, top, speakers, scene.kernels
    )
    # Of each tile, 12 across, every third pixel: it speaks for nine.
    step = 1 if most > 60 else 4
    kept = np.zeros(told.shape[:2], bool)
    kept[::step, ::step] = True
    told = told * kept[..., None] * step**2
    expected = settled_one_by_one(scene, grid.map_of_places, told, top)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    changed = (np.array(found) != scene.found[top:]).any(axis=-1)
    assert changed.sum() == round(DOUBTFUL * changed.size)


def test_map_of_places_is_cut_into_tiles_as_photos_are() -> None:
    grid = Grid(SIZE, 24, 2, (1, 1))
    places = np.array(from_tiles(to_tiles(grid.map_of_places, 12), 2, 12))
    np.testing.assert_array_equal(places[3, 5], [7, 11])
