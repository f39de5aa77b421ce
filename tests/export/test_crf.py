"""Exports with a CRF inside."""

import io
import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from keras_deeplab import weights
from keras_deeplab.export import LiteModel, tflite, to_saved_model, to_tflite
from keras_deeplab.export.fixed_size import fixed_size
from keras_deeplab.inference import evaluate, segment, write_crf, write_labels
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRF_PRESETS
from keras_deeplab.models import DeepLabV3
from tests.export.conftest import make_model

# One step is as good a test as ten, and converted sooner.
SHORT = {"accuracy": "mobile", "iterations": 1}

unmeasured = pytest.mark.usefixtures("no_measurements")


@pytest.fixture
def no_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts no processes for latency and memory, which one test looks at."""
    monkeypatch.setattr(tflite, "measure_latency", lambda *args, **kwargs: ())
    monkeypatch.setattr(tflite, "measure_peak", lambda path: None)


def refined(model: DeepLabV3, image: np.ndarray, layer: DenseCRF) -> np.ndarray:
    """The layer's probabilities, of what the model says of pixels of its own size."""
    logits = model(model.preprocess(image), training=False)
    return keras.ops.convert_to_numpy(layer(logits, image))


def read(photos: pathlib.Path) -> np.ndarray:
    """The photo that has the model's own size."""
    return np.array(Image.open(photos / "0.png"))[None]


