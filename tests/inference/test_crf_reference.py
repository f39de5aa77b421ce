import importlib.util
import sys
from typing import Any

import numpy as np
import pytest

from keras_deeplab.inference import crf_reference
from keras_deeplab.layers import CRF_PRESETS, DenseCRF
from tests.conftest import lack
from tests.layers import exact_crf
from tests.layers.crf_worker import scene


@pytest.fixture
def library() -> None:
    if importlib.util.find_spec("pydensecrf") is None:
        lack("CRF", "No pydensecrf2: pip install 'keras-deeplab[crf]'")


@pytest.fixture
def photo() -> tuple[np.ndarray, np.ndarray]:
    logits, images = scene(3, (40, 43), 1)
    return logits[0], images[0].round()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("preset", CRF_PRESETS)
def test_reference_with_each_preset_is_nearly_the_exact_answer(
    preset: str, photo: tuple[np.ndarray, np.ndarray]
) -> None:
    logits, image = photo
    start = exact_crf.softmax(logits)
    expected = exact_crf.refine(start, image, CRF_PRESETS[preset]).argmax(-1)
    found = crf_reference(logits, image, preset)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    assert (found.argmax(-1) == expected).mean() > 0.98
    shares = crf_reference(5 * start, image, preset, from_logits=False)
    np.testing.assert_allclose(shares, found, atol=1e-3)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "compatibility", [[0.5, 1, 2], [[0, 3, 1], [2, 0, 1], [1, 0.5, 0]]]
)
def test_reference_with_a_compatibility_agrees_with_the_layer(
    compatibility: Any, photo: tuple[np.ndarray, np.ndarray]
) -> None:
    logits, image = photo
    kwargs = {"compatibility": compatibility, "iterations": 4, "theta_beta": 9.0}
    found = crf_reference(logits, image, **kwargs).argmax(-1)
    layer = np.array(DenseCRF(**kwargs)(logits[None], image[None]))[0].argmax(-1)
    assert (found == layer).mean() > 0.97


def test_reference_without_its_library_names_the_command(
    photo: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydensecrf.densecrf", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-deeplab\[crf\]'"):
        crf_reference(*photo)


@pytest.mark.usefixtures("library")
def test_reference_of_sizes_that_differ_is_refused(
    photo: tuple[np.ndarray, np.ndarray],
) -> None:
    logits, image = photo
    with pytest.raises(ValueError, match=r"`image` must have the shape"):
        crf_reference(logits, image[1:])
