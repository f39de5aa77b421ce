"""Draws the models, as they are built, into docs/architectures.

    python scripts/architectures.py

Names, shapes, strides, rates and connections are read from the models. The layers of a
backbone are one box for each stride; those of a head, and the branches of its pyramid,
one box each.
"""

import os
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

# Nothing is computed, so what TensorFlow says at its start is of no interest.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import keras_deeplab
from keras_deeplab.layers import ASPP, ImagePooling, Resize

FOLDER = pathlib.Path(__file__).parents[1] / "docs" / "architectures"
SIDE = 513
MODELS: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "deeplab_v1": (keras_deeplab.DeepLabV1, "vgg16"),
        "deeplab_v2": (keras_deeplab.DeepLabV2, "resnet50"),
        "deeplab_v3": (keras_deeplab.DeepLabV3, "resnet50"),
        "deeplab_v3plus": (keras_deeplab.DeepLabV3Plus, "xception41"),
        "lraspp": (keras_deeplab.LRASPP, "mobilenet_v3_large"),
    }
)
# They change no shape that matters, and are not drawn.
_HIDDEN = (keras.layers.Dropout, keras.layers.ZeroPadding2D)
_WIDTH, _HEIGHT, _GAP, _MARGIN = 146, 60, 22, 14
_COLORS = {"ends": "#eceff1", "backbone": "#bbdefb", "head": "#b2dfdb"}


@dataclass
class Box:
    """What is drawn as one box."""

    kind: str
    lines: list[str]
    inputs: list[str]
    side: bool = False
    rank: int = 0


def draw(name: str) -> str:
    """The picture of a model, as SVG."""
    cls, backbone = MODELS[name]
    model = cls(backbone=backbone, input_shape=(SIDE, SIDE, 3))
    return to_svg(read(model, backbone), f"{cls.__name__}, {backbone}")


def read(model: Any, backbone: str) -> dict[str, Box]:
    """The boxes of a model by name, each after those that it gets its input from."""
    bare = keras_deeplab.backbones.build_backbone(
        backbone, output_stride=model.output_stride, input_shape=(SIDE, SIDE, 3)
    )
    stem = {layer.name for layer in bare.layers}
    boxes: dict[str, Box] = {}
    # Which box a layer is in.
    home: dict[str, str] = {}
    for layer in _layers(model):
        inputs = [each.name for each in _inputs(layer)]
        if isinstance(layer, _HIDDEN):
            home[layer.name] = home[inputs[0]]
        elif isinstance(layer, keras.Model):
            home[layer.name] = home[layer.layers[-1].name]
        elif isinstance(layer, keras.layers.InputLayer):
            home[layer.name] = "image"
            boxes["image"] = Box("ends", ["image", _shape(layer)], [])
        elif layer.name in stem:
            home[layer.name] = _add_to_stage(boxes, layer, [home[i] for i in inputs])
        elif isinstance(layer, ASPP):
            home[layer.name] = _add_pyramid(boxes, layer, home[inputs[0]])
        else:
            home[layer.name] = layer.name
            sources = [home[each] for each in inputs]
            boxes[layer.name] = Box("head", _lines(layer), sources)
            if any(_is_inner(boxes, each) for each in sources):
                boxes[layer.name].lines.insert(1, f"of {inputs[0]}")
    boxes[home[_layers(model)[-1].name]].kind = "ends"
    return boxes


