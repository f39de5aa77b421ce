"""What `DenseCRF` takes, gives and refuses."""

import dataclasses
import pathlib
from typing import Any

import keras
import numpy as np
import pytest

from keras_deeplab.layers import CRF_PRESETS, DenseCRF
from tests.checks import check_config, run_on_backend, weights_of
from tests.layers import exact_crf
from tests.layers.crf_scenes import PLAIN, agreement, refine, small_scene
from tests.layers.crf_worker import answers, scene


@pytest.mark.parametrize(
    ("preset", "values"),
    [
        ("pydensecrf", (10, 80, 13, 3, 3, 5)),
        ("v1", (4, 49, 5, 3, 3, 10)),
        ("v2", (4, 67, 3, 3, 1, 10)),
    ],
)
def test_preset_of_each_name_has_the_published_numbers(
    preset: str, values: tuple[float, ...]
) -> None:
    assert dataclasses.astuple(CRF_PRESETS[preset]) == values
    assert DenseCRF(preset).crf_parameters == CRF_PRESETS[preset]


def test_compatibility_of_a_weight_a_label_scales_its_message() -> None:
    logits, image = small_scene()
    ones = refine(DenseCRF("v1", compatibility=[1, 1, 1], **PLAIN), logits, image)
    potts = refine(DenseCRF("v1", **PLAIN), logits, image)
    np.testing.assert_allclose(ones, potts, atol=1e-5)
    weights = [0.5, 1.0, 2.0]
    exact = exact_crf.refine(
        exact_crf.softmax(logits), image, CRF_PRESETS["v1"], -np.diag(weights)
    )
    found = refine(DenseCRF("v1", compatibility=weights), logits, image)
    assert agreement(found, exact) > 0.98


def test_probabilities_instead_of_logits_are_normalized_and_give_the_same() -> None:
    logits, image = small_scene()
    expected = refine(DenseCRF(**PLAIN), logits, image)
    layer = DenseCRF(from_logits=False, **PLAIN)
    for factor in (1, 7):
        found = refine(layer, factor * exact_crf.softmax(logits), image)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_batch_of_photos_is_each_photo_by_itself() -> None:
    logits, images = scene()
    layer = DenseCRF("v1", accuracy="mobile")
    found = np.array(layer(logits, images))
    for index in range(len(logits)):
        alone = refine(layer, logits[index], images[index])
        np.testing.assert_allclose(found[index], alone, atol=1e-5)


def test_image_of_integers_gives_what_floating_point_does() -> None:
    logits, image = small_scene()
    image = image.round()
    layer = DenseCRF(**PLAIN)
    found = refine(layer, logits, image.astype("uint8"))
    np.testing.assert_array_equal(found, refine(layer, logits, image))


def test_one_class_is_certain() -> None:
    found = refine(
        DenseCRF(**PLAIN), np.zeros((9, 7, 1), "f"), np.zeros((9, 7, 3), "f")
    )
    np.testing.assert_allclose(found, 1)


def test_score_that_is_no_number_spoils_its_own_photo_alone() -> None:
    logits, images = scene(size=(40, 43))
    logits[0, 3, 4, 1] = np.nan
    found = np.array(DenseCRF(**PLAIN)(logits, images))
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_answer_in_half_precision_is_close() -> None:
    logits, image = small_scene()
    half = DenseCRF(dtype="mixed_float16", **PLAIN)(logits[None], image[None])
    assert keras.backend.standardize_dtype(half.dtype) == "float16"
    expected = refine(DenseCRF(**PLAIN), logits, image)
    np.testing.assert_allclose(np.array(half)[0], expected, atol=2e-3)


@pytest.mark.parametrize("compatibility", ["potts", [1.0, 2.0, 1.0]])
def test_config_and_weights_are_complete(compatibility: Any) -> None:
    kwargs = {**PLAIN, "compatibility": compatibility, "trainable_parameters": True}
    check_config(DenseCRF, {**kwargs, "theta_beta": 7.0})
    logits, image = small_scene(9)
    built, called = DenseCRF(**kwargs, name="crf"), DenseCRF(**kwargs, name="crf")
    built.build((1, *logits.shape), (1, *image.shape))
    called(logits[None], image[None])
    assert weights_of(built) == weights_of(called)
    assert len(built.trainable_variables) == 6
    assert not DenseCRF(**PLAIN).weights


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_answers_on_another_backend_equal_tensorflows(
    backend: str, backends_python: str, tmp_path: pathlib.Path
) -> None:
    worker = pathlib.Path(__file__).with_name("crf_worker.py")
    found = run_on_backend(backends_python, worker, tmp_path / "found.npz", backend)
    for name, expected in answers().items():
        np.testing.assert_allclose(found[name], expected, atol=2e-3, err_msg=name)


@pytest.mark.slow
def test_no_array_meets_a_tensor_that_numpy_cannot_read(
    backends_python: str, tmp_path: pathlib.Path
) -> None:
    worker = pathlib.Path(__file__).with_name("crf_meta_worker.py")
    found = run_on_backend(
        backends_python,
        worker,
        tmp_path / "found.npz",
        "torch",
        KERAS_TORCH_DEVICE="meta",
    )
    assert {name: tuple(shape) for name, shape in found.items()} == {
        "finest meta": (1, 70, 80, 3),
        "accurate meta": (1, 128, 140, 3),
        "mobile meta": (1, 256, 259, 24),
    }


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"preset": "v3"}, r"`preset` must be one of 'v1', .* Received: preset='v3'"),
        ({"theta_beta": 0.01}, "`theta_beta` must be at least 0.05. Received: theta_b"),
        ({"compatibility": np.array(3.0)}, "`compatibility` must be 'potts', a number"),
        ({"compatibility": np.array(["a", "b"])}, "`compatibility` must be 'potts'"),
        ({"accuracy": "fast"}, r"`accuracy` must be one of 'finest'"),
        ({"w_bilateral": -1}, r"`w_bilateral` must be at least 0\. Received: w_bil"),
        ({"theta_beta": 0}, r"`theta_beta` must be above 0\. Received: theta_beta=0"),
        ({"iterations": 0}, r"`iterations` must be an integer of at least 1"),
        ({"compatibility": "pots"}, r"`compatibility` must be 'potts', a number for"),
        ({"compatibility": [[1, 2]]}, r"Received: compatibility=\[\[1, 2\]\]"),
        ({"compatibility": [float("nan")]}, r"Received: compatibility=\[nan\]"),
    ],
)
def test_argument_out_of_range_is_named_in_the_error(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        DenseCRF(**kwargs)


@pytest.mark.parametrize(
    ("logits", "image", "message"),
    [
        ((1, 9, 9, 3), (1, 9, 8, 3), r"`image` must have the batch, height and width"),
        ((2, 9, 9, 3), (1, 9, 9, 3), r"Received: inputs.shape=\(2, 9, 9, 3\), image"),
        ((1, 9, 9, 3), (1, 9, 9, 4), r"`image` must have the shape \(batch, height"),
        ((9, 9, 3), (1, 9, 9, 3), r"A feature map has the shape"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    logits: tuple[int, ...], image: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        DenseCRF()(np.zeros(logits, "f"), np.zeros(image, "f"))


def test_compatibility_for_other_labels_is_refused() -> None:
    logits, image = small_scene(9)
    layer = DenseCRF(compatibility=[1, 2])
    with pytest.raises(ValueError, match=r"must have a row for each of the 3 labels"):
        layer(logits[None], image[None])
