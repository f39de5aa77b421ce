"""The search for the parameters of the CRF."""

import importlib
import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.inference import (
    CRF_RANGES,
    CRFRanges,
    CRFSearch,
    draw_heat_map,
    evaluate,
    load_crf,
    search_crf,
    segment,
    write_labels,
)
from keras_deeplab.layers import DenseCRF
from tests.inference.color_model import ColorModel
from tests.inference.test_crf import noisy_photo

RANGES = CRFRanges(
    w_bilateral=(1, 9, 4),
    theta_alpha=(8, 24, 8),
    theta_beta=(10, 90, 40),
    theta_gamma=1.0,
    iterations=2,
)
TRUTH = {"w_bilateral": 5, "theta_alpha": 16, "theta_beta": 50}


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[pathlib.Path, pathlib.Path]:
    """Photos whose masks are what the CRF makes of them with `TRUTH`."""
    folder = tmp_path_factory.mktemp("search")
    images, masks = folder / "images", folder / "masks"
    images.mkdir()
    masks.mkdir()
    layer = DenseCRF(
        **TRUTH, w_gaussian=3, theta_gamma=1, iterations=2, accuracy="mobile"
    )
    for index in range(3):
        photo = noisy_photo(32, 40 + index, index)
        Image.fromarray(photo).save(images / f"{index}.png")
        write_labels(masks / f"{index}.png", segment(ColorModel(), photo, crf=layer))
    return images, masks


@pytest.fixture(scope="module")
def found(folders: tuple[pathlib.Path, pathlib.Path]) -> CRFSearch:
    return search_crf(
        ColorModel(),
        *folders,
        ranges=RANGES,
        steps=[2.0, 1.0],
        most_photos=2,
        accuracy="mobile",
    )


def test_search_finds_the_parameters_that_made_the_masks(
    found: CRFSearch, folders: tuple[pathlib.Path, pathlib.Path]
) -> None:
    # The corners of the ranges, and then around the best of these.
    rounds = [trial.round for trial in found.trials]
    assert rounds == sorted(rounds)
    assert rounds.count(1) == 8
    assert found.photos == ("0.png", "2.png")
    best = found.best.parameters
    assert {name: getattr(best, name) for name in TRUTH} == TRUTH
    assert (best.w_gaussian, best.theta_gamma, best.iterations) == (3, 1, 2)
    assert found.best.mean_iou == 1
    assert found.best.round == 2
    assert [t.mean_iou for t in found.trials].count(1.0) == 1
    assert found.plain_mean_iou < 0.95
    # No parameters twice, and none that are not positive.
    assert len({trial.parameters for trial in found.trials}) == len(found.trials)
    assert min(trial.parameters.theta_alpha for trial in found.trials) > 0


