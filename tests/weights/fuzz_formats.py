"""Small whole files of every format that is read, how to change and to read them."""

import dataclasses
import io
import json
import pathlib
import random
import struct
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from keras_deeplab.models import Segmenter
from keras_deeplab.models.segmenter import classifier
from keras_deeplab.weights import load_model
from keras_deeplab.weights.archive import extract
from keras_deeplab.weights.folded_graph import FoldedGraph
from keras_deeplab.weights.frozen_graph import read_frozen_graph
from keras_deeplab.weights.keras_file import load_keras, load_weights_h5
from keras_deeplab.weights.manifest import read_manifest
from keras_deeplab.weights.npz import read_npz
from keras_deeplab.weights.official_model import official_arguments
from keras_deeplab.weights.official_variables import OfficialVariables
from keras_deeplab.weights.tf1_checkpoint import read_tf1_checkpoint
from keras_deeplab.weights.tflite import read_tflite
from tests.weights import fuzz_changes as changes
from tests.weights.index_blocks import blocks, with_block
from tests.weights.npz_files import npz_bytes
from tests.weights.tf1_graphs import save
from tests.weights.tflite_files import tiny_tflite
from tests.weights.zip_members import archived, members

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Format:
    """A format of files.

    Args:
        file: Name of the file that is changed.
        write: Writes it, and what belongs to it, into a folder.
        change: From the whole file to a changed one, and how many values of its arrays
            may then be others; `None` where nothing in the format would tell.
        read: Reads it; raises what a user would see.
        cases: How many to try in the usual run.
        finite: Whether only finite numbers may be read.
    """

    file: str
    write: Callable[[pathlib.Path], None]
    change: Callable[[bytes, random.Random], tuple[bytes, int | None]]
    read: Callable[[pathlib.Path], Arrays]
    cases: int
    finite: bool = False


def checked(change: Any) -> Any:
    """For formats with check sums: no value may be another."""
    return lambda whole, chance: (change(whole, chance)[0], 0)


# Manifests.


def write_manifest(folder: pathlib.Path) -> None:
    root = pathlib.Path(__file__).parents[2]
    content = json.loads((root / "weights_manifest.json").read_bytes())
    content["weights"] = content["weights"][:2] + content["weights"][-1:]
    (folder / "manifest.json").write_text(json.dumps(content))


def change_manifest(whole: bytes, chance: random.Random) -> tuple[bytes, None]:
    if chance.random() < 0.3:
        return changes.changed(whole, chance)[0], None
    return changes.changed_json(json.loads(whole), chance), None


def manifest_values(path: pathlib.Path) -> Arrays:
    rows = read_manifest(path)
    for row in rows.values():
        row.model_arguments()
        hash((row.remote, row.asset, row.crop_size))
    scores = [score.value for row in rows.values() for score in row.published]
    return {"scores": np.array(scores, "float64")}


# TensorFlow 1.

NAMES = ("MobilenetV2/Conv/weights", "aspp0/weights", "logits/semantic/weights")


def write_checkpoint(folder: pathlib.Path) -> None:
    values = np.random.default_rng(0).normal(size=(3, 1, 1, 3, 11)).astype("float32")
    arrays = dict(zip(NAMES, values, strict=True))
    save(folder, arrays | {"global_step": np.int64(3)})


def change_index(whole: bytes, chance: random.Random) -> tuple[bytes, int]:
    """Bytes anywhere, or in a block whose check sum is then made right."""
    if chance.random() < 0.3:
        return changes.changed(whole, chance)[0], 0
    offset, size = chance.choice(blocks(whole))
    block = bytearray(whole[offset : offset + size])
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice(changes.KEEPING_LENGTH)(block, chance)
    return with_block(whole, offset, bytes(block)), 0


