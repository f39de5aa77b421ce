"""Official TensorFlow 1 files: whole, changed, damaged and hostile ones."""

import pathlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import graph_pb2

import keras_deeplab
from keras_deeplab.backbones import build_backbone
from keras_deeplab.weights import load_model
from keras_deeplab.weights.checkpoint_index import read_index
from keras_deeplab.weights.convert import build_official, load_official
from keras_deeplab.weights.frozen_graph import read_frozen_graph
from keras_deeplab.weights.official_model import official_arguments
from keras_deeplab.weights.official_names import official_names
from keras_deeplab.weights.tf1_checkpoint import read_tf1_checkpoint
from tests.weights import tf1_graphs as tf1
from tests.weights.index_blocks import blocks, with_block
from tests.weights.test_tf1_parity import mobilenet_case

CASE = mobilenet_case(0.35, 16)
REFUSED = "`source` does not hold the variables of an official DeepLab model: "
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tf1.Written:
    return CASE.written(tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module")
def arrays(written: tf1.Written) -> Arrays:
    reader = tf.train.load_checkpoint(str(written.checkpoint))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in names}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return CASE.model(crop_size=CASE.crop, **CASE.arguments)


@pytest.fixture(scope="module")
def graph(written: tf1.Written) -> graph_pb2.GraphDef:
    return graph_pb2.GraphDef.FromString(written.frozen.read_bytes())


def freeze(folder: pathlib.Path, graph: graph_pb2.GraphDef) -> pathlib.Path:
    path = folder / "frozen.pb"
    path.write_bytes(graph.SerializeToString())
    return path


def changed(graph: graph_pb2.GraphDef) -> tuple[graph_pb2.GraphDef, Any]:
    """A copy of a graph, and its constants by name."""
    copy = graph_pb2.GraphDef.FromString(graph.SerializeToString())
    return copy, {node.name: node for node in copy.node if node.op == "Const"}


# Whole files.


def test_shapes_of_a_checkpoint_when_read_are_those_of_tensorflow(
    written: tf1.Written, arrays: Arrays
) -> None:
    variables = read_tf1_checkpoint(written.checkpoint)
    assert variables.shapes == {name: array.shape for name, array in arrays.items()}
    name = "MobilenetV2/Conv/weights"
    np.testing.assert_array_equal(variables.read(name), arrays[name])


def test_load_model_from_a_checkpoint_recognises_it(written: tf1.Written) -> None:
    for path in (
        written.checkpoint,
        written.checkpoint.with_name("model.ckpt.index"),
        written.checkpoint.with_name("model.ckpt.data-00000-of-00001"),
    ):
        loaded = load_model(path)
        assert isinstance(loaded, keras_deeplab.DeepLabV3)
        config = loaded.get_config()
        assert config["backbone"] == "mobilenet_v2"
        assert config["alpha"] == 0.35
        assert config["atrous_rates"] == ()
        assert config["output_stride"] == 16
        assert config["crop_size"] == (513, 513)
        assert loaded.class_names[1] == "aeroplane"


def test_load_model_from_a_frozen_graph_answers_as_the_graph(
    written: tf1.Written,
) -> None:
    loaded = load_model(written.frozen)
    scale = np.abs(written.answer).max()
    answer = np.asarray(loaded(written.image))
    np.testing.assert_allclose(answer, written.answer, atol=1e-4 * scale)


def test_build_official_with_arguments_overrides_what_was_found(
    written: tf1.Written,
) -> None:
    loaded = build_official(written.frozen, output_stride=8, crop_size=257)
    assert loaded.output_stride == 8
    assert loaded.crop_size == (257, 257)


def test_load_official_when_done_counts_every_variable(
    written: tf1.Written, arrays: Arrays, model: keras.Model
) -> None:
    summary = load_official(written.checkpoint, model)
    assert set(summary.used) | set(summary.skipped) == set(arrays)
    assert "global_step" in summary.skipped
    assert "aspp0/weights/Momentum" in summary.skipped
    assert str(summary).endswith("272 variables used, 165 skipped, 0 weights kept")