def test_scores_of_a_search_are_those_of_evaluate(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    found = search_crf(
        ColorModel(), *folders, ranges=RANGES, steps=[4.0], accuracy="mobile"
    )
    (trial,) = found.trials
    layer = DenseCRF(**vars(trial.parameters), accuracy="mobile")
    scores = evaluate(ColorModel(), *folders, crf=layer)
    assert trial.mean_iou == scores.mean_iou
    assert found.plain_mean_iou == evaluate(ColorModel(), *folders).mean_iou
    assert len(found.photos) == 3


def test_logits_are_computed_once_or_again_where_they_do_not_fit(
    folders: tuple[pathlib.Path, pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = CRFRanges(
        w_bilateral=(1, 5, 1),
        theta_alpha=(8, 8, 8),
        theta_beta=(10, 10, 10),
        iterations=1,
    )
    options = {"ranges": ranges, "steps": [1, 1], "most_photos": 2}
    # All of the second round was tried in the first.
    monkeypatch.setattr(CRFRanges, "around", lambda *args: args[0].first_round(1))
    once = ColorModel()
    first = search_crf(once, *folders, **options)
    assert len(once.seen) == 2
    # The function hides its module.
    module = importlib.import_module("keras_deeplab.inference.search_crf")
    monkeypatch.setattr(module, "_CACHE_BYTES", 8000)
    again = ColorModel()
    assert search_crf(again, *folders, **options) == first
    assert len(again.seen) == 4


def test_files_and_progress_of_a_search(
    found: CRFSearch,
    folders: tuple[pathlib.Path, pathlib.Path],
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "crf.json"
    found.write(path)
    told = json.loads(path.read_text())
    assert told["mean_iou"] == 1
    assert told["plain_mean_iou"] == found.plain_mean_iou
    assert len(told["trials"]) == len(found.trials)
    assert load_crf(path).crf_parameters == found.best.parameters
    calls: list[tuple[str, int, int]] = []
    results: list[CRFSearch] = []
    search_crf(
        ColorModel(),
        *folders,
        ranges=RANGES,
        steps=[4.0],
        most_photos=2,
        accuracy="mobile",
        progress=lambda *call: calls.append(call),
        each_time=results.append,
    )
    assert calls == [
        ("checking", 1, 2),
        ("checking", 2, 2),
        ("round 1 of 1, 1 settings on 2 photos", 1, 2),
        ("round 1 of 1, 1 settings on 2 photos", 2, 2),
    ]
    assert [len(result.trials) for result in results] == [1]


def test_search_that_is_stopped_in_a_round_has_told_what_it_found(
    found: CRFSearch, folders: tuple[pathlib.Path, pathlib.Path]
) -> None:
    results: list[CRFSearch] = []

    def stop_at_the_second(result: CRFSearch) -> None:
        results.append(result)
        if len(results) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_crf(
            ColorModel(),
            *folders,
            ranges=RANGES,
            steps=[2.0, 1.0],
            most_photos=2,
            accuracy="mobile",
            each_time=stop_at_the_second,
        )
    # Of the 8 of the first round, four and four.
    assert [len(result.trials) for result in results] == [4, 8]
    for result in results:
        assert result.trials == found.trials[: len(result.trials)]
        assert result.plain_mean_iou == found.plain_mean_iou
    assert draw_heat_map(results[0]).mode == "RGB"


def test_heat_map_frames_the_best_and_colours_by_score(found: CRFSearch) -> None:
    pixels = np.array(draw_heat_map(found))
    framed = (pixels == (200, 30, 30)).all(-1)
    rows, columns = np.nonzero(framed)
    # One cell, and none of its frame is missing.
    assert (np.ptp(rows), np.ptp(columns)) == (33, 67)
    yellow = (pixels == (253, 231, 37)).all(-1)
    assert yellow.sum() > 1000
    inside = np.nonzero(yellow)
    assert rows.min() < inside[0].min() < inside[0].max() < rows.max()
    assert (pixels == (68, 1, 84)).all(-1).sum() > 1000


def test_ranges_are_those_of_the_papers() -> None:
    cells = {name: ranges.first_round(1) for name, ranges in CRF_RANGES.items()}
    assert {name: len(found) for name, found in cells.items()} == {"v1": 288, "v2": 128}
    assert {cell.theta_alpha for cell in cells["v1"]} == {50, 60, 70, 80, 90, 100}
    assert {cell.theta_beta for cell in cells["v2"]} == {3, 4, 5, 6}
    assert {(c.w_gaussian, c.theta_gamma, c.iterations) for c in cells["v2"]} == {
        (3, 1, 10)
    }
    center = cells["v1"][0]
    near = CRF_RANGES["v1"].around(center, 0.5)
    assert len(near) == 27
    assert {cell.theta_alpha for cell in near} == {45, 50, 55}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranges": "v3"}, "`ranges` must be one of 'v1', 'v2'"),
        ({"steps": []}, "`steps` must not be empty"),
        ({"steps": [0]}, "`steps` must be above 0"),
        ({"most_photos": 0}, "`most_photos` must be an integer of at least 1"),
        ({"accuracy": "best"}, "`accuracy` must be one of"),
    ],
)
def test_wrong_argument_of_a_search_is_named(
    changes: dict[str, object],
    message: str,
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    with pytest.raises(ValueError, match=message):
        search_crf(ColorModel(), *folders, **changes)


def test_masks_of_nothing_but_ignored_pixels_are_refused(
    tmp_path: pathlib.Path,
) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder, picture in (
        (images, Image.new("RGB", (9, 9))),
        (masks, Image.new("L", (9, 9), 255)),
    ):
        folder.mkdir()
        picture.save(folder / "a.png")
    with pytest.raises(ValueError, match="Every pixel of the masks has the label to"):
        search_crf(ColorModel(), images, masks, ranges=RANGES, steps=[4.0])
