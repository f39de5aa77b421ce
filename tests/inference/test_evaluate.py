import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.inference import evaluate, write_labels
from tests.inference.color_model import ColorModel

COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], "uint8")
# What the photo shows, which the model sees rightly, and what the mask says.
SHOWN = np.array([[0, 1, 1], [2, 2, 0]])
TRUTH = np.array([[0, 1, 2], [2, 255, 1]])


@pytest.fixture
def folders(tmp_path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for stem in ("one", "two"):
        Image.fromarray(COLORS[SHOWN]).save(images / f"{stem}.png")
        write_labels(masks / f"{stem}.png", TRUTH.astype("uint8"))
    return images, masks


def test_scores_of_two_pairs_equal_a_hand_count(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    scores = evaluate(ColorModel(), *folders)
    assert scores.confusion == (
        (2, 0, 0, 0),
        (2, 2, 0, 0),
        (0, 2, 2, 0),
        (0, 0, 0, 0),
    )
    assert scores.class_iou[:3] == (1 / 2, 1 / 3, 1 / 2)
    assert scores.mean_iou == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)
    assert scores.pixel_accuracy == 6 / 10


def test_progress_of_an_evaluation_counts_checks_then_photos(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    calls: list[tuple[str, int, int]] = []
    evaluate(ColorModel(), *folders, progress=lambda *call: calls.append(call))
    assert calls == [
        ("checking", 1, 2),
        ("checking", 2, 2),
        ("segmenting", 1, 2),
        ("segmenting", 2, 2),
    ]


def test_scores_of_large_photos_are_at_the_size_of_the_masks(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    images, masks = folders
    for folder, pixels in ((images, COLORS[SHOWN]), (masks, SHOWN.astype("uint8"))):
        (folder / "two.png").unlink()
        large = pixels.repeat(40, axis=0).repeat(40, axis=1)
        Image.fromarray(large).save(folder / "one.png")
    scores = evaluate(ColorModel(), images, masks)
    assert sum(scores.truth_pixels) == 80 * 120
    assert scores.pixel_accuracy > 0.9


def remove_mask(images: pathlib.Path, masks: pathlib.Path) -> None:
    (masks / "one.png").unlink()


def remove_image(images: pathlib.Path, masks: pathlib.Path) -> None:
    (images / "one.png").unlink()


def repeat_stem(images: pathlib.Path, masks: pathlib.Path) -> None:
    Image.new("RGB", (3, 2)).save(images / "one.jpg")


def resize_mask(images: pathlib.Path, masks: pathlib.Path) -> None:
    write_labels(masks / "one.png", np.zeros((3, 2), "uint8"))


def spoil_labels(images: pathlib.Path, masks: pathlib.Path) -> None:
    write_labels(masks / "one.png", np.array([[4, 1, 9], [0, 0, 0]], "uint8"))


def color_mask(images: pathlib.Path, masks: pathlib.Path) -> None:
    Image.new("RGB", (3, 2)).save(masks / "one.png")


def break_mask(images: pathlib.Path, masks: pathlib.Path) -> None:
    (masks / "one.png").write_bytes(b"")


def break_image(images: pathlib.Path, masks: pathlib.Path) -> None:
    (images / "one.png").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_mask, r"no mask for one\.png"),
        (remove_image, r"no image for one\.png"),
        (repeat_stem, r"one\.png has the name of one\.jpg"),
        (resize_mask, r"masks/one\.png is 2 x 3 pixels but .*images/one\.png is 3 x 2"),
        (
            spoil_labels,
            r"masks/one\.png holds 4, 9, but labels go from 0 to 3, and 255",
        ),
        (color_mask, r"masks/one\.png holds colours.*mode is RGB"),
        (break_mask, r"masks/one\.png is not an image.*whole copy"),
        (break_image, r"images/one\.png is not an image.*whole copy"),
    ],
)
def test_pairs_that_do_not_fit_are_refused_before_the_model_runs(
    spoil: Callable[[pathlib.Path, pathlib.Path], None],
    message: str,
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    spoil(*folders)
    model = ColorModel()
    with pytest.raises(ValueError, match=message):
        evaluate(model, *folders)
    assert model.seen == []


def test_many_bad_pairs_are_counted_and_the_first_are_named(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    images, masks = folders
    for index in range(6):
        Image.new("RGB", (3, 2)).save(images / f"x{index}.png")
        write_labels(masks / f"x{index}.png", np.full((2, 3), 77, "uint8"))
    with pytest.raises(ValueError, match=r"6 of 8 pairs .*x0.*x4.*and 1 more$"):
        evaluate(ColorModel(), images, masks)


def test_results_of_an_earlier_run_are_not_taken_for_photos(
    folders: tuple[pathlib.Path, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    images, masks = folders
    write_labels(images / "one.labels.png", TRUTH.astype("uint8"))
    assert sum(evaluate(ColorModel(), images, masks).truth_pixels) == 10
    for stem in ("one", "two"):
        (images / f"{stem}.png").unlink()
    with pytest.raises(ValueError, match="only label maps and overlays"):
        evaluate(ColorModel(), images, masks)


def test_masks_without_a_pixel_that_counts_are_an_error(
    folders: tuple[pathlib.Path, pathlib.Path],
) -> None:
    images, masks = folders
    for stem in ("one", "two"):
        write_labels(masks / f"{stem}.png", np.full((2, 3), 255, "uint8"))
    with pytest.raises(ValueError, match=r"nothing to score.*ignore_label=255"):
        evaluate(ColorModel(), images, masks)


def test_folder_that_is_not_there_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"not a folder\. Received: folder=.*nowhere"):
        evaluate(ColorModel(), tmp_path / "nowhere", tmp_path)