def test_load_official_when_all_but_logits_keeps_another_head(
    written: tf1.Written,
) -> None:
    other = CASE.model(**CASE.arguments, classes=5)
    before = np.array(other.get_layer("logits").kernel)
    summary = load_official(written.checkpoint, other, part="all_but_logits")
    assert summary.kept == ("logits/semantic/weights", "logits/semantic/biases")
    assert "logits/semantic/weights" in summary.skipped
    np.testing.assert_array_equal(other.get_layer("logits").kernel, before)


def test_load_official_when_backbone_takes_a_classifier(
    tmp_path: pathlib.Path, arrays: Arrays
) -> None:
    classifier = {k: v for k, v in arrays.items() if k.startswith("MobilenetV2/")}
    classifier["MobilenetV2/Conv_1/weights"] = np.ones((1, 1, 112, 8), "float32")
    classifier["MobilenetV2/Logits/Conv2d_1c_1x1/biases"] = np.ones(8, "float32")
    path = tf1.save(tmp_path, classifier)
    backbone = build_backbone("mobilenet_v2", alpha=0.35)
    summary = load_official(path, backbone)
    assert len(summary.used) == len(backbone.weights)
    assert "MobilenetV2/Conv_1/weights" in summary.skipped
    whole = CASE.model(**CASE.arguments)
    assert load_official(path, whole, part="backbone").used == summary.used
    with pytest.raises(ValueError, match="no variable of a segmentation head"):
        load_model(path)


def test_load_official_with_an_unknown_part_raises(
    written: tf1.Written, model: keras.Model
) -> None:
    with pytest.raises(ValueError, match="`part` must be one of"):
        load_official(written.checkpoint, model, part="head")


# Files with one thing changed.


def lose(arrays: Arrays) -> None:
    del arrays["aspp0/weights"]


def add(arrays: Arrays) -> None:
    arrays["aspp9/weights"] = np.ones((1, 1), "float32")


def reshape(arrays: Arrays) -> None:
    arrays["concat_projection/weights"] = np.ones((1, 1, 2, 256), "float32")


def retype(arrays: Arrays) -> None:
    name = "concat_projection/weights"
    arrays[name] = arrays[name].astype("float64")


CHANGES = [
    (lose, r"variable 'aspp0/weights' is missing"),
    (add, r"variable 'aspp9/weights' has no place in the model"),
    (
        reshape,
        r"variable 'concat_projection/weights' has the shape \(1, 1, 2, 256\), and the "
        r"model's weight 'aspp/projection/conv/kernel' has \(1, 1, 512, 256\)",
    ),
    (
        retype,
        r"variable 'concat_projection/weights' cannot be read .*type 2 for 131072 "
        r"numbers of float32, which is type 1\)",
    ),
]


@pytest.mark.parametrize(("change", "problem"), CHANGES)
def test_load_official_from_a_changed_checkpoint_names_the_variable(
    tmp_path: pathlib.Path,
    arrays: Arrays,
    model: keras.Model,
    change: Callable[[Arrays], None],
    problem: str,
) -> None:
    copy = dict(arrays)
    change(copy)
    path = tf1.save(tmp_path, copy)
    message = rf"{REFUSED}{problem}\. Received: source='{path}'"
    with pytest.raises(ValueError, match=message):
        load_official(path, model)


