import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_deeplab.data import load_dataset, read_labels, write_coco_masks
from keras_deeplab.data.datasets import COCO_CATEGORIES, DATASETS

DOG, PERSON, ZEBRA = 18, 1, 24


def rectangle(left: int, top: int, right: int, bottom: int) -> list[float]:
    return [left, top, right, top, right, bottom, left, bottom]


def annotation(category: int, shape: object, area: float, crowd: int = 0) -> dict:
    return {
        "image_id": 5,
        "category_id": category,
        "segmentation": shape,
        "area": area,
        "iscrowd": crowd,
    }


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "val2017").mkdir()
    for name in ("000000000005", "000000000006"):
        Image.new("RGB", (8, 6)).save(tmp_path / "val2017" / f"{name}.jpg")
    return tmp_path


def write(root: pathlib.Path, annotations: list[dict]) -> None:
    content = {
        "images": [
            {"id": 5, "file_name": "000000000005.jpg", "height": 6, "width": 8},
            {"id": 6, "file_name": "000000000006.jpg", "height": 6, "width": 8},
        ],
        "annotations": annotations,
    }
    path = root / "annotations" / "instances_val2017.json"
    path.write_text(json.dumps(content))


def test_masks_of_overlapping_objects_are_drawn_small_over_large_over_crowds(
    root: pathlib.Path,
) -> None:
    # Columns 6 and 7 are a crowd: 36 pixels outside, then 12 inside, columns first.
    crowd = {"counts": [36, 12], "size": [6, 8]}
    write(
        root,
        [
            annotation(PERSON, [rectangle(1, 1, 2, 2)], 4),
            annotation(DOG, [rectangle(0, 0, 6, 3)], 28),
            annotation(ZEBRA, [rectangle(0, 5, 7, 5)], 8),
            annotation(PERSON, crowd, 12, crowd=1),
        ],
    )
    assert write_coco_masks(root, "val", min_pixels=20) == 1
    expected = np.zeros((6, 8), int)
    expected[:, 6:] = 255
    expected[:4, :7] = DATASETS["coco_voc"].class_names.index("dog")
    expected[1:3, 1:3] = DATASETS["coco_voc"].class_names.index("person")
    labels = read_labels(root / "voc_masks" / "val2017" / "000000000005.png")
    assert labels.tolist() == expected.tolist()
    data = load_dataset("coco_voc", root, "val")
    assert [pair.image.name for pair in data.pairs] == ["000000000005.jpg"]
    assert data.read(0).labels.tolist() == expected.tolist()


def test_images_with_too_few_pixels_get_no_mask(root: pathlib.Path) -> None:
    write(root, [annotation(DOG, [rectangle(0, 0, 6, 3)], 28)])
    assert write_coco_masks(root, "val", min_pixels=28) == 0
    assert write_coco_masks(root, "val", min_pixels=27) == 1
    assert write_coco_masks(root, "val", min_pixels=28) == 0
    assert list((root / "voc_masks" / "val2017").iterdir()) == []


def test_masks_from_before_stay_if_drawing_fails(root: pathlib.Path) -> None:
    dog = annotation(DOG, [rectangle(0, 0, 6, 3)], 28)
    write(root, [dog])
    write_coco_masks(root, "val", min_pixels=1)
    bad = annotation(DOG, {"counts": "PPYo0", "size": [6, 8]}, 9) | {"image_id": 6}
    write(root, [dog, bad])
    with pytest.raises(ValueError, match="compressed"):
        write_coco_masks(root, "val", min_pixels=99)
    assert len(load_dataset("coco_voc", root, "val")) == 1


def test_categories_of_coco_are_those_of_the_voc_classes() -> None:
    names = DATASETS["coco_voc"].class_names
    known = {"aeroplane": 5, "bicycle": 2, "bird": 16, "boat": 9, "car": 3, "cow": 21}
    known |= {"diningtable": 67, "dog": 18, "person": 1, "pottedplant": 64}
    known |= {"sofa": 63, "train": 7, "tvmonitor": 72}
    for name, category in known.items():
        assert COCO_CATEGORIES[names.index(name)] == category
    assert len(set(COCO_CATEGORIES)) == 21


def test_annotations_of_another_form_are_refused(root: pathlib.Path) -> None:
    (root / "annotations" / "instances_val2017.json").write_text("[]")
    with pytest.raises(ValueError, match=r"COCO instances.*instances_val2017\.json"):
        write_coco_masks(root, "val")
    compressed = {"counts": "PPYo0", "size": [6, 8]}
    write(root, [annotation(DOG, compressed, 9)])
    with pytest.raises(ValueError, match="compressed"):
        write_coco_masks(root, "val")
