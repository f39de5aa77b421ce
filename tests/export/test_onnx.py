"""ONNX files: what is in them, and that ONNX Runtime answers as Keras does."""

import importlib.util
import json
import pathlib

import keras
import numpy as np
import pytest

from keras_deeplab.export import ExportError, to_onnx
from keras_deeplab.inference import segment, write_labels
from keras_deeplab.layers import DenseCRF
from keras_deeplab.models import DeepLabV3
from tests.conftest import lack
from tests.export.conftest import make_model

Exported = tuple[DeepLabV3, pathlib.Path]


@pytest.fixture(autouse=True)
def packages() -> None:
    """What an export to ONNX needs."""
    for name in ("onnx", "onnxruntime", "tf2onnx"):
        if importlib.util.find_spec(name) is None:
            lack("ONNX", f"No {name}: pip install 'keras-deeplab[onnx]'")


def run(path: pathlib.Path, image: np.ndarray) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), "uint8")


def keras_logits(model: keras.Model, image: np.ndarray) -> np.ndarray:
    return np.asarray(model(model.preprocess(image), training=False))


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path
) -> Exported:
    packages.__wrapped__()
    # Two branches of the pyramid and the last blocks of the network have rates.
    model = make_model(image_pooling=True, atrous_rates=(2, 3), crop_size=(65, 49))
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    report = to_onnx(model, path, outputs="logits", photos=photos)
    assert report.parity.agreement > 0.999
    assert report.parity.max_difference < 1e-3
    assert (report.format, report.input_size) == ("onnx", (None, None))
    assert report.size_bytes == path.stat().st_size
    assert report.latency[0].runs > 0
    return model, path


@pytest.mark.parametrize("shape", [(1, 65, 49), (3, 41, 58)])
def test_batch_of_any_size_gets_the_logits_of_keras(
    shape: tuple[int, int, int], exported: Exported
) -> None:
    model, path = exported
    image = pixels(*shape)
    ((name, answer),) = run(path, image).items()
    assert (name, answer.dtype) == ("logits", np.float32)
    np.testing.assert_allclose(answer, keras_logits(model, image), atol=1e-3)


def test_convolution_at_a_rate_is_one_operation_with_its_batch_norm(
    exported: Exported,
) -> None:
    import onnx

    model, path = exported
    graph = onnx.load(path).graph
    convs = [node for node in graph.node if node.op_type == "Conv"]
    rates = [
        {each.name: list(each.ints) for each in node.attribute}["dilations"]
        for node in convs
    ]
    layers = model._flatten_layers()
    expected = [rate for layer in layers if (rate := rates_of(layer)) is not None]
    assert len(convs) == len(expected)
    assert sorted(rates) == sorted(expected)
    assert sum(max(rate) > 1 for rate in rates) >= 5
    told = json.loads(path.with_name("m.onnx.report.json").read_text())["operations"]
    assert told["Conv"] == len(convs)
    assert not {"BatchNormalization", "SpaceToDepth", "DepthToSpace"} & set(told)
    answers = {name for node in convs for name in node.output}
    constants = {tensor.name for tensor in graph.initializer}
    assert not [
        node.name
        for node in graph.node
        if node.op_type in ("Add", "Div", "Mul", "Sub")
        and answers & set(node.input)
        and constants & set(node.input)
    ]
    sides = [dim.dim_param for dim in graph.input[0].type.tensor_type.shape.dim]
    assert sides == ["batch", "height", "width", ""]


def rates_of(layer: keras.layers.Layer) -> list[int] | None:
    """Of a layer that is a convolution."""
    if not hasattr(layer, "kernel"):
        return None
    return list(np.broadcast_to(getattr(layer, "rate", 1), 2))


