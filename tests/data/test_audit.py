import json
import math
import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_deeplab.data import (
    FAULTS,
    Audit,
    Finding,
    SegmentationSequence,
    audit,
    load_folder,
    make_dataset,
    survey_dataset,
    write_labels,
)
from tests.data import trees

NAMES = ["wall", "door", "window"]
SIZE = (40, 48)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Six clean pairs of three classes and a few ignored pixels."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for index in range(6):
        photo = rng.integers(0, 256, (*SIZE, 3), "uint8")
        Image.fromarray(photo).save(tmp_path / "images" / f"{index}.png")
        labels = rng.integers(0, 3, SIZE, "uint8")
        labels[0] = 255
        write_labels(tmp_path / "masks" / f"{index}.png", labels)
    (tmp_path / "classes.txt").write_text("\n".join(NAMES))
    return tmp_path


def relabel(folder: pathlib.Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    for path in (folder / "masks").iterdir():
        with Image.open(path) as mask:
            labels = np.array(mask)
        write_labels(path, change(labels).astype("uint8"))


def no_image(folder: pathlib.Path) -> None:
    (folder / "images" / "3.png").unlink()


def no_mask(folder: pathlib.Path) -> None:
    (folder / "masks" / "3.png").unlink()


def twice(folder: pathlib.Path) -> None:
    Image.new("RGB", SIZE[::-1]).save(folder / "images" / "3.bmp")


def cut_image(folder: pathlib.Path) -> None:
    path = folder / "images" / "3.png"
    path.write_bytes(path.read_bytes()[:2000])


def cut_mask(folder: pathlib.Path) -> None:
    path = folder / "masks" / "3.png"
    path.write_bytes(path.read_bytes()[:300])


def empty_mask(folder: pathlib.Path) -> None:
    (folder / "masks" / "3.png").write_bytes(b"")


def jpeg_mask(folder: pathlib.Path) -> None:
    path = folder / "masks" / "3.png"
    Image.new("L", SIZE[::-1]).save(path, "JPEG")


def color_mask(folder: pathlib.Path) -> None:
    path = folder / "masks" / "3.png"
    with Image.open(path) as mask:
        colors = mask.convert("RGB")
    colors.save(path)


def other_size(folder: pathlib.Path) -> None:
    write_labels(folder / "masks" / "3.png", np.ones((48, 40), "uint8"))


def out_of_range(folder: pathlib.Path) -> None:
    labels = np.ones(SIZE, "uint8")
    labels[3, 4] = 17
    write_labels(folder / "masks" / "3.png", labels)


def from_one(folder: pathlib.Path) -> None:
    relabel(folder, lambda labels: np.where(labels == 255, 255, labels + 1))


def one_more(folder: pathlib.Path) -> None:
    (folder / "classes.txt").write_text("\n".join(NAMES[:2]))


def zero_and_255(folder: pathlib.Path) -> None:
    relabel(folder, lambda labels: (labels == 1) * 255)


def ignored(folder: pathlib.Path) -> None:
    relabel(folder, lambda labels: np.full_like(labels, 255))


def one_ignored(folder: pathlib.Path) -> None:
    labels = np.full(SIZE, 255, "uint8")
    labels[0, :4] = 1
    write_labels(folder / "masks" / "3.png", labels)


def half_ignored(folder: pathlib.Path) -> None:
    relabel(folder, lambda labels: np.where(labels == 1, labels, 255))


def no_door(folder: pathlib.Path) -> None:
    relabel(folder, lambda labels: np.where(labels == 1, 0, labels))


def black(folder: pathlib.Path) -> None:
    relabel(folder, lambda labels: np.zeros_like(labels))


def small(folder: pathlib.Path) -> None:
    Image.new("RGB", (40, 31)).save(folder / "images" / "3.png")
    write_labels(folder / "masks" / "3.png", np.ones((31, 40), "uint8"))


# What each spoils, the files that are named, and part of what is said about it.
SPOILED = [
    (no_image, "mask_without_image", ["masks/3.png"], "has no image"),
    (no_mask, "image_without_mask", ["images/3.png"], "has no mask"),
    (twice, "same_name", ["images/3.png"], "has the name of 3.bmp"),
    (cut_image, "unreadable_image", ["images/3.png"], "cannot be decoded"),
    (cut_mask, "unreadable_mask", ["masks/3.png"], "cannot be decoded"),
    (empty_mask, "unreadable_mask", ["masks/3.png"], "is not an image"),
    (jpeg_mask, "mask_not_png", ["masks/3.png"], "is of the format JPEG"),
    (color_mask, "mask_of_colors", ["masks/3.png"], "holds colours"),
    (other_size, "sizes_differ", ["masks/3.png"], "is 40 x 48 pixels but"),
    (out_of_range, "label_out_of_range", ["masks/3.png"], "holds 17, but labels go"),
    (from_one, "off_by_one", [], "from 1 to 3, but the first class is 0"),
    (one_more, "one_class_too_many", [], "from 0 to 2, but 2 classes have names"),
    (zero_and_255, "binary_masks", [], "hold only 0 and 255, of 3 classes"),
    (ignored, "all_ignored", [], "hold only 255, which is ignored"),
    (half_ignored, "much_ignored", [], " % of all pixels are ignored"),
    (one_ignored, "file_mostly_ignored", ["masks/3.png"], "is ignored by 99.8 %"),
    (no_door, "absent_class", [], "'door' never occurs"),
    (black, "one_class", [], "Every pixel that counts is 'wall'"),
    (small, "small_image", ["images/3.png"], "is only 40 x 31 pixels"),
]
# What only a list of ids brings about; tested with datasets below.
OF_DATASETS = {"missing_file", "incomplete_split"}

# All that is broken, and shows itself in what training lists or reads.
BROKEN = [row for row in SPOILED if FAULTS[row[1]].severity == "broken"]


def found(result: Audit, fault: str) -> Finding:
    (finding,) = [one for one in result.findings if one.fault == fault]
    return finding


def test_clean_data_have_no_findings(folder: pathlib.Path) -> None:
    result = audit(folder)
    assert result.findings == ()
    assert len(result.data) == 6


def test_every_fault_is_tried() -> None:
    assert {row[1] for row in SPOILED} | OF_DATASETS == set(FAULTS)


@pytest.mark.parametrize(
    ("spoil", "fault", "files", "detail"),
    SPOILED,
    ids=[row[0].__name__ for row in SPOILED],
)
def test_fault_is_found_named_and_mended(
    spoil: Callable, fault: str, files: list[str], detail: str, folder: pathlib.Path
) -> None:
    spoil(folder)
    result = audit(folder)
    finding = found(result, fault)
    assert [pathlib.Path(f).relative_to(folder).as_posix() for f in finding.files] == (
        files
    )
    assert detail in finding.details[0]
    assert finding.mend.endswith(".")
    # One fault does not look like another one, but for what follows from it.
    follows = {
        "from_one": {"label_out_of_range", "absent_class"},
        "one_more": {"label_out_of_range"},
        "zero_and_255": {"absent_class", "one_class"},
        "ignored": {"file_mostly_ignored"},
        "half_ignored": {"absent_class", "one_class"},
        "black": {"absent_class"},
    }.get(spoil.__name__, set())
    assert {one.fault for one in result.findings} - {fault} == follows
    assert [one.broken for one in result.findings] == sorted(
        (one.broken for one in result.findings), reverse=True
    )


def tiny_model() -> keras.Model:
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=255
    )
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize("maker", [make_dataset, SegmentationSequence])
@pytest.mark.parametrize(
    ("spoil", "fault", "files", "detail"),
    BROKEN,
    ids=[row[0].__name__ for row in BROKEN],
)
def test_fit_refuses_what_the_audit_calls_broken(
    maker: Callable,
    spoil: Callable,
    fault: str,
    files: list[str],
    detail: str,
    folder: pathlib.Path,
) -> None:
    spoil(folder)
    finding = audit(folder).broken[0]

    def train() -> None:
        batches = maker(load_folder(folder), batch_size=2, crop_size=(48, 48))
        tiny_model().fit(batches, verbose=0, shuffle=False)

    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as caught:
        train()
    message = str(caught.value)
    for file in files:
        assert pathlib.Path(file).name in message
    if fault.endswith(("without_mask", "without_image")):
        # Refused when the files are listed.
        assert "Add what is missing" in message
        assert "Add what is missing" in finding.mend
    else:
        assert f"{finding.details[0]}. {finding.mend}" in message