def test_load_official_when_refused_leaves_the_model_as_it_was(
    tmp_path: pathlib.Path, arrays: Arrays
) -> None:
    copy = dict(arrays)
    add(copy)
    fresh = CASE.model(**CASE.arguments)
    before = fresh.get_weights()
    with pytest.raises(ValueError, match="has no place"):
        load_official(tf1.save(tmp_path, copy), fresh)
    for old, new in zip(before, fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


UNKNOWN = [
    ("resnet_v1_101/conv1/weights", "it has a plain ResNet, not the beta layout"),
    ("inception/weights", "it has no variable of a backbone, such as xception_41"),
]


@pytest.mark.parametrize(("name", "problem"), UNKNOWN)
def test_load_model_from_another_network_says_which(
    tmp_path: pathlib.Path, name: str, problem: str
) -> None:
    path = tf1.save(tmp_path, {name: np.ones((1, 1, 1, 1), "float32")})
    with pytest.raises(ValueError, match=REFUSED + problem):
        load_model(path)


_CELL = "meta_architecture"
CELLS = [
    # Another cell: fewer branches, one more, one of a 1 x 1 convolution.
    ("branch3_pointwise/weights", None, "'{}/branch3_pointwise/weights' is missing"),
    (None, "branch5_pointwise/weights", "'{}/branch5_pointwise/weights' has no place"),
    (
        "branch4_depthwise/depthwise_weights",
        "branch4/weights",
        "'{}/branch4_depthwise/depthwise_weights' is missing",
    ),
    (
        "concat_projection/weights",
        None,
        "'{}/concat_projection/weights' of four dimensions is missing",
    ),
]


@pytest.fixture(scope="module")
def cell_model() -> keras.Model:
    return keras_deeplab.DeepLabV3Plus(
        "xception41", middle_units=1, pyramid="dpc", filters=8
    )


def cell_arrays(model: keras.Model) -> Arrays:
    names = official_names(model)
    return {names[w.path]: np.full(w.shape, 0.5, "float32") for w in model.weights}


def test_load_model_with_a_cell_reads_its_width(
    tmp_path: pathlib.Path, cell_model: keras.Model
) -> None:
    found = load_model(tf1.save(tmp_path, cell_arrays(cell_model)))
    cell = found.get_layer("dpc")
    assert (cell.filters, found.output_stride, found.crop_size) == (8, 16, (513, 513))
    assert found.count_params() == cell_model.count_params()


@pytest.mark.parametrize(("lost", "added", "problem"), CELLS)
def test_load_model_with_another_cell_names_the_variable(
    tmp_path: pathlib.Path,
    cell_model: keras.Model,
    lost: str | None,
    added: str | None,
    problem: str,
) -> None:
    arrays = cell_arrays(cell_model)
    if lost is not None:
        del arrays[f"{_CELL}/{lost}"]
    if added is not None:
        arrays[f"{_CELL}/{added}"] = np.ones((1, 1, 8, 8), "float32")
    with pytest.raises(ValueError, match=REFUSED + "variable " + problem.format(_CELL)):
        load_model(tf1.save(tmp_path, arrays))


def test_load_model_with_a_cell_and_no_decoder_says_so(
    tmp_path: pathlib.Path, cell_model: keras.Model
) -> None:
    arrays = {
        name: array
        for name, array in cell_arrays(cell_model).items()
        if not name.startswith("decoder/")
    }
    with pytest.raises(ValueError, match="a dense prediction cell, but no decoder"):
        load_model(tf1.save(tmp_path, arrays))


def test_load_model_from_too_large_a_network_raises_before_building(
    tmp_path: pathlib.Path, arrays: Arrays
) -> None:
    copy = dict(arrays)
    copy["aspp0/weights"] = np.ones((1, 1, 1, 5000), "float32")
    with pytest.raises(ValueError, match="'aspp0/weights' has 5000 channels"):
        load_model(tf1.save(tmp_path, copy))


# Damaged and hostile checkpoints.


def test_load_model_without_a_checkpoint_says_so(tmp_path: pathlib.Path) -> None:
    for name in ("model.ckpt", "frozen.pb"):
        with pytest.raises(ValueError, match="`source` is not a file"):
            load_model(tmp_path / name)
        with pytest.raises(ValueError, match="there is no"):
            build_official(tmp_path / name)


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("share", [0, 0.3, 0.999])
def test_load_model_from_a_truncated_checkpoint_raises(
    tmp_path: pathlib.Path, written: tf1.Written, part: str, share: float
) -> None:
    copy_checkpoint(written, tmp_path)
    path = tmp_path / f"model.ckpt.{part}"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=REFUSED):
        load_model(tmp_path / "model.ckpt")


def test_load_model_from_a_checkpoint_with_wrong_data_raises(
    tmp_path: pathlib.Path, written: tf1.Written
) -> None:
    copy_checkpoint(written, tmp_path)
    path = tmp_path / "model.ckpt.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    for position in range(0, len(data), 64):
        data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"cannot be read .*hecksum"):
        load_model(tmp_path / "model.ckpt")


def test_index_of_a_checkpoint_when_damaged_raises(written: tf1.Written) -> None:
    index = written.checkpoint.with_name("model.ckpt.index").read_bytes()
    whole = read_index(index).shapes
    refused = 0
    for damaged in damage(index, 1000):
        try:
            shapes = read_index(damaged).shapes
        except ValueError:
            refused += 1
        else:
            assert len(shapes) <= len(whole)
    assert refused > 200


