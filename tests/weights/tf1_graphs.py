"""The official networks, built with TensorFlow's own TF1 API.

Written from the papers' tables and the official variable names, and apart from the
package: nothing of it is imported here. Values are random; the files written have what
official ones have, a global step and the slots of an optimizer included.
"""

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
CONST_OF_HARD_SIGMOID = 0.16667


def q_sigmoid(x: Any) -> Any:
    return tf.nn.relu6(x + 3) * CONST_OF_HARD_SIGMOID


def hard_swish(x: Any) -> Any:
    return x * tf.nn.relu6(x + np.float32(3)) * np.float32(1 / 6)


@dataclasses.dataclass
class Net:
    """One graph in the making: variables by official name, and slim's layers."""

    epsilon: float
    same: bool = False
    # Variance that a kernel gives per variance of its input.
    gain: float = 2.0
    random: Any = dataclasses.field(default_factory=lambda: np.random.default_rng(7))
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)
    ends: dict[str, Any] = dataclasses.field(default_factory=dict)

    def variable(self, name: str, value: Any) -> Any:
        made = v1.get_variable(
            name, initializer=np.asarray(value, "float32"), use_resource=False
        )
        self.variables[name] = made
        return made

    def norm(self, x: Any, scope: str) -> Any:
        channels = x.shape[-1]
        uniform, normal = self.random.uniform, self.random.normal
        scope = f"{scope}/BatchNorm"
        outputs, *_ = v1.nn.fused_batch_norm(
            x,
            self.variable(f"{scope}/gamma", uniform(0.6, 1.4, channels)),
            self.variable(f"{scope}/beta", normal(0, 0.2, channels)),
            self.variable(f"{scope}/moving_mean", normal(0, 0.2, channels)),
            self.variable(f"{scope}/moving_variance", uniform(0.5, 1.5, channels)),
            epsilon=self.epsilon,
            is_training=False,
            name=f"{scope}/FusedBatchNorm",
        )
        return outputs

    def padded(self, x: Any, size: int, stride: int, rate: int) -> tuple[Any, str]:
        """Zeros at both sides alike, wherever a network of slim has them so."""
        if stride == 1 or self.same:
            return x, "SAME"
        total = (size - 1) * rate
        pads = [total // 2, total - total // 2]
        return tf.pad(x, [[0, 0], pads, pads, [0, 0]]), "VALID"

    def conv(
        self,
        x: Any,
        filters: int,
        size: int,
        scope: str,
        stride: int = 1,
        rate: int = 1,
        activation: Any = tf.nn.relu,
        norm: bool = True,
    ) -> Any:
        fan_in = size * size * x.shape[-1]
        shape = (size, size, x.shape[-1], filters)
        kernel = self.random.normal(0, np.sqrt(self.gain / fan_in), shape)
        x, padding = self.padded(x, size, stride, rate)
        y = tf.nn.conv2d(
            x,
            self.variable(f"{scope}/weights", kernel),
            [1, stride, stride, 1],
            padding,
            dilations=[1, rate, rate, 1],
            name=f"{scope}/Conv2D",
        )
        if norm:
            y = self.norm(y, scope)
        else:
            y += self.variable(f"{scope}/biases", self.random.normal(0, 0.2, filters))
        y = activation(y) if activation else y
        self.ends[scope] = y
        return y

    def depthwise(
        self,
        x: Any,
        scope: str,
        size: int = 3,
        stride: int = 1,
        rate: int | tuple[int, int] = 1,
        activation: Any = tf.nn.relu,
    ) -> Any:
        shape = (size, size, x.shape[-1], 1)
        kernel = self.random.normal(0, np.sqrt(self.gain) / size, shape)
        rates = (rate, rate) if isinstance(rate, int) else rate
        x, padding = self.padded(x, size, stride, max(rates))
        y = tf.nn.depthwise_conv2d(
            x,
            self.variable(f"{scope}/depthwise_weights", kernel),
            [1, stride, stride, 1],
            padding,
            dilations=rates,
            name=f"{scope}/depthwise",
        )
        y = self.norm(y, scope)
        y = activation(y) if activation else y
        self.ends[scope] = y
        return y

    def separable(
        self, x: Any, filters: int, scope: str, activation: Any, **kwargs: Any
    ) -> Any:
        x = self.depthwise(x, f"{scope}_depthwise", activation=activation, **kwargs)
        return self.conv(x, filters, 1, f"{scope}_pointwise", activation=activation)


def resized(x: Any, size: Iterable[int]) -> Any:
    return v1.image.resize_bilinear(x, list(size), align_corners=True)


def scaled(size: tuple[int, int], stride: int) -> list[int]:
    return [int((side - 1.0) / stride + 1.0) for side in size]


# Backbones.

XCEPTION_ENTRY = {
    "xception_41": [(128, 2), (256, 2), (728, 2)],
    "xception_65": [(128, 2), (256, 2), (728, 2)],
    "xception_71": [(128, 2), (256, 1), (256, 2), (728, 1), (728, 2)],
}


def xception(
    image: Any, output_stride: int, *, scope: str, middle_units: int
) -> tuple[Net, Any]:
    net = Net(epsilon=1e-3)
    x = net.conv(image, 32, 3, f"{scope}/entry_flow/conv1_1", stride=2)
    x = net.conv(x, 64, 3, f"{scope}/entry_flow/conv1_2")
    units = [
        (f"entry_flow/block{i}/unit_1", [depth] * 3, stride, "conv")
        for i, (depth, stride) in enumerate(XCEPTION_ENTRY[scope], start=1)
    ]
    for i in range(middle_units):
        units.append((f"middle_flow/block1/unit_{i + 1}", [728] * 3, 1, "sum"))
    units.append(("exit_flow/block1/unit_1", [728, 1024, 1024], 2, "conv"))
    units.append(("exit_flow/block2/unit_1", [1536, 1536, 2048], 1, "none"))
    current, rate = 2, 1
    for name, depths, stride, skip in units:
        now = stride if current * stride <= output_stride else 1
        x = xception_module(
            net, x, f"{scope}/{name}/xception_module", depths, now, rate, skip
        )
        if now == stride:
            current *= stride
        else:
            rate *= stride
    return net, x


def xception_module(
    net: Net,
    x: Any,
    scope: str,
    depths: list[int],
    stride: int,
    rate: int,
    skip: str,
) -> Any:
    y = x
    for i, depth in enumerate(depths, start=1):
        inside = tf.nn.relu if skip == "none" else None
        y = y if inside else tf.nn.relu(y)
        step = stride if i == 3 else 1
        name = f"{scope}/separable_conv{i}"
        y = net.separable(y, depth, name, inside, stride=step, rate=rate)
    if skip == "conv":
        name = f"{scope}/shortcut"
        return y + net.conv(x, depths[-1], 1, name, stride=stride, activation=None)
    return y + x if skip == "sum" else y


def resnet(
    image: Any, output_stride: int, *, scope: str, blocks: tuple[int, ...]
) -> tuple[Net, Any]:
    net = Net(epsilon=1e-5)
    x = net.conv(image, 64, 3, f"{scope}/conv1_1", stride=2)
    x = net.conv(x, 64, 3, f"{scope}/conv1_2")
    x = net.conv(x, 128, 3, f"{scope}/conv1_3")
    x = tf.nn.max_pool2d(x, 3, 2, "SAME", name=f"{scope}/pool1/MaxPool")
    current, rate = 4, 1
    for block, units in enumerate(blocks, start=1):
        for unit in range(1, units + 1):
            last = unit == units and block < 4
            stride = 2 if last else 1
            now = stride if current * stride <= output_stride else 1
            grid = (1, 2, 4)[unit - 1] if block == 4 else 1
            name = f"{scope}/block{block}/unit_{unit}/bottleneck_v1"
            depth = 64 * 2 ** (block - 1)
            x = bottleneck(net, x, name, depth, now, rate * grid)
            if now == stride:
                current *= stride
            else:
                rate *= stride
    return net, x


def bottleneck(net: Net, x: Any, scope: str, depth: int, stride: int, rate: int) -> Any:
    if x.shape[-1] == 4 * depth:
        name = f"{scope}/shortcut/MaxPool"
        short = tf.nn.max_pool2d(x, 1, stride, "SAME", name=name)
    else:
        name = f"{scope}/shortcut"
        short = net.conv(x, 4 * depth, 1, name, stride=stride, activation=None)
    y = net.conv(x, depth, 1, f"{scope}/conv1")
    y = net.conv(y, depth, 3, f"{scope}/conv2", stride=stride, rate=rate)
    y = net.conv(y, 4 * depth, 1, f"{scope}/conv3", activation=None)
    return tf.nn.relu(short + y)


def divisible(value: float, by: int) -> int:
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded


def mobilenet(
    image: Any,
    output_stride: int,
    *,
    scope: str,
    stem: tuple[int, Any],
    rows: list[tuple[Any, ...]],
    last: int | None,
    gain: float,
    strided_shortcut: bool = True,
) -> tuple[Net, Any]:
    """Rows: kernel, expansion, filters, stride, squeeze and excite, activation.

    With `strided_shortcut` a bottleneck that gave its stride up for a rate adds its
    input where the channels agree, as the official code does.
    """
    net = Net(epsilon=1e-3, same=True, gain=gain)
    x = net.conv(image, stem[0], 3, f"{scope}/Conv", stride=2, activation=stem[1])
    current, rate = 2, 1
    for i, (size, expansion, filters, stride, excite, activation) in enumerate(rows):
        name = f"{scope}/expanded_conv_{i}" if i else f"{scope}/expanded_conv"
        now = stride if current * stride <= output_stride else 1
        y = x
        inner = divisible(x.shape[-1] * expansion, 8) if expansion > 1 else 0
        if inner > x.shape[-1]:
            y = net.conv(y, inner, 1, f"{name}/expand", activation=activation)
        y = net.depthwise(
            y, f"{name}/depthwise", size, stride=now, rate=rate, activation=activation
        )
        if excite:
            y = squeeze_excite(net, y, f"{name}/squeeze_excite")
        y = net.conv(y, filters, 1, f"{name}/project", activation=None)
        kept = now if strided_shortcut else stride
        x = y + x if kept == 1 and y.shape[-1] == x.shape[-1] else y
        if now == stride:
            current *= stride
        else:
            rate *= stride
    if last is not None:
        x = net.conv(x, last, 1, f"{scope}/Conv_1", activation=stem[1])
    return net, x


def squeeze_excite(net: Net, x: Any, scope: str) -> Any:
    channels = x.shape[-1]
    squeezed = divisible(channels / 4, 8)
    y = tf.nn.avg_pool2d(x, x.shape[1:3], 1, "VALID", name=f"{scope}/AvgPool")
    y = net.conv(y, squeezed, 1, f"{scope}/Conv", norm=False)
    y = net.conv(y, channels, 1, f"{scope}/Conv_1", norm=False, activation=q_sigmoid)
    return x * y


def mobilenet_v2(image: Any, output_stride: int, *, alpha: float) -> tuple[Net, Any]:
    by = 8 if alpha == 1 else 1
    rows = []
    for expansion, filters, repeats, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for i in range(repeats):
            step = 1 if i else stride
            width = divisible(filters * alpha, by)
            rows.append((3, expansion, width, step, False, tf.nn.relu6))
    return mobilenet(
        image,
        output_stride,
        scope="MobilenetV2",
        stem=(divisible(32 * alpha, by), tf.nn.relu6),
        rows=rows,
        last=None,
        # Large enough for ReLU6 to cut.
        gain=2.0,
    )


V3_LARGE = """
3 1 16 1 - r | 3 4 24 2 - r | 3 3 24 1 - r | 5 3 40 2 s r | 5 3 40 1 s r
5 3 40 1 s r | 3 6 80 2 - h | 3 2.5 80 1 - h | 3 2.3 80 1 - h | 3 2.3 80 1 - h
3 6 112 1 s h | 3 6 112 1 s h | 5 3 80 2 s h | 5 6 80 1 s h | 5 6 80 1 s h
"""
V3_SMALL = """
3 1 16 2 s r | 3 4.5 24 2 - r | 3 3.6667 24 1 - r | 5 4 40 2 s h | 5 6 40 1 s h
5 6 40 1 s h | 5 3 48 1 s h | 5 3 48 1 s h | 5 3 48 2 s h | 5 6 48 1 s h
5 6 48 1 s h
"""


def mobilenet_v3(
    image: Any, output_stride: int, *, table: str, last: int, **kwargs: bool
) -> tuple[Net, Any]:
    rows = []
    for cell in table.strip().replace("\n", "|").split("|"):
        size, expansion, filters, stride, excite, activation = cell.split()
        swish = hard_swish if activation == "h" else tf.nn.relu
        row = (int(size), float(expansion), int(filters), int(stride), excite == "s")
        rows.append((*row, swish))
    return mobilenet(
        image,
        output_stride,
        scope="MobilenetV3",
        stem=(16, hard_swish),
        rows=rows,
        last=last,
        # Small enough for the gates to stay between their ends.
        gain=1.0,
        **kwargs,
    )


# Heads.


def pooled(x: Any, window: tuple[int, int], strides: tuple[int, int] = (1, 1)) -> Any:
    return tf.nn.avg_pool2d(x, window, strides, "VALID", name="AvgPool2D/AvgPool")


def pyramid(
    net: Net,
    x: Any,
    window: tuple[int, int],
    rates: tuple[int, ...],
    separable: bool,
) -> Any:
    net.epsilon, net.same = 1e-5, True
    y = net.conv(pooled(x, window), 256, 1, "image_pooling")
    branches = [resized(y, x.shape[1:3]), net.conv(x, 256, 1, "aspp0")]
    for i, rate in enumerate(rates, start=1):
        if separable:
            y = net.separable(x, 256, f"aspp{i}", tf.nn.relu, rate=rate)
        else:
            y = net.conv(x, 256, 3, f"aspp{i}", rate=rate)
        branches.append(y)
    return net.conv(tf.concat(branches, 3), 256, 1, "concat_projection")


# Input, rate down and rate across of each branch at output stride 16; -1 is the
# backbone's output.
CELL = ((-1, 1, 6), (0, 18, 15), (1, 6, 3), (0, 1, 1), (0, 6, 21))


def dense_prediction_cell(net: Net, x: Any, multiplier: int) -> Any:
    net.epsilon, net.same = 1e-5, True
    outputs: list[Any] = []
    for i, (source, down, across) in enumerate(CELL):
        outputs.append(
            net.separable(
                x if source == -1 else outputs[source],
                256,
                f"meta_architecture/branch{i}",
                tf.nn.relu,
                rate=(down * multiplier, across * multiplier),
            )
        )
    merged = tf.concat(outputs, 3)
    return net.conv(merged, 256, 1, "meta_architecture/concat_projection")


def decoder(
    net: Net, x: Any, low: str, size: tuple[int, int], separable: bool = True
) -> Any:
    y = net.conv(net.ends[low], 48, 1, "decoder/feature_projection0")
    x = tf.concat([resized(x, scaled(size, 4)), resized(y, scaled(size, 4))], 3)
    for i in range(2):
        if separable:
            x = net.separable(x, 256, f"decoder/decoder_conv{i}", tf.nn.relu)
        else:
            x = net.conv(x, 256, 3, f"decoder/decoder_conv0/decoder_conv0_{i + 1}")
    return x


def logits(net: Net, x: Any, classes: int) -> Any:
    return net.conv(x, classes, 1, "logits/semantic", norm=False, activation=None)


def lite(
    net: Net,
    x: Any,
    low: str,
    size: tuple[int, int],
    window: tuple[int, int],
    strides: tuple[int, int],
    classes: int,
) -> Any:
    net.epsilon, net.same = 1e-5, True
    gate = net.conv(
        pooled(x, window, strides),
        128,
        1,
        "image_pooling",
        norm=False,
        activation=q_sigmoid,
    )
    gated = net.conv(x, 128, 1, "aspp0") * resized(gate, x.shape[1:3])
    y = net.conv(
        net.ends[low],
        classes,
        1,
        "decoder/feature_projection0",
        norm=False,
        activation=None,
    )
    gated = resized(gated, scaled(size, 8))
    x = net.conv(
        gated, classes, 1, "decoder/decoder_conv0", norm=False, activation=None
    )
    return x + resized(y, scaled(size, 8))


# Files.


@dataclasses.dataclass(frozen=True)
class Written:
    """A graph as files, and what it answers."""

    checkpoint: pathlib.Path
    frozen: pathlib.Path
    image: np.ndarray
    answer: np.ndarray
    names: tuple[str, ...]


def write(folder: pathlib.Path, size: tuple[int, int], build: Any) -> Written:
    """Builds a graph, runs it, saves it.

    Args:
        folder: Where the files go.
        size: Height and width of the image.
        build: From the image to the net and its logits at their own size.
    """
    image = np.random.default_rng(0).uniform(-1, 1, (2, *size, 3)).astype("float32")
    with tf.Graph().as_default() as graph, v1.Session() as session:
        inputs = v1.placeholder(tf.float32, image.shape, "ImageTensor")
        net, small = build(inputs)
        outputs = tf.identity(resized(small, size), "Logits")
        saved = {**net.variables, **training_variables(net)}
        session.run(v1.global_variables_initializer())
        answer = session.run(outputs, {inputs: image})
        saver = v1.train.Saver(saved)
        checkpoint = saver.save(session, str(folder / "model.ckpt"))
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["Logits"]
        )
    (folder / "frozen_inference_graph.pb").write_bytes(frozen.SerializeToString())
    return Written(
        checkpoint=pathlib.Path(checkpoint),
        frozen=folder / "frozen_inference_graph.pb",
        image=image,
        answer=answer,
        names=tuple(net.variables),
    )


def save(folder: pathlib.Path, arrays: Mapping[str, np.ndarray]) -> pathlib.Path:
    """Writes a checkpoint of these variables."""
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {
            name: v1.get_variable(name, initializer=value, use_resource=False)
            for name, value in arrays.items()
        }
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(variables)
        return pathlib.Path(saver.save(session, str(folder / "model.ckpt")))


def training_variables(net: Net) -> dict[str, Any]:
    """What the official training leaves beside the network."""
    slots = {"global_step": v1.get_variable("global_step", initializer=np.int64(3))}
    for name, variable in net.variables.items():
        if "moving_" not in name:
            name = f"{name}/Momentum"
            value = np.full(variable.shape, 9, "float32")
            slots[name] = v1.get_variable(name, initializer=value, use_resource=False)
    return slots