def test_labels_of_one_size_are_those_of_keras(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    import onnx

    model = make_model(crop_size=33, class_names=("sky", "road", "car", "a", "b"))
    masks = tmp_path / "masks"
    masks.mkdir()
    for photo in photos.iterdir():
        write_labels(masks / photo.name, segment(model, photo))
    path = tmp_path / "m.onnx"
    report = to_onnx(model, path, size=(33, 49), photos=photos, masks=masks)
    assert report.mean_iou == pytest.approx(report.keras_mean_iou, abs=0.01)
    image = pixels(2, 33, 49)
    (labels,) = run(path, image).values()
    assert labels.dtype == np.uint8
    expected = keras_logits(model, image).argmax(-1)
    assert len(np.unique(expected)) > 1
    assert (labels == expected).mean() > 0.999
    facts = {each.key: each.value for each in onnx.load(path).metadata_props}
    assert facts["class_names"].split("\n") == list(model.class_names)


def test_caffe_preprocessing_and_a_crf_before_probabilities_are_in_the_graph(
    photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    crf = DenseCRF("v1", accuracy="mobile", iterations=1)
    model = make_model(preprocessing="caffe", crop_size=33)
    kernel = model.get_layer("conv").steps[0].kernel
    kernel.assign(kernel / 100)
    path = tmp_path / "m.onnx"
    options = {"outputs": "probabilities", "photos": photos, "crf": crf}
    report = to_onnx(model, path, **options)
    assert report.input_size == (33, 33)
    image = pixels(1, 33, 33)
    truth = crf(keras_logits(model, image), image.astype("float32"))
    answer = run(path, image)["probabilities"]
    np.testing.assert_allclose(answer, truth, atol=1e-3)
    assert np.abs(answer - keras.ops.softmax(keras_logits(model, image))).max() > 0.01


def test_onnx_file_that_disagrees_leaves_what_was_there(
    photos: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_deeplab.export import onnx_job

    path = tmp_path / "m.onnx"
    path.write_bytes(b"before")
    monkeypatch.setattr(onnx_job.OnnxJob, "write", lambda self, path: wrong(path))
    with pytest.raises(ExportError, match=r"gives 0\.00% of the pixels of 3 photos"):
        to_onnx(make_model(crop_size=33), path, photos=photos)
    monkeypatch.setattr(
        onnx_job.OnnxJob, "write", lambda self, path: path.write_bytes(b"no graph")
    )
    with pytest.raises(ExportError, match="ONNX Runtime refuses the graph"):
        to_onnx(make_model(crop_size=33), path, photos=photos)
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["m.onnx"]


def wrong(path: pathlib.Path) -> None:
    """A graph that sees class 99 everywhere."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("ReduceMax", ["image"], ["most"], axes=[3], keepdims=0),
        helper.make_node("Mul", ["most", "zero"], ["none"]),
        helper.make_node("Add", ["none", "class"], ["labels"]),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.UINT8, [], [value])
        for name, value in (("zero", 0), ("class", 99))
    ]
    size = ["batch", "height", "width"]
    graph = helper.make_graph(
        nodes,
        "wrong",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [*size, 3])],
        [helper.make_tensor_value_info("labels", TensorProto.UINT8, size)],
        constants,
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "m.tflite"}, "`path` must end in .onnx"),
        ({"outputs": "delegate"}, "`outputs` must be one of 'labels'"),
        ({"size": 0}, "`size` must be a positive integer"),
        ({"least_agreement": 2}, r"`least_agreement` must lie in \[0, 1\]"),
    ],
)
def test_wrong_argument_of_an_onnx_export_is_named(
    changes: dict[str, object], message: str, model: DeepLabV3, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ValueError, match=message):
        to_onnx(model, **{"path": tmp_path / "m.onnx", **changes})
    assert not list(tmp_path.iterdir())


def test_missing_package_is_named_with_its_command(
    model: DeepLabV3, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "tf2onnx" else find(name, *rest),
    )
    with pytest.raises(ImportError, match=r"needs tf2onnx: pip install .*\[onnx\]'"):
        to_onnx(model, tmp_path / "m.onnx")