def test_load_official_from_a_checkpoint_with_a_damaged_index_raises(
    tmp_path: pathlib.Path, written: tf1.Written, model: keras.Model
) -> None:
    copy_checkpoint(written, tmp_path)
    path = tmp_path / "model.ckpt.index"
    index = path.read_bytes()
    refused = 0
    for damaged in damage(index, 40):
        path.write_bytes(damaged)
        try:
            load_official(tmp_path / "model.ckpt", model)
        except ValueError:
            refused += 1
    # The rest is slots, which nothing reads.
    assert refused > 20


# Parts of an entry: type, shape (of which the first side), offset, bytes.
HOSTILE_ENTRIES = {
    "a field of number 0": (b"step\x08\x09\x12\x00", b"step\x08\x09\x00\x00"),
    "an unknown type": (b"b\x08\x01\x12\x08", b"b\x08\x7f\x12\x08"),
    "another type": (b"b\x08\x01\x12\x08", b"b\x08\x02\x12\x08"),
    "no rank": (b"\x12\x08\x12\x02\x08\x03", b"\x12\x08\x18\x01\x18\x01"),
    "a side with a name": (b"\x12\x02\x08\x03", b"\x12\x02\x12\x00"),
    "a name that is no text": (b"\x12\x02\x08\x0b", b"\x12\x01\xff\x0b"),
    "too many numbers": (b"\x12\x02\x08\x0b", b"\x12\x02\x08\x7f"),
    "a shape that ends within": (b"\x12\x08\x12\x02", b"\x12\x07\x12\x02"),
}


@pytest.mark.parametrize("change", HOSTILE_ENTRIES)
def test_entry_of_an_index_when_hostile_does_not_reach_tensorflow(
    tmp_path: pathlib.Path, change: str
) -> None:
    prefix = tf1.save(tmp_path, {"a/b": np.ones((3, 11), "f4"), "step": np.int64(3)})
    path = tmp_path / "model.ckpt.index"
    index = path.read_bytes()
    offset, size = blocks(index)[-1]
    old, new = HOSTILE_ENTRIES[change]
    block = index[offset : offset + size]
    assert old in block
    path.write_bytes(with_block(index, offset, block.replace(old, new, 1)))
    # TensorFlow would end the process.
    with pytest.raises(ValueError, match=REFUSED):
        read_tf1_checkpoint(prefix).read("a/b")


@pytest.mark.parametrize("kind", ["checkpoint", "graph"])
def test_numbers_that_are_not_finite_are_refused_and_the_model_kept(
    tmp_path: pathlib.Path, arrays: Arrays, graph: graph_pb2.GraphDef, kind: str
) -> None:
    name = "logits/semantic/biases"
    if kind == "checkpoint":
        path = tf1.save(tmp_path, {**arrays, name: np.full(21, np.nan, "f4")})
    else:
        copy, constants = changed(graph)
        content = np.full(21, np.inf, "<f4").tobytes()
        constants[name].attr["value"].tensor.tensor_content = content
        path = freeze(tmp_path, copy)
    fresh = CASE.model(**CASE.arguments)
    before = fresh.get_weights()
    with pytest.raises(ValueError, match=f"{name!r} has numbers that are not finite"):
        load_official(path, fresh)
    for old, new in zip(before, fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def copy_checkpoint(written: tf1.Written, folder: pathlib.Path) -> None:
    for path in written.checkpoint.parent.glob("model.ckpt.*"):
        shutil.copy(path, folder)


def damage(data: bytes, times: int) -> Iterator[bytes]:
    """Copies with a few bytes changed, always the same ones."""
    random = np.random.default_rng(0)
    for _ in range(times):
        copy = bytearray(data)
        for _ in range(random.integers(1, 6)):
            copy[random.integers(len(copy))] = random.integers(256)
        if random.random() < 0.2:
            del copy[random.integers(len(copy)) :]
        yield bytes(copy)


# Damaged and hostile graphs.


@pytest.mark.parametrize("share", [0.3, 0.999])
def test_load_model_from_a_truncated_graph_raises(
    tmp_path: pathlib.Path, written: tf1.Written, share: float
) -> None:
    data = written.frozen.read_bytes()
    path = tmp_path / "frozen.pb"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=REFUSED):
        load_model(path)


