"""TFLite files: what is in them, and that they answer as Keras does."""

import json
import pathlib
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from keras_deeplab import export, weights
from keras_deeplab.export import QUANTIZATIONS, ExportError, LiteModel, to_tflite
from keras_deeplab.export.tflite_file import operator_code, read_model
from keras_deeplab.inference import evaluate, segment, write_labels
from keras_deeplab.models import DeepLabV3, DeepLabV3Plus
from tests.export.conftest import make_model
from tests.layers import litert


def keras_logits(model: keras.Model, image: np.ndarray) -> np.ndarray:
    return np.asarray(model(model.preprocess(image), training=False))


def read(photos: pathlib.Path) -> np.ndarray:
    """The photo that has the model's own size."""
    return np.array(Image.open(photos / "0.png"))[None]


@pytest.mark.parametrize("outputs", ["labels", "probabilities", "logits", "delegate"])
def test_float_file_of_each_form_answers_as_keras_does(
    outputs: str, model: DeepLabV3, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "m.tflite"
    report = to_tflite(model, path, outputs=outputs, photos=photos)
    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner("serving_default")
    image = read(photos)
    (details,) = interpreter.get_input_details()
    assert details["shape"].tolist() == [1, 65, 49, 3]
    given = image if outputs != "delegate" else image.astype("float32") / 127.5 - 1
    assert details["dtype"] == given.dtype
    ((name, answer),) = runner(image=given).items()
    logits = keras_logits(model, image)
    labels = logits.argmax(-1)
    assert len(np.unique(labels)) > 1
    if outputs == "labels":
        assert (name, answer.dtype) == ("labels", np.uint8)
        np.testing.assert_array_equal(answer, labels)
    elif outputs == "probabilities":
        assert name == "probabilities"
        truth = keras.ops.softmax(logits)
        np.testing.assert_allclose(answer, truth, atol=1e-3)
    else:
        assert name == "logits"
        # Logits of up to 6, of batch norms that enlarge what rounding differs by.
        np.testing.assert_allclose(answer, logits, rtol=1e-4, atol=5e-4)
    assert report.parity.agreement == 1
    assert report.parity.photos == ("0.png", "1.png", "2.png")
    assert (report.parity.max_difference is None) == (outputs == "labels")
    found = litert.operations(path.read_bytes())
    assert dict(found) == report.operations
    # Batch norms are inside, and at most the preprocessing's own arithmetic is left,
    # and that of the places of labels.
    assert found["MUL"] + found["SUB"] <= (4 if outputs == "labels" else 2)
    assert ("ARG_MAX" in found) == (outputs == "labels")
    assert "CAST" not in found or outputs != "delegate"


@pytest.mark.parametrize("quantize", ["float16", "dynamic", "int8"])
def test_smaller_file_agrees_with_keras_and_takes_bytes(
    quantize: str, model: DeepLabV3, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "m.tflite"
    report = to_tflite(
        model,
        path,
        quantize=quantize,
        calibration=photos,
        # Random weights leave little between the classes.
        least_agreement=0.5,
    )
    whole = to_tflite(model, tmp_path / "whole.tflite")
    assert report.size_bytes < 0.7 * whole.size_bytes
    assert report.size_bytes == path.stat().st_size
    (details,) = Interpreter(str(path)).get_input_details()
    assert details["dtype"] == np.uint8
    kernels = kernel_dtypes(path)
    expected = np.float16 if quantize == "float16" else np.int8
    # All but those of few weights, and those that would lose too much.
    assert kernels.count(expected) > 0.5 * len(kernels)


def kernel_dtypes(path: pathlib.Path) -> list[type]:
    """Of the convolutions' constant kernels."""
    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    dtypes = {0: np.float32, 1: np.float16, 9: np.int8}
    return [
        dtypes[tensor.Type()]
        for tensor in map(graph.Tensors, range(graph.TensorsLength()))
        if tensor.ShapeLength() == 4 and model.Buffers(tensor.Buffer()).DataLength()
    ]


@pytest.mark.parametrize("preprocessing", ["caffe", "mean"])
@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_other_preprocessing_is_inside_the_file(
    preprocessing: str, quantize: str, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(preprocessing=preprocessing, crop_size=(33, 33))
    # Of pixels of hundreds instead of ones.
    kernel = model.get_layer("conv").steps[0].kernel
    kernel.assign(kernel / 100)
    report = to_tflite(
        model,
        tmp_path / "m.tflite",
        quantize=quantize,
        calibration=photos,
        least_agreement=0.999 if quantize == "none" else 0.8,
    )
    assert report.parity.agreement > 0.8


def test_delegate_of_bgr_takes_rgb_less_the_mean(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(preprocessing="caffe", crop_size=(65, 49))
    to_tflite(model, tmp_path / "m.tflite", outputs="delegate", photos=photos)
    image = read(photos)
    lite = LiteModel(tmp_path / "m.tflite")
    assert lite.facts.mean == (123.68, 116.779, 103.939)
    answer = lite.run(lite.preprocess(image))
    np.testing.assert_allclose(answer, keras_logits(model, image), rtol=1e-3, atol=1e-3)


def test_file_carries_its_class_names_and_metadata(
    model: DeepLabV3, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "m.tflite"
    to_tflite(model, path, outputs="delegate", photos=photos)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().split() == list(model.class_names)
    lite = LiteModel(path)
    assert lite.class_names == model.class_names
    assert (lite.facts.mean, lite.facts.std) == ((127.5,) * 3, 127.5)
    content = path.read_bytes()
    assert b"TFLITE_METADATA" in content
    assert b"M001" in content
    assert b"SEGMENTER_METADATA" in content
    assert b"V001" in content
    again = tmp_path / "again.tflite"
    to_tflite(model, again, outputs="delegate", photos=photos)
    assert again.read_bytes() == content


def test_file_segments_and_scores_as_the_model_does(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(input_shape=(65, 49, 3))
    masks = tmp_path / "masks"
    masks.mkdir()
    for photo in photos.iterdir():
        write_labels(masks / photo.name, segment(model, photo))
    path = tmp_path / "m.tflite"
    report = to_tflite(model, path, photos=photos, masks=masks)
    assert report.keras_mean_iou == 1
    # Bytes cannot hold the padding, 127.5.
    assert report.mean_iou == pytest.approx(1, abs=0.1)
    told = json.loads((tmp_path / "m.tflite.report.json").read_text())
    assert told["path"] == "m.tflite"
    assert told["mean_iou"] == report.mean_iou
    assert [row["threads"] for row in told["latency"]] == [1, 2]
    assert {row["file"] for row in told["latency"]} == {report.path.name}
    assert told["peak_bytes"] > 0
    lite = LiteModel(path)
    assert evaluate(lite, photos, masks).mean_iou == report.mean_iou
    np.testing.assert_array_equal(
        segment(lite, photos / "0.png"), segment(model, photos / "0.png")
    )


def test_export_that_agrees_too_little_leaves_what_was_there(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(crop_size=33)
    path = tmp_path / "m.tflite"
    path.write_bytes(b"before")
    with pytest.raises(ExportError, match=r"of the pixels of 3 photos .* 100\.00%"):
        to_tflite(
            model,
            path,
            quantize="int8",
            calibration=photos,
            least_agreement=1.0,
        )
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["m.tflite"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "m.lite"}, "`path` must end in .tflite"),
        ({"quantize": "int4"}, "`quantize` must be one of 'none', 'float16'"),
        ({"outputs": "masks"}, "`outputs` must be one of 'labels'"),
        ({"quantize": "int8"}, "`calibration` is needed for 'int8'"),
        ({"size": 0}, "`size` must be a positive integer"),
        ({"least_agreement": 2}, r"`least_agreement` must lie in \[0, 1\]"),
        ({"masks": "masks"}, "`masks` need their photos"),
    ],
)
def test_wrong_argument_of_an_export_is_named(
    changes: dict[str, object],
    message: str,
    model: DeepLabV3,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        to_tflite(model, **{"path": "m.tflite", **changes})
    assert not list(tmp_path.iterdir())


def test_size_of_a_model_must_be_given_or_its_own(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="`size` is needed: the model takes images of"):
        to_tflite(make_model(), tmp_path / "m.tflite")
    with pytest.raises(ValueError, match="must be that of the model's input, 33 x 33"):
        to_tflite(make_model(input_shape=(33, 33, 3)), tmp_path / "m.tflite", size=65)


def test_softmax_model_gives_its_own_probabilities(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(classifier_activation="softmax", input_shape=(65, 49, 3))
    path = tmp_path / "m.tflite"
    to_tflite(model, path, outputs="probabilities", photos=photos)
    image = read(photos)
    answer = LiteModel(path).run(image)
    np.testing.assert_allclose(answer, keras_logits(model, image), atol=1e-3)


def test_file_that_is_no_model_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.tflite"
    with pytest.raises(ValueError, match="`path` is not a file"):
        LiteModel(path)
    path.write_bytes(b"nothing" * 100)
    with pytest.raises(ValueError, match="is not a TFLite model that LiteRT runs"):
        LiteModel(path)


def test_official_files_run_and_score(data_dir: pathlib.Path) -> None:
    folder = data_dir / "models/deeplab"
    photo = data_dir / "voc_sample/images"
    photo = sorted(photo.iterdir())[0]
    path = folder / "deeplabv3_257_mv_gpu.tflite"
    expected = segment(weights.load_model(path), photo)
    assert (segment(LiteModel(path), photo) == expected).mean() > 0.999
    labels = segment(LiteModel(folder / "deeplabv3_mnv2_pascal_quant.tflite"), photo)
    assert (labels == expected).mean() > 0.8


def test_rows_of_quantization_and_forms_are_public() -> None:
    assert set(export.OUTPUT_FORMS) == {"labels", "probabilities", "logits", "delegate"}
    assert set(QUANTIZATIONS) == {"none", "float16", "dynamic", "int8"}


def test_pyramid_and_decoder_are_fused(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = DeepLabV3Plus("mobilenet_v2", alpha=0.35, classes=3, filters=8)
    report = to_tflite(
        model, tmp_path / "m.tflite", size=(65, 49), photos=photos, outputs="logits"
    )
    assert report.parity.mean_difference < 1e-3
    assert set(report.operations) <= {
        "ADD",
        "CAST",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "MEAN",
        "MUL",
        "RESIZE_BILINEAR",
        "SUB",
    }
    assert report.operations.get("MUL", 0) + report.operations["SUB"] <= 2


def test_int8_resizes_are_in_8_bits_but_those_of_the_answer(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "m.tflite"
    to_tflite(
        DeepLabV3Plus("mobilenet_v2", alpha=0.35, classes=3, filters=8),
        path,
        size=(65, 49),
        quantize="int8",
        calibration=photos,
        least_agreement=0,
    )
    model = read_model(path.read_bytes())
    graph = model.subgraphs[0]
    resize = schema.BuiltinOperator.RESIZE_BILINEAR
    types = [
        graph.tensors[operator.outputs[0]].type
        for operator in graph.operators
        if operator_code(model, operator) == resize
    ]
    int8, float32 = schema.TensorType.INT8, schema.TensorType.FLOAT32
    # Of the image pooling and of the decoder, then of the logits.
    assert types[:2] == [int8, int8]
    assert set(types[2:]) == {float32}
