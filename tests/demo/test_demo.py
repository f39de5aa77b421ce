import base64
import io
import threading
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from PIL import Image

import keras_deeplab
from keras_deeplab.data import label_colors
from keras_deeplab.demo import Answer, Demo, ModelChoice, list_choices
from keras_deeplab.demo import demo as demo_module
from keras_deeplab.layers import DenseCRF
from tests.demo.conftest import encoded
from tests.inference.color_model import ColorModel


def test_labels_are_those_of_segment_with_and_without_the_crf(
    demo: Demo, model: ColorModel, photo: np.ndarray, png: bytes
) -> None:
    plain = demo.segment(png, "colors")
    np.testing.assert_array_equal(plain.labels, keras_deeplab.segment(model, photo))
    refined = demo.segment(png, "colors", 1.0)
    expected = keras_deeplab.segment(
        model, photo, crf=DenseCRF("v1", accuracy="mobile")
    )
    np.testing.assert_array_equal(refined.labels, expected)
    assert (refined.labels != plain.labels).mean() > 0.1
    # Both weights, twice as large.
    twice = DenseCRF("v1", w_bilateral=8, w_gaussian=6, accuracy="mobile")
    np.testing.assert_array_equal(
        demo.segment(png, "colors", 2.0).labels,
        keras_deeplab.segment(model, photo, crf=twice),
    )


def test_network_runs_once_for_a_photo_whatever_the_crf(
    demo: Demo, model: ColorModel, photo: np.ndarray, png: bytes
) -> None:
    answers = [demo.segment(png, "colors", strength) for strength in (0, 1, 0.5, 0)]
    assert len(model.seen) == 1
    assert [answer.network_ran for answer in answers] == [True, False, False, False]
    assert [answer.crf_seconds is None for answer in answers] == [1, 0, 0, 1]
    assert {answer.network_seconds for answer in answers} == {
        answers[0].network_seconds
    }
    other = demo.segment(encoded(photo[::-1]), "colors")
    assert (other.network_ran, other.first_of_size) == (True, False)
    assert answers[0].first_of_size
    assert len(model.seen) == 2


def test_other_model_is_loaded_when_it_is_chosen(
    demo: Demo, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(source: str) -> ColorModel:
        loaded.append(source)
        return ColorModel(class_names=None)

    monkeypatch.setattr(demo_module, "load_model", load)
    demo.segment(png, "colors")
    assert loaded == []
    assert demo.segment(png, "other").class_names is None
    demo.segment(png, "other")
    assert loaded == ["other"]
    with pytest.raises(ValueError, match="must be one of colors, other"):
        demo.segment(png, "../secret.keras")
    with pytest.raises(ValueError, match=r"lie in \[0, 2\]"):
        demo.segment(png, "colors", float("nan"))


def test_photos_are_segmented_one_at_a_time(
    demo: Demo, model: ColorModel, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[int] = []
    most: list[int] = []
    predict = model.predict_on_batch

    def slow(x: np.ndarray) -> Any:
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.02)
        inside.pop()
        return predict(x)

    monkeypatch.setattr(model, "predict_on_batch", slow)
    photos = [encoded(np.roll(photo, shift, axis=1)) for shift in range(4)]
    threads = [
        threading.Thread(target=demo.segment, args=(each, "colors")) for each in photos
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_demo_that_has_ended_lets_a_photo_finish_and_refuses_all_others(
    demo: Demo, model: ColorModel, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    predict = model.predict_on_batch

    def slow(x: np.ndarray) -> Any:
        begun.set()
        assert go_on.wait(20)
        return predict(x)

    monkeypatch.setattr(model, "predict_on_batch", slow)
    first = started(demo, png)
    assert begun.wait(20)
    waiting = started(demo, png)
    demo.end(0.01)
    assert not first.done()
    go_on.set()
    assert first.result(20).network_ran
    demo.end(20)
    for refused in (waiting, started(demo, png)):
        with pytest.raises(RuntimeError, match="The demo has ended"):
            refused.result(20)


def started(demo: Demo, content: bytes) -> Future[Answer]:
    """An answer to come; that it never comes must not keep the tests from ending."""
    future: Future[Answer] = Future()

    def work() -> None:
        try:
            future.set_result(demo.segment(content, "colors"))
        except RuntimeError as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def test_pictures_of_an_answer_are_the_photo_the_classes_and_the_labels(
    demo: Demo,
) -> None:
    # Smooth, as JPEG keeps it: redder downwards, then bluer to the right, then dark.
    photo = np.zeros((24, 40, 3), "uint8")
    photo[:, :20, 0] = np.linspace(170, 250, 24)[:, None]
    photo[:, 20:, 2] = np.linspace(170, 250, 20)
    photo[:8] = 0
    answer = demo.segment(encoded(photo), "colors")
    data = answer.as_data()
    assert (data["height"], data["width"]) == (24, 40)
    labels = opened(data["labels"])
    assert labels.mode == "P"
    np.testing.assert_array_equal(labels, answer.labels)
    shown = np.asarray(opened(data["overlay"]))
    inner = (slice(3, 6), slice(2, 8))
    np.testing.assert_array_equal(answer.labels[inner], 0)
    # The background is left as it is; red is class 1, inside its outline or white.
    np.testing.assert_array_equal(shown[inner], photo[inner])
    red = shown[answer.labels == 1]
    known = {tuple(label_colors()[1]), (255, 255, 255)}
    assert {tuple(color) for color in red.tolist()} <= known
    assert np.abs(np.asarray(opened(data["photo"]), int) - photo).mean() < 5
    by_name = {each["name"]: each for each in data["classes"]}
    assert by_name["background"]["color"] is None
    assert by_name["red"]["color"] == (128, 0, 0)
    assert sum(each["share"] for each in data["classes"]) == pytest.approx(1)


def opened(url: str) -> Image.Image:
    kind, _, content = url.partition(";base64,")
    assert kind.startswith("data:image/")
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_choices_are_models_whose_files_are_here_and_the_package_s_come_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("KERAS_DEEPLAB_HOME", str(tmp_path))
    shipped = [choice.name for choice in list_choices()]
    assert shipped == [
        "deeplabv3plus_mobilenet_v2_camvid",
        "deeplabv3plus_mobilenet_v2_035_camvid",
    ]
    row = keras_deeplab.weights.manifest()["deeplabv3_mobilenet_v2_pascal_voc"]
    (tmp_path / row.file).touch()
    # A backbone alone segments nothing.
    backbone = keras_deeplab.weights.manifest()["mobilenet_v2_imagenet"]
    (tmp_path / backbone.file).touch()
    *first, last = list_choices()
    assert [choice.name for choice in first] == shipped
    assert isinstance(last, ModelChoice)
    assert (last.name, len(last.class_names or ())) == (row.name, 21)
    assert last.about == "DeepLabV3 on mobilenet_v2, trained on pascal_voc"
