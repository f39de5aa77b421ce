"""What may be handed to load_model, and what comes of damaged files."""

import os
import pathlib
import random

import numpy as np
import pytest

from tests.weights.npz_files import npz_bytes
from tests.weights.refusal import check_refused
from tests.weights.tflite_files import tiny_tflite


@pytest.mark.parametrize("name", ["model", "model.h5", "model.bin", ".npz", "npz"])
def test_file_of_unknown_suffix_is_refused(name: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / name).write_bytes(b"")
    alone = "arrays alone" if name.endswith(".h5") else None
    check_refused(
        tmp_path / name, alone or ".keras, .tflite, .npz, .pb, .tar.gz, .ckpt"
    )


@pytest.mark.parametrize("suffix", [".keras", ".tflite", ".npz", ".NPZ"])
def test_file_that_is_not_there_is_refused(suffix: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    os.mkfifo(tmp_path / f"pipe{suffix}")
    for name in ("missing", "folder", "pipe", "missing/model", "a" * 300, "a\0b"):
        check_refused(tmp_path / f"{name}{suffix}", "not a file")


def tiny_npz() -> bytes:
    """The first convolution of an official model and nothing else."""
    arrays = {
        "MobilenetV2_Conv_Conv2D": np.ones((2, 3, 3, 3), "float32"),
        "MobilenetV2_Conv_Conv2D_bn_offset": np.ones(2, "float32"),
    }
    return npz_bytes(arrays, packed=True)


@pytest.mark.parametrize("suffix", [".tflite", ".npz"])
def test_file_damaged_at_random_is_refused(suffix: str, tmp_path: pathlib.Path) -> None:
    # Even whole it is refused, but only once all of it has been read.
    whole = tiny_tflite() if suffix == ".tflite" else tiny_npz()
    path = tmp_path / f"model{suffix}"
    path.write_bytes(whole)
    check_refused(path, "'image_pooling' is missing")
    chance = random.Random(0)
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 5))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.3:
            del content[chance.randrange(len(content)) :]
        path.write_bytes(content)
        check_refused(path)
