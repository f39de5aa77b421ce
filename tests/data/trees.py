"""Tiny datasets in the layouts in which the real ones are distributed."""

import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_deeplab.data import write_labels


def put(root: pathlib.Path, path: str, values: Sequence[int] | None = None) -> None:
    """Writes an image, or a mask of two rows that hold the values."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    if values is None:
        Image.new("RGB", (3, 2), (10, 20, 30)).save(root / path)
    else:
        write_labels(root / path, np.array([values, values], "uint8"))


def put_text(root: pathlib.Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def voc2012(root: pathlib.Path) -> None:
    for name in ("2007_000032", "2007_000039", "2007_000063"):
        put(root, f"JPEGImages/{name}.jpg")
        put(root, f"SegmentationClass/{name}.png", [0, 20, 255])
    lists = "ImageSets/Segmentation"
    put_text(root, f"{lists}/train.txt", "2007_000063\n2007_000032\n")
    put_text(root, f"{lists}/val.txt", "2007_000039\n")


def voc2012_aug(root: pathlib.Path) -> None:
    voc2012(root)
    # A photo without any mask: most of VOC's.
    put(root, "JPEGImages/2007_000027.jpg")
    for name in ("2007_000032", "2007_000039", "2007_000063"):
        put(root, f"SegmentationClassAug/{name}.png", [0, 20, 255])


def cityscapes(root: pathlib.Path) -> None:
    for key in ("aachen/aachen_000000_000019", "ulm/ulm_000007_000019"):
        put(root, f"leftImg8bit/train/{key}_leftImg8bit.png")
        put(root, f"gtFine/train/{key}_gtFine_labelIds.png", [7, 33, 9])
        put(root, f"gtFine/train/{key}_gtFine_instanceIds.png", [7, 33, 9])


def ade20k(root: pathlib.Path) -> None:
    for name in ("ADE_train_00000001", "ADE_train_00000002"):
        put(root, f"images/training/{name}.jpg")
        put(root, f"annotations/training/{name}.png", [0, 1, 150])


def camvid(root: pathlib.Path) -> None:
    for name in ("0001TP_006690", "0001TP_006720"):
        put(root, f"train/{name}.png")
        put(root, f"trainannot/{name}.png", [0, 10, 11])


def oxford_pet(root: pathlib.Path) -> None:
    for name in ("Abyssinian_100", "beagle_1", "pug_9"):
        put(root, f"images/{name}.jpg")
        put(root, f"annotations/trimaps/{name}.png", [1, 2, 3])
        # Left over from the tool that packed the archive.
        put_text(root, f"annotations/trimaps/._{name}.png", "")
    lines = "Abyssinian_100 1 1 1\npug_9 26 2 18\n"
    put_text(root, "annotations/trainval.txt", lines)