def tensor_types(path: pathlib.Path) -> list[tuple[str, int, int]]:
    """The operation, the type and the rank of each tensor that an operation reads."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    graph = model.subgraphs[0]
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        read = [graph.tensors[index] for index in operator.inputs if index >= 0]
        found += [(name, each.type, len(each.shape)) for each in read]
    return found


# The others end in the same operations: see the tests below.
@unmeasured
@pytest.mark.parametrize("outputs", ["labels", "delegate"])
def test_float_file_of_each_form_answers_as_the_layer_does(
    outputs: str, model: DeepLabV3, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path, layer = tmp_path / "m.tflite", DenseCRF("v1", **SHORT)
    report = to_tflite(model, path, outputs=outputs, photos=photos, crf=layer)
    image = read(photos)
    expected = refined(model, image, layer)
    lite = LiteModel(path)
    answer = lite.run(lite.preprocess(image))
    if outputs == "labels":
        assert (answer == expected.argmax(-1)).mean() >= 0.999
    else:
        found = keras.ops.softmax(answer)
        np.testing.assert_allclose(found, expected, atol=1e-3)
    assert report.parity.agreement >= 0.999
    plain = keras.ops.convert_to_numpy(model(model.preprocess(image)))
    assert 0.005 < (plain.argmax(-1) != expected.argmax(-1)).mean() < 0.9
    assert 0.005 < report.parity.crf_changed < 0.9
    assert max(rank for _, _, rank in tensor_types(path)) <= 4
    names = set(report.operations)
    assert not {name for name in names if name.startswith(("CUSTOM", "FLEX"))}
    assert ("ARG_MAX" in names) == (outputs == "labels")


@unmeasured
@pytest.mark.parametrize("quantize", ["float16", "dynamic", "int8"])
def test_crf_behind_smaller_numbers_stays_float(
    quantize: str, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(crop_size=(65, 49))
    path = tmp_path / "m.tflite"
    report = to_tflite(
        model,
        path,
        quantize=quantize,
        calibration=photos,
        crf=DenseCRF("v1", **SHORT),
        # Random weights leave little between the classes.
        least_agreement=0.5,
    )
    assert LiteModel(path).preprocess(read(photos)).dtype == np.uint8
    types = schema.TensorType
    of_crf = [
        kind for name, kind, _ in tensor_types(path) if name in {"BATCH_MATMUL", "EXP"}
    ]
    assert of_crf
    assert set(of_crf) == {types.FLOAT32}
    stored = [kind for name, kind, _ in tensor_types(path)]
    assert (types.FLOAT16 if quantize == "float16" else types.INT8) in stored
    assert report.crf.plain_bytes < min(report.size_bytes, 4 * model.count_params())


def test_report_tells_what_the_crf_costs_and_brings(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(input_shape=(33, 33, 3))
    masks = tmp_path / "masks"
    masks.mkdir()
    layer = DenseCRF("v2", **SHORT)
    for photo in photos.iterdir():
        write_labels(masks / photo.name, segment(model, photo, crf=layer))
    path = tmp_path / "m.tflite"
    report = to_tflite(model, path, photos=photos, masks=masks, crf=layer)
    assert report.keras_mean_iou == 1
    plain = evaluate(model, photos, masks).mean_iou
    assert report.crf.plain_mean_iou == pytest.approx(plain)
    assert plain < 0.99
    told = json.loads((tmp_path / "m.tflite.report.json").read_text())
    assert told["crf"]["parameters"]["theta_alpha"] == 67
    assert told["crf"]["parameters"]["iterations"] == 1
    assert told["crf"]["accuracy"] == "mobile"
    assert told["crf"]["plain_bytes"] < told["size_bytes"] == path.stat().st_size
    assert told["crf"]["plain_peak_bytes"] < told["peak_bytes"]
    assert told["parity"]["crf_changed"] > 0.005
    rows = [(row["file"], row["threads"]) for row in told["latency"]]
    other = "m.tflite, without the CRF"
    # Ratios are to the first.
    assert rows == [(other, 1), ("m.tflite", 1), (other, 2), ("m.tflite", 2)]


@unmeasured
def test_learned_crf_is_exported_as_it_is(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(crop_size=(65, 49))
    layer = DenseCRF("v1", trainable_parameters=True, **SHORT)
    image = read(photos)
    refined(model, image, layer)
    random = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(weight + 0.3 * random.normal(size=weight.shape))
    path = tmp_path / "m.tflite"
    report = to_tflite(model, path, outputs="probabilities", photos=photos, crf=layer)
    assert report.crf.parameters.w_bilateral != 4
    lite = LiteModel(path)
    answer = lite.run(lite.preprocess(image))
    # Constant kernels are cut at a rank, and learned ones are not.
    near = np.abs(answer - refined(model, image, layer)).mean()
    assert near < 0.005
    far = np.abs(answer - refined(model, image, DenseCRF("v1", **SHORT))).mean()
    assert far > 5 * near


@unmeasured
def test_crf_of_a_model_that_ends_in_sigmoids_takes_their_shares(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(classifier_activation="sigmoid", input_shape=(65, 49, 3))
    layer = DenseCRF("v1", **SHORT)
    path = tmp_path / "m.tflite"
    to_tflite(model, path, photos=photos, crf=layer)
    found = segment(LiteModel(path), photos / "0.png")
    expected = segment(model, photos / "0.png", crf=layer)
    assert (found == expected).mean() >= 0.999


@unmeasured
def test_file_of_labels_takes_no_crf_of_its_own(
    model: DeepLabV3, photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    layer = DenseCRF("v1", **SHORT)
    answers = {}
    for outputs in ("labels", "probabilities"):
        path = tmp_path / f"{outputs}.tflite"
        to_tflite(model, path, outputs=outputs, photos=photos)
        answers[outputs] = LiteModel(path)
    with pytest.raises(
        ValueError, match="this model answers with labels: leave it out"
    ):
        segment(answers["labels"], photos / "0.png", crf=layer)
    expected = refined(model, read(photos), layer)[0].argmax(-1)
    found = segment(answers["probabilities"], photos / "0.png", crf=layer)
    assert (found == expected).mean() >= 0.999


def test_saved_model_refines_pixels_and_image_files(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    model = make_model(crop_size=(65, 49))
    layer = DenseCRF("v1", **SHORT)
    report = to_saved_model(model, tmp_path, photos=photos, crf=layer)
    # Any size until now, and that of the crop with a CRF.
    assert report.input_size == (65, 49)
    assert report.crf.plain_bytes < report.size_bytes
    assert report.parity.crf_changed > 0.005
    assert [row.file for row in report.latency] == ["1, without the CRF", "1"]
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    image = np.concatenate([read(photos), 255 - read(photos)])
    expected = refined(model, image, layer)
    answer = signatures["probabilities"](image=tf.constant(image))["probabilities"]
    np.testing.assert_allclose(answer, expected, atol=1e-3)
    labels = signatures["serving_default"](image=tf.constant(image))["labels"]
    assert (labels.numpy() == expected.argmax(-1)).mean() >= 0.999
    contents = [(photos / f"{index}.png").read_bytes() for index in (0, 2)]
    files = signatures["serve_bytes"](image_bytes=tf.constant(contents))
    first, last = (
        np.array(Image.open(io.BytesIO(file))) for file in files["labels_bytes"].numpy()
    )
    assert (first == expected[0].argmax(-1)).mean() >= 0.999
    assert last.shape == (65, 31)


def test_size_must_be_known_for_a_crf(tmp_path: pathlib.Path) -> None:
    model = make_model()
    with pytest.raises(ValueError, match="`size` is needed: the model takes images of"):
        to_saved_model(model, tmp_path / "m", crf="v1")
    for export in (to_saved_model, to_tflite):
        with pytest.raises(ValueError, match="`crf` must be one of 'v1', 'v2'"):
            export(model, tmp_path / "m.tflite", size=33, crf="v3")
    assert not list(tmp_path.iterdir())


@unmeasured
# Small, to be quick: smaller than the training crop, which warns.
@pytest.mark.filterwarnings("ignore::keras_deeplab.inference.ImagePoolingWarning")
def test_official_model_with_a_crf_of_a_file_agrees_on_real_photos(
    data_dir: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = data_dir / "models/deeplab/deeplabv3_mnv2_pascal_trainval_folded.npz"
    model = weights.load_model(source).with_output_stride(16)
    write_crf(tmp_path / "own.json", CRF_PRESETS["v1"])
    path = tmp_path / "m.tflite"
    report = to_tflite(model, path, size=129, crf=tmp_path / "own.json")
    assert report.crf.accuracy == "mobile"
    assert report.parity.agreement >= 0.999
    assert report.parity.crf_changed > 0.01
    photo = data_dir / "photos/grace_hopper.png"
    pixels = Image.open(photo).convert("RGB").resize((129, 129))
    layer = DenseCRF("v1", accuracy="mobile")
    expected = segment(fixed_size(model, 129), pixels, crf=layer)
    assert len(np.unique(expected)) > 1
    assert (segment(LiteModel(path), pixels) == expected).mean() >= 0.999
