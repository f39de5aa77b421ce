"""The yardstick of the CRF is the sum over every pair of pixels."""

import importlib

import numpy as np
import pytest

from keras_deeplab.layers import CRF_PRESETS
from tests.layers import exact_crf
from tests.layers.crf_scenes import small_scene


@pytest.mark.parametrize("preset", sorted(CRF_PRESETS))
def test_exact_answers_of_two_maps_are_those_of_every_pair(preset: str) -> None:
    exact_mean_field = importlib.import_module("exact_mean_field")
    parameters = CRF_PRESETS[preset]
    logits, image = small_scene(classes=5)
    maps = [logits, logits[..., ::-1]]
    found = exact_mean_field.exact(maps, image, parameters)
    for each, answer in zip(maps, found, strict=True):
        truth = exact_crf.refine(exact_crf.softmax(each), image, parameters)
        assert np.abs(truth - exact_crf.softmax(each)).max() > 0.1
        np.testing.assert_allclose(answer, truth, atol=2e-3)
