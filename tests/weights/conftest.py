"""Official models, read once for all the tests that alter or run them."""

import pathlib

import numpy as np
import pytest

from tests.weights import npz_files, tflite_files


@pytest.fixture(scope="session")
def official(data_dir: pathlib.Path) -> pathlib.Path:
    """The folder of official models."""
    return data_dir / "models" / "deeplab"


@pytest.fixture(scope="session")
def official_arrays(official: pathlib.Path) -> npz_files.Arrays:
    """The arrays of the width-1.0 model; copy the dict before changing it."""
    with np.load(official / npz_files.OFFICIAL) as archive:
        return dict(archive)


@pytest.fixture(scope="session")
def official_tflite(official: pathlib.Path) -> bytes:
    """The file of the width-0.5 model."""
    return (official / tflite_files.OFFICIAL).read_bytes()
