"""SavedModels: their signatures, what they refuse, what warms a server up."""

import io
import json
import pathlib
import types
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

import keras_deeplab
from keras_deeplab.export import ExportError, saved_model, to_saved_model
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.photo_graph import PhotoGraph
from keras_deeplab.export.saved_model_job import SavedModelJob
from keras_deeplab.inference import predict_logits
from keras_deeplab.inference.framing import frame_for, lay_out
from keras_deeplab.models import DeepLabV3
from tests.export.conftest import Served, make_model
from tests.export.image_files import (
    BROKEN,
    JPEG,
    PNG,
    PROFILE_BOMB,
    WHOLE,
    encoded,
    pixels,
)


def test_batch_of_pixels_of_any_size_gets_labels_and_probabilities(
    served: Served,
) -> None:
    model, saved = served.model, served.saved
    image = np.random.default_rng(0).integers(0, 256, (2, 41, 57, 3), "uint8")
    logits = np.asarray(model(model.preprocess(image), training=False))
    (labels,) = saved.signatures["serving_default"](image=tf.constant(image)).values()
    assert labels.dtype == tf.uint8
    assert (labels.numpy() == logits.argmax(-1)).mean() > 0.999
    found = saved.signatures["probabilities"](image=tf.constant(image))
    expected = tf.nn.softmax(logits)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-3)


def test_weights_and_network_are_held_once(served: Served) -> None:
    variables = served.folder / "variables"
    held = sum(file.stat().st_size for file in variables.iterdir())
    weights = sum(4 * np.prod(value.shape) for value in served.model.variables)
    assert weights < held < 1.2 * weights
    content = (served.folder / "saved_model.pb").read_bytes()
    saved = saved_model_pb2.SavedModel.FromString(content)
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    found = sum(node.op in ("Conv2D", "DepthwiseConv2dNative") for node in nodes)
    kernels = sum(len(value.shape) == 4 for value in served.model.variables)
    assert kernels <= found < 1.5 * kernels


def agreement(labels: np.ndarray, expected: np.ndarray) -> float:
    assert labels.shape == expected.shape
    return float((labels == expected).mean())


def label_map(saved: Any, *contents: bytes) -> list[np.ndarray]:
    function = saved.signatures["serve_bytes"]
    files = function(image_bytes=tf.constant(contents))["labels_bytes"].numpy()
    return [np.array(Image.open(io.BytesIO(file))) for file in files]


@pytest.mark.parametrize("name", WHOLE)
def test_image_file_of_any_kind_gets_the_labels_of_segment(
    name: str, served: Served
) -> None:
    (labels,) = label_map(served.saved, WHOLE[name])
    expected = keras_deeplab.segment(served.model, Image.open(io.BytesIO(WHOLE[name])))
    assert labels.dtype == np.uint8
    assert agreement(labels, expected) > 0.98


def test_batch_of_image_files_gets_label_maps_of_their_own_sizes(
    served: Served,
) -> None:
    sizes = [(64, 65), (90, 100), (1, 1), (3000, 3)]
    files = [encoded(pixels("RGB", size)) for size in sizes]
    maps = label_map(served.saved, *files)
    assert [labels.shape[::-1] for labels in maps] == sizes


def test_labels_of_300_classes_come_as_a_png_of_16_bits(
    tmp_path: pathlib.Path,
) -> None:
    # Large enough for the photo as it is: TensorFlow scales otherwise.
    model = make_model(crop_size=49, classes=300)
    job = SavedModelJob(graph=Graph(model=model), name="street", most_pixels=10_000)
    job.write(tmp_path / "1")
    saved = tf.saved_model.load(str(tmp_path / "1"))
    (labels,) = label_map(saved, PNG)
    assert labels.dtype == np.uint16
    photo = Image.open(io.BytesIO(PNG))
    expected = predict_logits(model, photo).argmax(axis=-1)
    assert agreement(labels, expected) > 0.999
    # Bytes would hold others.
    assert (expected > 255).any()
    assert (expected < 256).any()


def test_profile_that_unpacks_to_much_is_passed_over(served: Served) -> None:
    np.testing.assert_array_equal(
        label_map(served.saved, PROFILE_BOMB), label_map(served.saved, PNG)
    )


def test_photo_that_lies_on_its_side_is_not_turned(served: Served) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = encoded(pixels("RGB"), "JPEG", quality=95, exif=exif)
    np.testing.assert_array_equal(
        label_map(served.saved, file), label_map(served.saved, JPEG)
    )


@pytest.mark.parametrize("size", [(20, 30), (65, 49), (100, 90), (40, 200)])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"crop_size": (65, 49)},
        {},
        {"input_shape": (33, 49, 3)},
        {"input_shape": (33, 49, 3), "resize_mode": "stretch"},
        {"input_shape": (129, 129, 3), "crop_size": (65, 49)},
        {"input_shape": (33, None, 3)},
    ],
)
def test_photo_of_any_size_is_laid_out_as_segment_does(
    size: tuple[int, int], kwargs: dict[str, Any]
) -> None:
    model = DeepLabV3("mobilenet_v2", alpha=0.35, filters=8, **kwargs)
    photo = np.array(pixels("RGB", size[::-1]))
    frame = frame_for(model, size)
    graph = PhotoGraph(model, logits=lambda pixels: pixels, most_pixels=10**6)
    canvas, content = graph.laid_out(tf.constant(photo))
    assert tuple(content.numpy()) == frame.content
    # TensorFlow's Lanczos rounds otherwise than Pillow's.
    expected = lay_out(photo, frame, model.pad_pixel)
    np.testing.assert_allclose(canvas, expected, atol=2)


@pytest.mark.parametrize("name", BROKEN)
def test_image_file_that_is_damaged_or_too_large_is_an_error(
    name: str, served: Served
) -> None:
    content, message = BROKEN[name]
    for batch in ([content], [PNG, content]):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            label_map(served.saved, *batch)


@pytest.mark.parametrize(
    ("crop_size", "input_shape", "expected"),
    [
        (None, (None, None, None, 3), 2**22),
        (None, (None, 33, None, 3), 2**22),
        (None, (None, 33, 49, 3), 2**26),
        ((33, 33), (None, None, None, 3), 2**26),
    ],
)
def test_photos_that_the_model_takes_whole_are_bounded_lower(
    crop_size: object, input_shape: object, expected: int
) -> None:
    model = types.SimpleNamespace(crop_size=crop_size, input_shape=input_shape)
    assert saved_model._most_pixels(model) == expected


def test_warm_up_requests_are_answered(served: Served) -> None:
    file = served.folder / "assets.extra" / "tf_serving_warmup_requests"
    answered = []
    for record in tf.data.TFRecordDataset(str(file)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        # Nothing is left that TensorFlow Serving's messages do not know.
        assert log.SerializeToString() == record.numpy()
        request = log.predict_log.request
        assert request.model_spec.name == served.name
        inputs = {name: tf.make_ndarray(v) for name, v in request.inputs.items()}
        name = request.model_spec.signature_name
        answers = served.saved.signatures[name](
            **{name: tf.constant(value) for name, value in inputs.items()}
        )
        answered.append((name, *answers))
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
    report = to_saved_model(model, tmp_path, photos=photos, size=33)
    assert report.path.name == "8"
    saved = tf.saved_model.load(str(report.path))
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        saved.signatures["serving_default"](image=tf.zeros((1, 33, 34, 3), tf.uint8))
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
