"""SavedModels: their signatures, what they refuse, what warms a server up."""

import io
import json
import pathlib
import struct
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_deeplab
from keras_deeplab.export import ExportError, to_saved_model
from keras_deeplab.export.photo_graph import PhotoGraph
from keras_deeplab.inference.framing import frame_for, lay_out
from keras_deeplab.models import DeepLabV3
from tests.export.conftest import make_model
from tests.export.prediction_log import read_predict_request

Served = tuple[DeepLabV3, Any, pathlib.Path]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> Served:
    model = make_model(crop_size=(65, 49))
    folder = tmp_path_factory.mktemp("served") / "street"
    report = to_saved_model(model, folder, photos=photos, most_pixels=10_000)
    assert report.path == folder / "1"
    assert report.parity.agreement > 0.999
    return model, tf.saved_model.load(str(folder / "1")), folder


def test_batch_of_pixels_of_any_size_gets_labels_and_probabilities(
    served: Served,
) -> None:
    model, saved, _ = served
    image = np.random.default_rng(0).integers(0, 256, (2, 41, 57, 3), "uint8")
    logits = np.asarray(model(model.preprocess(image), training=False))
    (labels,) = saved.signatures["serving_default"](image=tf.constant(image)).values()
    assert labels.dtype == tf.uint8
    assert (labels.numpy() == logits.argmax(-1)).mean() > 0.999
    found = saved.signatures["probabilities"](image=tf.constant(image))
    expected = tf.nn.softmax(logits)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-3)


def png(size: tuple[int, int], **kwargs: object) -> bytes:
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (4, 5, 3), "uint8"))
    file = io.BytesIO()
    small.resize(size).save(file, **{"format": "PNG", **kwargs})
    return file.getvalue()


def agreement(labels: np.ndarray, expected: np.ndarray) -> float:
    assert labels.shape == expected.shape
    return float((labels == expected).mean())


def label_map(saved: Any, *contents: bytes) -> list[np.ndarray]:
    function = saved.signatures["serve_bytes"]
    files = function(image_bytes=tf.constant(contents))["labels_bytes"].numpy()
    return [np.array(Image.open(io.BytesIO(file))) for file in files]


def test_image_files_of_any_size_get_label_maps_of_their_own(served: Served) -> None:
    model, saved, _ = served
    contents = [png((40, 30)), png((64, 65), format="JPEG", quality=95)]
    for labels, content in zip(label_map(saved, *contents), contents, strict=True):
        expected = keras_deeplab.segment(model, Image.open(io.BytesIO(content)))
        assert labels.dtype == np.uint8
        assert agreement(labels, expected) > 0.98
    (labels,) = label_map(saved, png((90, 100)))
    assert labels.shape == (100, 90)


@pytest.mark.parametrize("size", [(20, 30), (65, 49), (100, 90), (40, 200)])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"crop_size": (65, 49)},
        {},
        {"input_shape": (33, 49, 3)},
        {"input_shape": (33, 49, 3), "resize_mode": "stretch"},
    ],
)
def test_photo_of_any_size_is_laid_out_as_segment_does(
    size: tuple[int, int], kwargs: dict[str, Any]
) -> None:
    model = DeepLabV3("mobilenet_v2", alpha=0.35, filters=8, **kwargs)
    photo = np.array(Image.open(io.BytesIO(png(size[::-1]))))
    frame = frame_for(model, size)
    graph = PhotoGraph(model, logits=lambda pixels: pixels, most_pixels=10**6)
    canvas, content = graph.laid_out(tf.constant(photo))
    assert tuple(content.numpy()) == frame.content
    # TensorFlow's Lanczos rounds otherwise than Pillow's.
    expected = lay_out(photo, frame, model.pad_pixel)
    np.testing.assert_allclose(canvas, expected, atol=2)


WHOLE = png((40, 30))
BROKEN = {
    "empty": (b"", "neither a JPEG nor a PNG"),
    "no image": (b"GIF89a" + bytes(50), "neither a JPEG nor a PNG"),
    "header alone": (WHOLE[:20], "must have 1 to 10000 pixels"),
    "cut short": (WHOLE[: len(WHOLE) // 2], "Invalid PNG data"),
    "cut short JPEG": (png((40, 30), format="JPEG")[:300], "Invalid JPEG data"),
    "huge": (png((120, 100)), "must have 1 to 10000 pixels"),
    "bomb": (
        WHOLE[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + WHOLE[24:],
        "must have 1 to 10000 pixels",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_image_file_that_is_damaged_or_too_large_is_an_error(
    name: str, served: Served
) -> None:
    content, message = BROKEN[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        label_map(served[1], content)


def test_warm_up_requests_are_answered(served: Served) -> None:
    _, saved, folder = served
    file = folder / "1" / "assets.extra" / "tf_serving_warmup_requests"
    answered = []
    for record in tf.data.TFRecordDataset(str(file)):
        request = read_predict_request(record.numpy())
        assert request.model == "street"
        answers = saved.signatures[request.signature](**request.inputs)
        answered.append((request.signature, *answers))
    assert answered == [
        ("serving_default", "labels"),
        ("probabilities", "probabilities"),
        ("serve_bytes", "labels_bytes"),
    ]


def test_second_version_lies_beside_the_first(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(crop_size=33)
    (tmp_path / "7").mkdir()
    with pytest.raises(ValueError, match=r"`version` must be new: .* has \[7\]"):
        to_saved_model(model, tmp_path, version=7)
    with pytest.raises(ValueError, match="`version` must be an integer of at least 1"):
        to_saved_model(model, tmp_path, version=-1)
    assert to_saved_model(model, tmp_path, photos=photos).path.name == "8"
    told = json.loads((tmp_path / "8.report.json").read_text())
    assert told["format"] == "saved_model"
    assert told["operations"]["Conv2D"] > 10


def test_saved_model_that_disagrees_leaves_nothing(
    photos: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_deeplab.export import served_model

    monkeypatch.setattr(
        served_model.ServedModel, "run", lambda self, pixels: pixels[..., 0] * 0 + 99
    )
    with pytest.raises(ExportError, match=r"gives 0\.00% of the pixels of 3 photos"):
        to_saved_model(make_model(crop_size=33), tmp_path, photos=photos)
    assert not list(tmp_path.iterdir())