def write_graph(folder: pathlib.Path) -> None:
    graph = graph_pb2.GraphDef()
    random_values = np.random.default_rng(0)
    for name in NAMES:
        values = random_values.normal(size=(1, 1, 3, 11)).astype("float32")
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
        graph.node.add(name=f"{name}/read", op="Identity", input=[name])
    for op, attribute in (("Conv2D", "strides"), ("AvgPool", "ksize")):
        scope = "MobilenetV2" if op == "Conv2D" else "pool"
        node = graph.node.add(name=f"{scope}/{op}", op=op)
        for key in (attribute, "strides"):
            node.attr[key].list.i[:] = [1, 8, 8, 1]
    (folder / "frozen.pb").write_bytes(graph.SerializeToString())


def change_graph(whole: bytes, chance: random.Random) -> tuple[bytes, int | None]:
    if chance.random() < 0.5:
        return changes.changed(whole, chance)
    graph = graph_pb2.GraphDef.FromString(whole)
    node = chance.choice(graph.node)
    number = chance.choice((-1, 0, 3, 2**31, 2**60, -(2**63)))
    if node.op == "Const":
        tensor = node.attr["value"].tensor
        chance.choice(tensor.tensor_shape.dim).size = number
        tensor.dtype = chance.choice((1, 1, 2, 3, 7, 99))
    elif node.op == "Identity":
        node.name = chance.choice(("", "a" * 1000, "../read", "\0/read"))
    else:
        node.attr["strides"].list.i[chance.randrange(4)] = number
    if chance.random() < 0.2:
        node.attr.clear()
    return graph.SerializeToString(), 0


def official_values(read: Callable[[pathlib.Path], OfficialVariables]) -> Any:
    def values(path: pathlib.Path) -> Arrays:
        variables = read(path)
        official_arguments(variables)
        return {
            name: variables.value(name) for name in variables.shapes if name in NAMES
        }

    return values


# Arrays and graphs with folded batch norms.


def write_npz(folder: pathlib.Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 3, 3)).astype("float32")
    arrays = {
        "MobilenetV2_Conv_Conv2D": values,
        "MobilenetV2_Conv_Conv2D_bn_offset": values[:, 0, 0, 0].copy(),
    }
    (folder / "model.npz").write_bytes(npz_bytes(arrays, packed=True))


def change_npz(whole: bytes, chance: random.Random) -> tuple[bytes, int | None]:
    if chance.random() < 0.4:
        return changes.changed(whole, chance)[0], 0
    parts = members(whole)
    name = chance.choice(sorted(parts))
    if chance.random() < 0.5:
        return changes.changed_member(whole, name, chance)
    values = parts[name][128:]
    kind = chance.choice(
        ("<f4", "|O", ">f4", "<f8", "|V4", "<U1", "x", "[('a','<f4')]")
    )
    shape = chance.choice(
        ("(2,)", "(-1,)", "(2**40,)", "(0,)", "()", "(True,)", "(1e9,)")
    )
    order = chance.choice(("True", "False", "1", "None"))
    text = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header = text.ljust(117).encode() + b"\n"
    version = chance.choice((b"\1\0", b"\2\0", b"\x09\0"))
    parts[name] = b"\x93NUMPY" + version + struct.pack("<H", 118) + header + values
    return archived(parts), None


def write_tflite(folder: pathlib.Path) -> None:
    (folder / "model.tflite").write_bytes(tiny_tflite())


def folded_values(read: Callable[[pathlib.Path], FoldedGraph]) -> Any:
    def values(path: pathlib.Path) -> Arrays:
        try:
            graph = read(path)
        except Exception:
            # What a user would see of it.
            load_model(path)
            raise
        return {
            f"{scope}/{part}": getattr(conv, part)
            for scope, conv in graph.convolutions.items()
            for part in ("kernel", "bias")
        }

    return values


# Keras.


