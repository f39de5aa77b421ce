"""What tests and docstring examples share: a quiet TensorFlow and a clean Keras.

Keras is imported inside the fixtures, so that the process that only hands out the
tests does without, and what TensorFlow prints at its start belongs to a test.
"""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

# Read once, when Keras and TensorFlow are imported.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def clean_keras() -> Iterator[None]:
    """Gives every test the same seed, and takes back what it set globally."""
    import keras

    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")


@pytest.fixture(autouse=True, scope="module")
def freed_models() -> Iterator[None]:
    """Frees the models of a file, which hold themselves by reference cycles.

    Once a file, because a collection takes longer than most tests.
    """
    yield
    import keras

    keras.backend.clear_session(free_memory=False)
    gc.collect()


@pytest.fixture(autouse=True, scope="session")
def doctest_names(doctest_namespace: dict[str, Any]) -> None:
    """Lets docstring examples start without imports."""
    import keras
    import numpy as np

    import keras_deeplab

    doctest_namespace.update(keras=keras, keras_deeplab=keras_deeplab, np=np)
