"""Exported files in MediaPipe's ImageSegmenter, which reads their metadata."""

import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_deeplab.export import LiteModel
from keras_deeplab.inference import segment
from keras_deeplab.models import Segmenter
from tests.devices.conftest import PHOTO, agreement, installed, run

WORKER = pathlib.Path(__file__).with_name("mediapipe_worker.py")

pytestmark = pytest.mark.slow


def test_delegate_form_gives_masks_names_and_confidences_of_the_model(
    street: Segmenter,
    exported: Callable[[str], pathlib.Path],
    pixels: np.ndarray,
    keras_logits: np.ndarray,
    tmp_path: pathlib.Path,
) -> None:
    python = installed("mediapipe", "bin", "python")
    Image.fromarray(pixels[0]).save(tmp_path / "photo.png")
    out = tmp_path / "out.npz"
    photos = (tmp_path / "photo.png", PHOTO)
    run(python, WORKER, exported("delegate"), out, *photos)
    with np.load(out) as found:
        assert tuple(found["names"]) == street.class_names
        truth = ops.convert_to_numpy(ops.softmax(keras_logits[0]))
        expected = truth.argmax(axis=-1)
        share = agreement(
            "MediaPipe, Python", "delegate", found["labels0"], expected, "Keras"
        )
        assert share > 0.9999
        np.testing.assert_allclose(found["confidences0"], truth, atol=1e-4)
        # A photo of another size comes back at its own. MediaPipe shrinks it without
        # averaging, so edges differ.
        expected = segment(LiteModel(exported("delegate")), PHOTO)
        assert (found["labels1"] == expected).mean() > 0.9
