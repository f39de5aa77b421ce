"""Public datasets in their own folders, scored as their benchmarks' kits do it."""

import json
import pathlib
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from keras_deeplab import weights
from keras_deeplab.data import DATASETS, write_labels
from tests.inference.label_model import LabelModel, photo_of

Run = Callable[..., Result]
Photos = Sequence[tuple[np.ndarray, np.ndarray]]

# Ids of the labels that count, in the order of the train ids, as cityscapesScripts
# lists them.
CITYSCAPES = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]


def put(path: pathlib.Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.ndim == 2:
        write_labels(path, pixels.astype("uint8"))
    else:
        # PNG, whatever its name: JPEG would change what the model says.
        Image.fromarray(pixels).save(path, "PNG")


def voc2012(root: pathlib.Path, photos: Photos) -> None:
    names = [f"2007_{index:06}" for index in range(len(photos))]
    for name, (said, stored) in zip(names, photos, strict=True):
        put(root / f"VOCdevkit/VOC2012/JPEGImages/{name}.jpg", photo_of(said))
        put(root / f"VOCdevkit/VOC2012/SegmentationClass/{name}.png", stored)
    lists = root / "VOCdevkit/VOC2012/ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("\n".join(names))


def cityscapes(root: pathlib.Path, photos: Photos) -> None:
    for index, (said, stored) in enumerate(photos):
        key = f"val/ulm/ulm_{index:06}_000019"
        put(root / f"leftImg8bit/{key}_leftImg8bit.png", photo_of(said))
        put(root / f"gtFine/{key}_gtFine_labelIds.png", stored)


def ade20k(root: pathlib.Path, photos: Photos) -> None:
    for index, (said, stored) in enumerate(photos):
        name = f"ADE_val_{index:08}"
        put(root / f"ADEChallengeData2016/images/validation/{name}.jpg", photo_of(said))
        put(
            root / f"ADEChallengeData2016/annotations/validation/{name}.png",
            stored,
        )


def kit_of_voc(photos: Photos) -> tuple[list[float], float]:
    """VOCevalseg: a confusion matrix over all pixels below 255."""
    counts = np.zeros((21, 21))
    for said, stored in photos:
        inside = stored < 255
        np.add.at(counts, (stored[inside], said[inside]), 1)
    iou = [
        counts[j, j] / (counts[j].sum() + counts[:, j].sum() - counts[j, j])
        if counts[j].sum() + counts[:, j].sum()
        else np.nan
        for j in range(21)
    ]
    return iou, float(np.nanmean(iou))


def kit_of_cityscapes(photos: Photos) -> tuple[list[float], float]:
    """By true and false positives and negatives; those on ignored ids do not count."""
    scores = []
    for train_id, label_id in enumerate(CITYSCAPES):
        right = wrong = missed = 0
        for said, stored in photos:
            valid = np.isin(stored, CITYSCAPES)
            right += np.sum((stored == label_id) & (said == train_id))
            wrong += np.sum(valid & (stored != label_id) & (said == train_id))
            missed += np.sum((stored == label_id) & (said != train_id))
        total = right + wrong + missed
        scores.append(right / total if total else np.nan)
    known = [score for score in scores if not np.isnan(score)]
    return scores, sum(known) / len(known)


def kit_of_ade20k(photos: Photos) -> tuple[list[float], float]:
    """intersectionAndUnion: labels 1 to 150, predictions on label 0 are taken out."""
    both, either = np.zeros(151), np.zeros(151)
    for said, stored in photos:
        found = (said + 1) * (stored > 0)
        same = np.bincount(stored[found == stored].ravel(), minlength=151)
        both += same
        either += (
            np.bincount(found.ravel(), minlength=151)
            + np.bincount(stored.ravel(), minlength=151)
            - same
        )
    iou = both[1:] / (either[1:] + np.finfo(float).eps)
    return list(iou), float(iou.mean())


# How it lies, how it is scored, the stored values of its classes, and of void.
KITS = {
    "voc2012": (voc2012, kit_of_voc, [*range(21)], [255]),
    # Unlabelled, parking and trailer.
    "cityscapes": (cityscapes, kit_of_cityscapes, CITYSCAPES, [0, 9, 30]),
    "ade20k": (ade20k, kit_of_ade20k, [*range(1, 151)], [0]),
}


def photos_of(stored: list[int], void: list[int], absent: int = 0) -> Photos:
    """Two photos; the truth lacks the first classes, and the last of these is said."""
    rng = np.random.default_rng(absent)
    values = np.array([*stored[absent:], *void])
    photos = []
    for _ in range(2):
        truth = rng.choice(values, (40, 50))
        truth.flat[: len(values)] = values
        said = rng.integers(max(absent - 1, 0), len(stored), truth.shape)
        photos.append((said, truth))
    return photos


@pytest.mark.parametrize("absent", [0, 4])
@pytest.mark.parametrize("name", KITS)
def test_dataset_is_scored_as_its_kit_does(
    name: str,
    absent: int,
    run: Run,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write, kit, stored, void = KITS[name]
    photos = photos_of(stored, void, absent)
    write(tmp_path, photos)
    monkeypatch.setattr(weights, "load_model", lambda source: LabelModel(len(stored)))
    words = ["--dataset", name, "--root", tmp_path, "--split", "val", "--incomplete"]
    result = run("evaluate", "--weights", "any", *words, "--json", "scores.json")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["class_names"] == list(DATASETS[name].class_names)
    iou, mean_iou = kit(photos)
    known = [np.nan if value is None else value for value in found["class_iou"]]
    assert np.nan_to_num(known) == pytest.approx(np.nan_to_num(iou), abs=1e-12)
    assert found["mean_iou"] == pytest.approx(mean_iou, abs=1e-12)
    lacking = [not any(row) for row in found["confusion"]]
    assert lacking == [label < absent for label in range(len(stored))]
    said = np.concatenate([said[~np.isin(truth, void)] for said, truth in photos])
    assert np.sum(found["confusion"]) == said.size


def test_cityscapes_is_seen_whole(
    run: Run, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cityscapes(tmp_path, photos_of([7, 8], [9]))
    model = LabelModel(19, crop_size=(17, 17))
    monkeypatch.setattr(weights, "load_model", lambda source: model)
    words = ["--dataset", "cityscapes", "--root", tmp_path, "--split", "val"]
    options = ["evaluate", "--weights", "any", *words, "--incomplete"]
    assert run(*options, "--report", "a.html").exit_code == 0
    assert {shape[1:3] for shape in model.seen} == {(41, 57)}
    text = (tmp_path / "a.html").read_text()
    facts = dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", text))
    assert facts["Photos are shown"].startswith("longer side at most 2048 pixels")
    assert facts["Data"] == f"cityscapes val in {tmp_path}: 2 photos, incomplete"
    assert facts["Mean IoU"].endswith("the classes that occur in truth or prediction")
    model.seen.clear()
    assert run(*options, "--size", "17").exit_code == 0
    assert {shape[1:3] for shape in model.seen} == {(17, 17)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "The split 'val' has 500 pairs."),
        ({}, "or pass --incomplete to use what is there"),
        ({"--dataset": "kitti"}, "--dataset must be one of 'voc2012'"),
        ({"--split": "test"}, "--split must be one of 'train', 'val'"),
        ({"--dataset": "ade20k"}, "The dataset is not there: no folder"),
        ({"--ignore-label": "0"}, "--ignore-label is not for a --dataset"),
    ],
)
def test_dataset_that_is_not_there_as_published_is_refused(
    changes: dict[str, str], message: str, run: Run, tmp_path: pathlib.Path
) -> None:
    cityscapes(tmp_path, photos_of([7, 8], [9]))
    given = {"--dataset": "cityscapes", "--root": tmp_path, "--split": "val"} | changes
    words = [word for pair in given.items() for word in pair]
    result = run("evaluate", "--weights", "any", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_model_of_other_classes_than_the_dataset_is_refused(
    run: Run, tmp_path: pathlib.Path
) -> None:
    cityscapes(tmp_path, photos_of([7, 8], [9]))
    words = ["--dataset", "cityscapes", "--root", tmp_path, "--split", "val"]
    result = run("evaluate", "--weights", "any", *words, "--incomplete")
    assert result.exit_code == 2
    assert "data.classes=19, model.classes=4" in result.stderr