def test_fit_takes_what_the_audit_calls_suspicious(folder: pathlib.Path) -> None:
    one_ignored(folder)
    no_door(folder)
    Image.new("RGB", (40, 31)).save(folder / "images" / "4.png")
    write_labels(folder / "masks" / "4.png", np.zeros((31, 40), "uint8"))
    assert len(audit(folder).findings) == 3
    assert not audit(folder).broken
    data = load_folder(folder)
    batches = make_dataset(data, batch_size=2, crop_size=(48, 48))
    history = tiny_model().fit(batches, verbose=0, shuffle=False)
    assert math.isfinite(history.history["loss"][0])


def test_binary_masks_with_a_map_are_clean(folder: pathlib.Path) -> None:
    zero_and_255(folder)
    content = {"names": ["wall", "door"], "label_map": {"0": 0, "255": 1}}
    trees.put_text(folder, "classes.json", json.dumps(content))
    result = audit(folder)
    assert result.findings == ()
    assert result.statistics.ignored == 0
    batches = make_dataset(load_folder(folder), batch_size=6, crop_size=(48, 48))
    ((_, labels),) = batches.as_numpy_iterator()
    assert {*labels.flat} == {0, 1, 255}
    assert (labels[:, :40] < 2).all()


def test_masks_of_one_class_and_void_are_clean(folder: pathlib.Path) -> None:
    zero_and_255(folder)
    assert audit(folder, classes=["wall"]).findings == ()
    data = load_folder(folder, classes=["wall"])
    assert len(make_dataset(data, batch_size=6, crop_size=(48, 48))) == 1


