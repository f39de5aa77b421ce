import tracemalloc

import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.inference import InferencePlan, predict_logits, segment, strips
from tests.inference.color_model import ColorModel
from tests.inference.network import random_network
from tests.inference.strided_model import REACH, StridedModel


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")


@pytest.fixture(scope="module")
def network() -> keras_deeplab.DeepLabV3:
    return random_network(crop_size=65, output_stride=8)


@pytest.mark.parametrize(("height", "width"), [(65, 65), (40, 57), (90, 130)])
def test_one_window_over_the_photo_gives_exactly_the_whole_photo_s_logits(
    height: int, width: int, network: keras_deeplab.DeepLabV3
) -> None:
    photo = noise(height, width)
    plan = InferencePlan(window=(max(65, height), max(65, width)))
    parts = predict_logits(network, photo, plan=plan)
    whole = predict_logits(network, photo, size=max(height, width))
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("overlap", [0.75, 0.9])
@pytest.mark.parametrize("size", [(200, 150), (65, 300), (129, 129)])
def test_windows_of_a_model_that_looks_less_far_than_they_overlap_are_the_whole_photo(
    size: tuple[int, int], overlap: float
) -> None:
    photo = noise(*size)
    plan = InferencePlan(window=65, overlap=overlap)
    # The outer quarter of an overlap counts for nothing.
    assert 65 * overlap // 4 >= REACH
    model = StridedModel(crop_size=None)
    parts = predict_logits(model, photo, plan=plan)
    assert {x.shape for x in model.seen} == {(1, 65, 65, 3)}
    assert len(model.seen) > 2
    whole = predict_logits(StridedModel(crop_size=None), photo)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_windows_that_overlap_less_than_the_model_looks_differ_at_seams_alone() -> None:
    photo = noise(65, 121)
    plan = InferencePlan(window=65, overlap=0.1)
    model = StridedModel(crop_size=None)
    apart = np.abs(
        predict_logits(model, photo, plan=plan) - predict_logits(model, photo)
    ).max(axis=(0, 2))
    assert apart[56:65].max() > 1e-3
    inside = np.r_[0 : 65 - REACH, 56 + REACH : 121]
    assert apart[inside].max() < 1e-5


def test_windows_are_blended_by_their_weights_at_a_seam() -> None:
    class NumberedModel(ColorModel):
        """Says of every pixel the number of the call."""

        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            return np.full_like(super().predict_on_batch(x), len(self.seen))

    model = NumberedModel(crop_size=None, output_stride=8)
    plan = InferencePlan(window=(16, 16), overlap=0.5)
    logits = predict_logits(model, noise(24, 24), plan=plan)[..., 0]
    fade = 0.5 - 0.5 * np.cos(np.pi * np.array([1, 3, 5, 7]) / 8)
    share = np.array([*[0.0] * 10, *fade, *[1.0] * 10])
    expected = 1 + share[None] + 2 * share[:, None]
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_windows_at_another_scale_come_back_to_the_photo_s_size() -> None:
    photo = noise(100, 80)
    model = ColorModel()
    plan = InferencePlan(scales=(0.5,), window=33, overlap=0.3)
    parts = predict_logits(model, photo, plan=plan)
    assert parts.shape == (100, 80, 4)
    assert {x.shape for x in model.seen} == {(1, 33, 33, 3)}
    whole = predict_logits(ColorModel(crop_size=None), photo, size=50)
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_windows_of_a_fixed_input_fill_it_without_stretching() -> None:
    model = ColorModel(resize_mode="stretch", height=40, width=50, output_stride=1)
    photo = noise(90, 120)
    labels = segment(model, photo, plan=InferencePlan(window=(40, 50)))
    assert {x.shape for x in model.seen} == {(1, 40, 50, 3)}
    expected = ColorModel().predict_on_batch(photo[None] / 127.5 - 1).argmax(-1)[0]
    np.testing.assert_array_equal(labels, expected)


def test_progress_of_windows_counts_all_of_all_views() -> None:
    calls: list[tuple[str, int, int]] = []
    plan = InferencePlan(scales=(1.0, 2.0), flip=True, window=33, overlap=0.0)
    segment(
        ColorModel(),
        noise(65, 97),
        plan=plan,
        progress=lambda *call: calls.append(call),
    )
    # 2 x 3 windows of the photo and 5 x 7 of the enlarged one, each mirrored too.
    total = 2 * (2 * 3 + 5 * 7)
    assert calls == [("this photo", done, total) for done in range(1, total + 1)]


class ForgetfulModel(ColorModel):
    """Does not keep what it has seen."""

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        scores = super().predict_on_batch(x)
        self.seen.clear()
        return scores


def peak(height: int) -> int:
    """Bytes held at once beside the photo and its labels."""
    photo = noise(height, 200)
    tracemalloc.start()
    labels = segment(ForgetfulModel(), photo, plan=InferencePlan(window=33))
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found - labels.nbytes


def test_memory_of_windows_does_not_grow_with_the_height_of_the_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strips, "_STRIP_VALUES", 200 * 4 * 16)
    low, high = peak(200), peak(2000)
    band = 33 * 200 * 4 * 4
    whole = 2000 * 200 * 4 * 4
    # Another copy of the photo, 3 bytes a pixel, and of the labels, which are joined at
    # the end. The logits would be 16.
    assert high - low < 5 * 1800 * 200
    assert low < 12 * band < whole / 2
