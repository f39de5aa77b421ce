"""`keras-deeplab weights info`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.weights.list_weights import size
from keras_deeplab_cli.weights.rows import named_rows

if TYPE_CHECKING:
    from keras_deeplab.weights import LocalWeights, Score, WeightsRow


def info(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
) -> None:
    """Tell all that is known of weights, and how to use them.

    For example:

    * `keras-deeplab weights info deeplabv3_mobilenet_v2_pascal_voc`
    """
    (row,) = named_rows([name])
    from keras_deeplab.weights import find_local

    try:
        lines = list(_lines(row, find_local(row)))
    except OSError as error:
        output.fail(str(error))
    for title, text in lines:
        output.say(f"{title:<16}{text}")


def _lines(row: WeightsRow, local: LocalWeights) -> Iterator[tuple[str, str]]:
    yield "Name", row.name
    yield "Model", row.model or "none: a backbone alone"
    yield from _block("Arguments", row.argument_texts)
    yield "Data set", row.dataset
    yield "Origin", row.origin
    yield "Licence", row.licence
    if row.model:
        yield "Output stride", str(row.output_stride)
        yield "Training crop", row.crop_text or "unknown"
        yield "Classes", _classes(row)
    yield "Preprocessing", row.preprocessing
    yield from _block("Published", map(_score, row.published))
    yield from _block("Measured here", map(_score, row.measured))
    yield "File", f"{row.file}, {_bytes(row)}"
    yield from _block("From", row.urls or ["the package itself"])
    yield "Digest", _digest(row, local)
    yield "On this machine", f"{local.path}{'' if local.there else ' (not yet)'}"
    yield "Use it", _use(row)


def _block(title: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield "" if number else title, text


def _classes(row: WeightsRow) -> str:
    names = row.model_arguments()["class_names"]
    return f"{len(names)}, {row.class_names}: {', '.join(names)}"


def _bytes(row: WeightsRow) -> str:
    if row.bytes is not None:
        return f"{size(row)} ({row.bytes} bytes)"
    return (
        f"{size(row)}, not stated to the byte"
        if row.stated_size
        else "its size is not stated"
    )


def _score(score: Score) -> str:
    by = score.source or f"`{score.command}`"
    return f"{score.metric} {score.value} on {score.data}; {score.protocol}; {by}"


def _digest(row: WeightsRow, local: LocalWeights) -> str:
    from keras_deeplab.weights.verify import expected_digest

    expected = expected_digest(row.remote, local.path)
    if expected is None:
        return "none is published: the first file is trusted, and its SHA-256 pinned"
    return " ".join(expected) + ("" if row.digest else ", pinned on first use")


def _use(row: WeightsRow) -> str:
    from keras_deeplab.models import MODELS

    if row.model:
        return f'keras_deeplab.{row.model}(weights="{row.name}")'
    # The newest of those that have this backbone.
    fitting = [model for model in MODELS if row.backbone in model.backbones]
    models = [model.__name__ for model in fitting]
    model = "DeepLabV3Plus" if "DeepLabV3Plus" in models else models[0]
    return (
        f'keras_deeplab.{model}(backbone="{row.backbone}", weights="{row.name}", '
        "classes=21)"
    )