def test_several_faults_of_a_pair_are_all_told(folder: pathlib.Path) -> None:
    cut_image(folder)
    out_of_range(folder)
    (folder / "masks" / "4.png").write_bytes(b"no mask")
    assert [one.fault for one in audit(folder).broken] == [
        "unreadable_image",
        "unreadable_mask",
        "label_out_of_range",
    ]


def test_statistics_are_those_of_a_count_by_hand(tmp_path: pathlib.Path) -> None:
    # Rows of 32 equal pixels: 3/1/0 classes and 0 ignored, then 0/2/1 and 1.
    for name, values in (("a", [0, 0, 0, 1]), ("b", [1, 1, 2, 255])):
        labels = np.repeat(np.array(values, "uint8"), 8)[:, None].repeat(32, axis=1)
        (tmp_path / "masks").mkdir(exist_ok=True)
        write_labels(tmp_path / "masks" / f"{name}.png", labels)
        trees.put(tmp_path, f"images/{name}.png")
        Image.new("RGB", (32, 32)).save(tmp_path / "images" / f"{name}.png")
    result = audit(tmp_path, classes=[*NAMES, "roof"])
    strip = 8 * 32
    found = result.statistics
    assert found.pixels == (3 * strip, 3 * strip, strip, 0)
    assert found.images == (1, 2, 1, 0)
    assert found.ignored_share == 1 / 8
    assert found.frequency == (3 / 7, 3 / 7, 1 / 7, 0)
    # In the images of the class: 3/4, 3/8, 1/4; the median is 3/8.
    assert found.median_weights == pytest.approx((1 / 2, 1, 3 / 2, 0))
    assert found.sqrt_weights == pytest.approx((0.5**0.5, 1, 1.5**0.5, 0))
    content = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert content["classes"][2]["median_weight"] == pytest.approx(1.5)
    assert content["findings"][0]["details"] == ["'roof' never occurs"]


def test_progress_is_told_in_order_whatever_the_number_of_threads(
    folder: pathlib.Path,
) -> None:
    color_mask(folder)
    steps: list[tuple[str, int, int]] = []
    many = audit(folder, threads=4, progress=lambda *step: steps.append(step))
    assert steps == [("auditing", done, 6) for done in range(1, 7)]
    assert many.as_dict() == audit(folder, threads=1).as_dict()
    with pytest.raises(ValueError, match=r"`threads` .*threads=0"):
        audit(folder, threads=0)


def test_file_that_may_not_be_opened_is_a_finding(folder: pathlib.Path) -> None:
    data = load_folder(folder)
    os.remove(folder / "images" / "2.png")
    finding = found(audit(data), "unreadable_image")
    assert "cannot be opened: No such file" in finding.details[0]


def test_folder_without_any_pair_is_refused(folder: pathlib.Path) -> None:
    for path in (folder / "masks").iterdir():
        path.rename(path.with_name(f"mask {path.name}"))
    with pytest.raises(ValueError, match=r"no mask for 0\.png, 1\.png"):
        audit(folder)


def test_dataset_with_missing_files_is_audited_for_the_others(
    tmp_path: pathlib.Path,
) -> None:
    trees.voc2012(tmp_path)
    (tmp_path / "JPEGImages" / "2007_000032.jpg").unlink()
    result = audit(survey_dataset("voc2012", tmp_path, "train"))
    assert found(result, "missing_file").files == (
        str(tmp_path / "JPEGImages" / "2007_000032.jpg"),
    )
    assert "has 1464 pairs" in found(result, "incomplete_split").details[0]
    assert len(result.data) == 1


def test_camvid_has_the_published_frequencies_and_weights(
    data_dir: pathlib.Path,
) -> None:
    readme = (data_dir / "camvid" / "README.md").read_text()
    rows = [line.split("|")[1:-1] for line in readme.splitlines()]
    table = {row[0].strip(): row[1:] for row in rows if len(row) == 4}
    result = audit(data_dir / "camvid" / "train")
    assert result.findings == ()
    assert len(result.data) == 367
    found = result.statistics
    for label, name in enumerate(result.data.class_names):
        share, _, weight = table[name]
        assert round(100 * found.frequency[label], 3) == float(share)
        assert found.median_weights[label] == pytest.approx(float(weight), abs=5.1e-5)
    assert round(100 * found.ignored_share, 2) == 3.95


@pytest.mark.parametrize(
    ("name", "classes"),
    [("isbi_em", ["membrane", "cell"]), ("dubai_aerial", list("blrvw"))],
)
def test_real_data_of_other_uses_are_clean_unless_classes_are_wrong(
    name: str, classes: list[str], data_dir: pathlib.Path
) -> None:
    folder = data_dir / "usecases" / name
    assert audit(folder, classes=classes).findings == ()
    more = audit(folder, classes=[*classes, "moon"])
    assert [one.details for one in more.findings] == [("'moon' never occurs",)]
    if len(classes) > 2:
        fewer = audit(folder, classes=classes[:-1])
        assert found(fewer, "one_class_too_many").broken
        assert len(found(fewer, "label_out_of_range").files) == 9