def _layers(model: Any) -> list[Any]:
    """All layers; those of a model that is used as a layer stand before it."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += layer.layers
        found.append(layer)
    return found


def _inputs(layer: Any) -> Iterator[Any]:
    """The layers that a layer gets its input from."""
    tensors = [each for node in layer._inbound_nodes for each in node.input_tensors]
    # Of a second one a resize only takes the size.
    for each in tensors[:1] if isinstance(layer, Resize) else tensors:
        yield each._keras_history.operation


def _add_to_stage(boxes: dict[str, Box], layer: Any, sources: list[str]) -> str:
    stride = (SIDE - 1) // (layer.output.shape[1] - 1)
    name = f"stride {stride}"
    stage = boxes.setdefault(name, Box("backbone", [name, "", ""], []))
    stage.inputs += [each for each in sources if each not in (name, *stage.inputs)]
    stage.lines[1] = _shape(layer)
    if getattr(layer, "rate", None) and getattr(layer, "kernel_size", 1) not in (
        1,
        None,
    ):
        rates = {*stage.lines[2].removeprefix("rate ").split(", "), str(layer.rate)}
        stage.lines[2] = "rate " + ", ".join(sorted(rates - {""}, key=int))
    return name


def _is_inner(boxes: dict[str, Box], name: str) -> bool:
    """Whether a stage of the backbone has another one after it."""
    stages = [each for each, box in boxes.items() if box.kind == "backbone"]
    return name in stages[:-1]


def _add_pyramid(boxes: dict[str, Box], aspp: Any, source: str) -> str:
    ends = []
    for branch in aspp.branches:
        last = source
        for step in branch:
            if not isinstance(step, _HIDDEN):
                name = f"{aspp.name}/{step.name}"
                boxes[name] = Box("head", _lines(step, aspp), [last])
                last = name
        ends.append(last)
    merged = f"{aspp.name}/{aspp.merge}"
    boxes[merged] = Box("head", [aspp.name, aspp.merge, _shape(aspp)], ends)
    if aspp.merge == "sum":
        return merged
    boxes[merged].lines.pop()
    name = f"{aspp.name}/projection"
    boxes[name] = Box("head", _lines(aspp.projection, aspp), [merged])
    return name


def _lines(layer: Any, parent: Any = None) -> list[str]:
    """Name, what it does, and the shape of what comes out."""
    return [layer.name, _what(layer), _shape(layer, parent)]


def _what(layer: Any) -> str:
    if isinstance(layer, ImagePooling):
        return "mean of " + (" x ".join(map(str, layer.window or ())) or "the map")
    if not hasattr(layer, "kernel_size"):
        return type(layer).__name__.lower()
    size = layer.kernel_size
    size = size if isinstance(size, int) else size[0]
    rate = f", rate {layer.rate}" if layer.rate != 1 else ""
    return f"{size} x {size}{rate}" + (", separable" if layer.separable else "")


def _shape(layer: Any, parent: Any = None) -> str:
    """Height, width and channels; a step of a pyramid has the pyramid's sides."""
    if parent is None:
        return " x ".join(map(str, layer.output.shape[1:]))
    return " x ".join(map(str, (*parent.output.shape[1:3], layer.filters)))


def to_svg(boxes: dict[str, Box], title: str) -> str:
    """The boxes from top to bottom, side paths on the right."""
    rows = _rows(boxes)
    widest = max(len([b for b in row if not boxes[b].side]) for row in rows)
    lanes = widest + any(box.side for box in boxes.values())
    width = lanes * (_WIDTH + _GAP) - _GAP + 2 * _MARGIN
    height = len(rows) * (_HEIGHT + _GAP) + 2 * _MARGIN + _GAP
    places = {}
    for rank, row in enumerate(rows):
        main = [name for name in row if not boxes[name].side]
        for index, name in enumerate(main):
            x = (widest - len(main)) / 2 + index
            places[name] = _place(x, rank)
        places |= {name: _place(widest, rank) for name in row if boxes[name].side}
    edges = [_edge(places[i], places[n]) for n, b in boxes.items() for i in b.inputs]
    drawn = [_box(box, *places[name]) for name, box in boxes.items()]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11" '
        'text-anchor="middle">'
    )
    marker = (
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0 0L6 3L0 6z" fill="#455a64"/>'
        "</marker></defs>"
    )
    back = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    text = f'<text x="{width / 2:g}" y="20" font-size="14">{title}</text>'
    return "\n".join([head, marker, back, text, *edges, *drawn, "</svg>"]) + "\n"


def _rows(boxes: dict[str, Box]) -> list[list[str]]:
    """Names by rank: one below the lowest of a box's inputs."""
    rows: list[list[str]] = []
    for name, box in boxes.items():
        box.rank = 1 + max((boxes[each].rank for each in box.inputs), default=-1)
        box.side = box.kind == "head" and any(_is_inner(boxes, i) for i in box.inputs)
        rows += [[]] * (box.rank + 1 - len(rows))
        rows[box.rank] = [*rows[box.rank], name]
    return rows


def _place(x: float, rank: int) -> tuple[float, float]:
    """Middle of a box's upper side."""
    left = _MARGIN + x * (_WIDTH + _GAP)
    return left + _WIDTH / 2, _MARGIN + _GAP + rank * (_HEIGHT + _GAP)


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    down, turn = start[1] + _HEIGHT, end[1] - _GAP / 2
    path = f"M{start[0]:g} {down:g}V{turn:g}H{end[0]:g}V{end[1]:g}"
    return f'<path d="{path}" fill="none" stroke="#455a64" marker-end="url(#tip)"/>'


def _box(box: Box, x: float, y: float) -> str:
    texts = [line for line in box.lines if line]
    first = y + _HEIGHT / 2 + 4 - 7 * (len(texts) - 1)
    words = "".join(
        f'<text x="{x:g}" y="{first + 14 * index:g}"{_style(index, line)}>{line}</text>'
        for index, line in enumerate(texts)
    )
    return (
        f'<rect x="{x - _WIDTH / 2:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="6" fill="{_COLORS[box.kind]}" stroke="#78909c"/>{words}'
    )


def _style(index: int, line: str) -> str:
    if not index:
        return ' font-weight="bold"'
    return ' font-size="9"' if line.startswith("of ") else ""


def main() -> None:
    """Draws all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        (FOLDER / f"{name}.svg").write_text(draw(name), encoding="utf-8")


if __name__ == "__main__":
    main()
