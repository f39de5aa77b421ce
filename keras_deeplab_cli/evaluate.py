"""`keras-deeplab evaluate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import AccuracyOption, CRFOption, find_crf
from keras_deeplab_cli.masked_photos import (
    IgnoreLabelOption,
    ImagesOption,
    MasksOption,
)
from keras_deeplab_cli.model_source import (
    EngineOption,
    OutputStrideOption,
    SizeOption,
    WeightsOption,
    find_weights,
    load_predictor,
)
from keras_deeplab_cli.plan_option import (
    FlipOption,
    OverlapOption,
    ScalesOption,
    WindowOption,
    find_plan,
)

if TYPE_CHECKING:
    from keras_deeplab.inference import InferencePlan, Predictor
    from keras_deeplab.layers import DenseCRF
    from keras_deeplab.metrics import SegmentationScores


def evaluate(
    images: ImagesOption,
    masks: MasksOption,
    weights: WeightsOption = None,
    ignore_label: IgnoreLabelOption = 255,
    engine: EngineOption = "keras",
    output_stride: OutputStrideOption = None,
    size: SizeOption = None,
    crf: CRFOption = None,
    crf_accuracy: AccuracyOption = "accurate",
    scales: ScalesOption = None,
    flip: FlipOption = False,
    window: WindowOption = None,
    overlap: OverlapOption = 0.25,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Also write the scores and the confusion matrix to a JSON file.",
        ),
    ] = None,
) -> None:
    """Score a model on photos with masks.

    Prints the IoU of each class, their mean over the classes that occur in the masks,
    the pixel accuracy, and the confusion matrix, all at the masks' own sizes. Every
    pair is checked before the work starts.

    For example:

    * `keras-deeplab evaluate --weights model.keras --images photos --masks masks`

    * `keras-deeplab evaluate --images photos --masks masks --scales papers --flip`
    """
    source = find_weights(weights)
    output.check_file_can_be_written(json)
    layer = find_crf(crf, crf_accuracy)
    model = load_predictor(source, engine, output_stride, size)
    with output.warnings_told():
        plan = find_plan(model, size, scales, flip, window, overlap)
        scores = _score(model, images, masks, ignore_label, size, layer, plan)
    names = _names(model)
    output.say(_table(scores, names))
    if not output.say_if_it_fits(_confusion(scores, names)):
        output.say("The confusion matrix is too wide for this terminal: use --json.")
    output.say(
        f"Mean IoU {_percent(scores.mean_iou)} %, "
        f"pixel accuracy {_percent(scores.pixel_accuracy)} %"
    )
    if json is not None:
        output.write_json(json, _as_data(scores, names))


def _score(
    model: Predictor,
    images: Path,
    masks: Path,
    ignore_label: int,
    size: int | None,
    crf: DenseCRF | None,
    plan: InferencePlan,
) -> SegmentationScores:
    from keras_deeplab import inference

    try:
        with output.progress_bar() as report:
            return inference.evaluate(
                model,
                images,
                masks,
                ignore_label=ignore_label,
                size=size,
                crf=crf,
                plan=plan,
                progress=report,
            )
    except (OSError, ValueError) as error:
        output.fail(str(error))


def _names(model: Predictor) -> list[str]:
    from keras_deeplab.inference import class_name

    return [class_name(label, model.class_names) for label in range(model.classes)]


def _table(scores: SegmentationScores, names: Sequence[str]) -> Table:
    table = Table(title="IoU of each class, in %")
    table.add_column("Label", justify="right")
    table.add_column("Class")
    table.add_column("IoU", justify="right")
    table.add_column("Pixels in the masks", justify="right")
    rows = zip(names, scores.class_iou, scores.truth_pixels, strict=True)
    for label, (name, iou, pixels) in enumerate(rows):
        table.add_row(str(label), Text(name), _percent(iou), f"{pixels:,}")
    return table


def _confusion(scores: SegmentationScores, names: Sequence[str]) -> Table:
    title = "Where the pixels of each class went, in %"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0)
    table.add_column("True class", no_wrap=True)
    for label in range(len(names)):
        table.add_column(str(label), justify="right", min_width=3, no_wrap=True)
    rows = zip(names, scores.confusion, scores.truth_pixels, strict=True)
    for label, (name, row, total) in enumerate(rows):
        if total:
            cells = [f"{100 * count / total:.0f}" if count else "" for count in row]
            table.add_row(Text(f"{label} {name}"), *cells)
    return table


def _percent(fraction: float) -> str:
    return "-" if math.isnan(fraction) else f"{100 * fraction:.2f}"


def _as_data(scores: SegmentationScores, names: Sequence[str]) -> dict[str, Any]:
    # JSON has no NaN: a class that never occurs has the IoU null.
    iou = [None if math.isnan(value) else value for value in scores.class_iou]
    mean, accuracy = scores.mean_iou, scores.pixel_accuracy
    return {
        "mean_iou": None if math.isnan(mean) else mean,
        "pixel_accuracy": None if math.isnan(accuracy) else accuracy,
        "class_names": list(names),
        "class_iou": iou,
        "confusion": scores.confusion,
    }