@keras.saving.register_keras_serializable("fuzz")
class Tiny(Segmenter):
    """A model that is built in no time."""

    backbones = ("mobilenet_v2",)

    def __init__(
        self,
        backbone: str = "mobilenet_v2",
        *,
        filters: int = 4,
        rates: Any = (1, 2),
        output_stride: int = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            {"filters": filters, "rates": rates},
            backbone=backbone,
            output_stride=output_stride,
            **kwargs,
        )

    @classmethod
    def _network(cls, spec: Any, pixels: Any, frame: Any, **head: Any) -> Any:
        for i, rate in enumerate(head["rates"]):
            layer = keras.layers.Conv2D(
                head["filters"], 3, padding="same", dilation_rate=rate, name=f"conv{i}"
            )
            pixels = keras.layers.BatchNormalization(name=f"norm{i}")(layer(pixels))
        return classifier(frame.classes)(pixels)


def tiny() -> Tiny:
    keras.utils.set_random_seed(0)
    return Tiny(classes=3)


def write_keras(folder: pathlib.Path) -> None:
    tiny().save(folder / "model.keras")


def change_keras(whole: bytes, chance: random.Random) -> tuple[bytes, int | None]:
    kind = chance.random()
    if kind < 0.25:
        return changes.changed(whole, chance)[0], 0
    if kind < 0.5:
        return changes.changed_member(whole, "model.weights.h5", chance)[0], None
    parts = members(whole)
    config = json.loads(parts["config.json"])
    parts["config.json"] = changes.changed_json(config, chance)
    return archived(parts), 0


def keras_values(path: pathlib.Path) -> Arrays:
    return {weight.path: np.asarray(weight) for weight in load_keras(path).weights}


def write_weights(folder: pathlib.Path) -> None:
    tiny().save_weights(folder / "model.weights.h5")


def unchecked(whole: bytes, chance: random.Random) -> tuple[bytes, None]:
    return changes.changed(whole, chance)[0], None


def weights_values(path: pathlib.Path, model: Any = []) -> Arrays:  # noqa: B006
    model[:] = model or [tiny()]
    load_weights_h5(path, model[0])
    return {weight.path: np.asarray(weight) for weight in model[0].weights}


# Archives.


def write_archive(folder: pathlib.Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in ("model.ckpt.index", "model.ckpt.data-00000-of-00001"):
            info = tarfile.TarInfo(f"model/{name}")
            info.size = 400
            archive.addfile(info, io.BytesIO(random.Random(0).randbytes(400)))
    (folder / "model.tar.gz").write_bytes(file.getvalue())


def archive_values(path: pathlib.Path) -> Arrays:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        files = extract(path, folder)
        return {file.name: np.frombuffer(file.read_bytes(), "u1") for file in files}


INDEX, DATA = "model.ckpt.index", "model.ckpt.data-00000-of-00001"
FORMATS: Mapping[str, Format] = {
    "manifest": Format(
        file="manifest.json",
        write=write_manifest,
        change=change_manifest,
        read=manifest_values,
        cases=300,
        finite=True,
    ),
    "checkpoint index": Format(
        file=INDEX,
        write=write_checkpoint,
        change=change_index,
        read=official_values(read_tf1_checkpoint),
        cases=400,
    ),
    "checkpoint data": Format(
        file=DATA,
        write=write_checkpoint,
        change=checked(changes.changed),
        read=official_values(read_tf1_checkpoint),
        cases=100,
    ),
    "frozen graph": Format(
        file="frozen.pb",
        write=write_graph,
        change=change_graph,
        read=official_values(read_frozen_graph),
        cases=400,
        finite=True,
    ),
    "npz": Format(
        file="model.npz",
        write=write_npz,
        change=change_npz,
        read=folded_values(read_npz),
        cases=400,
    ),
    "tflite": Format(
        file="model.tflite",
        write=write_tflite,
        change=changes.changed,
        read=folded_values(read_tflite),
        cases=400,
    ),
    "keras": Format(
        file="model.keras",
        write=write_keras,
        change=change_keras,
        read=keras_values,
        cases=100,
    ),
    "weights h5": Format(
        file="model.weights.h5",
        write=write_weights,
        change=unchecked,
        read=weights_values,
        cases=100,
    ),
    "tar.gz": Format(
        file="model.tar.gz",
        write=write_archive,
        change=checked(changes.changed),
        read=archive_values,
        cases=200,
    ),
}