@pytest.mark.parametrize("data", [b"", b"\xff" * 99, b"not a graph at all"])
def test_load_model_from_no_graph_raises(tmp_path: pathlib.Path, data: bytes) -> None:
    path = tmp_path / "frozen.pb"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=REFUSED):
        load_model(path)


def test_graph_without_its_numbers_when_damaged_raises(
    tmp_path: pathlib.Path, graph: graph_pb2.GraphDef
) -> None:
    small, constants = changed(graph)
    for node in constants.values():
        node.attr["value"].tensor.tensor_content = b""
    path = tmp_path / "frozen.pb"
    refused = 0
    for damaged in damage(small.SerializeToString(), 200):
        path.write_bytes(damaged)
        try:
            variables = read_frozen_graph(path)
            official_arguments(variables)
            for name in variables.shapes:
                variables.read(name)
        except ValueError:
            refused += 1
    assert refused == 200


def test_load_model_from_a_graph_with_a_repeated_number_fills_up(
    tmp_path: pathlib.Path, graph: graph_pb2.GraphDef
) -> None:
    copy, constants = changed(graph)
    tensor = constants["aspp0/BatchNorm/gamma"].attr["value"].tensor
    tensor.tensor_content = b""
    tensor.float_val.append(2.5)
    gamma = load_model(freeze(tmp_path, copy)).get_layer("aspp").weights[6]
    assert gamma.path == "aspp/rate_0/conv_batch_norm/gamma"
    np.testing.assert_array_equal(gamma, np.full(256, 2.5))


def shape_of(constants: Any, name: str) -> Any:
    return constants[name].attr["value"].tensor.tensor_shape


def negative(graph: Any, constants: Any) -> None:
    shape_of(constants, "aspp0/weights").dim[0].size = -1


def unknown_rank(graph: Any, constants: Any) -> None:
    shape_of(constants, "aspp0/weights").unknown_rank = True


def huge(graph: Any, constants: Any) -> None:
    shape_of(constants, "aspp0/BatchNorm/beta").dim[0].size = 2**60


def many(graph: Any, constants: Any) -> None:
    shape_of(constants, "aspp0/BatchNorm/beta").dim.extend(
        [shape_of(constants, "aspp0/BatchNorm/beta").dim[0]] * 99
    )


def short(graph: Any, constants: Any) -> None:
    tensor = constants["aspp0/weights"].attr["value"].tensor
    tensor.tensor_content = tensor.tensor_content[:-5]


def double(graph: Any, constants: Any) -> None:
    constants["aspp0/weights"].attr["value"].tensor.dtype = 2


def window(graph: Any, constants: Any) -> None:
    (node,) = (node for node in graph.node if node.name == "AvgPool2D/AvgPool")
    node.attr["ksize"].list.i[1] = 2**40


def strides(graph: Any, constants: Any) -> None:
    for node in graph.node:
        if node.op == "Conv2D":
            node.attr["strides"].list.i[1] = 3


HOSTILE = [
    (negative, "constant 'aspp0/weights' has no usable shape"),
    (unknown_rank, "constant 'aspp0/weights' has no usable shape"),
    (many, "constant 'aspp0/BatchNorm/beta' has no usable shape"),
    (huge, r"variable 'aspp0/BatchNorm/beta' has the shape \(1152921504606846976,\)"),
    (short, "constant 'aspp0/weights' has 28670 numbers, not 28672"),
    (double, "constant 'aspp0/weights' is not of float32"),
    (window, "'AvgPool2D/AvgPool' has no usable ksize"),
    (strides, "its strides multiply to 54 or more"),
]


@pytest.mark.parametrize(("change", "problem"), HOSTILE)
def test_load_model_from_a_hostile_graph_raises(
    tmp_path: pathlib.Path,
    graph: graph_pb2.GraphDef,
    change: Callable[[Any, Any], None],
    problem: str,
) -> None:
    copy, constants = changed(graph)
    change(copy, constants)
    path = freeze(tmp_path, copy)
    message = rf"{REFUSED}{problem}.*Received: source='{path}'"
    with pytest.raises(ValueError, match=message):
        load_model(path)
