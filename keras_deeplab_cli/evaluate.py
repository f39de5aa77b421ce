"""`keras-deeplab evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import AccuracyOption, CRFOption, find_crf
from keras_deeplab_cli.evaluation_page import command_of, facts_of, write_page
from keras_deeplab_cli.masked_photos import (
    OwnIgnoreLabelOption,
    OwnImagesOption,
    OwnMasksOption,
)
from keras_deeplab_cli.measures_option import (
    CalibrationOption,
    TrimapOption,
    find_measures,
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
from keras_deeplab_cli.score_tables import as_data, say_scores
from keras_deeplab_cli.scored_photos import (
    DatasetOption,
    IncompleteOption,
    RootOption,
    ScoredPhotos,
    SplitOption,
    ValidationOption,
)

if TYPE_CHECKING:
    from keras_deeplab.data import SegmentationData
    from keras_deeplab.inference import (
        Evaluation,
        InferencePlan,
        Measures,
        Predictor,
    )
    from keras_deeplab.layers import DenseCRF


def evaluate(
    context: typer.Context,
    images: OwnImagesOption = None,
    masks: OwnMasksOption = None,
    validation: ValidationOption = None,
    dataset: DatasetOption = None,
    root: RootOption = None,
    split: SplitOption = None,
    incomplete: IncompleteOption = False,
    weights: WeightsOption = None,
    ignore_label: OwnIgnoreLabelOption = None,
    engine: EngineOption = "keras",
    output_stride: OutputStrideOption = None,
    size: SizeOption = None,
    crf: CRFOption = None,
    crf_accuracy: AccuracyOption = "accurate",
    scales: ScalesOption = None,
    flip: FlipOption = False,
    window: WindowOption = None,
    overlap: OverlapOption = 0.25,
    trimap: TrimapOption = None,
    calibration: CalibrationOption = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            dir_okay=False,
            help="Also write a page with all of it, figures and the worst photos.",
        ),
    ] = None,
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

    Prints the IoU of each class, their mean over the classes that occur in the masks
    (of a --dataset, over those that its benchmark takes), the pixel accuracy, and the
    confusion matrix, all at the masks' own sizes; with --crf also the scores without
    it. Every pair is checked before the work starts.

    For example:

    * `keras-deeplab evaluate --weights model.keras --images photos --masks masks`

    * `keras-deeplab evaluate --weights RUN/best.keras --images photos --masks masks
      --validation 20`

    * `keras-deeplab evaluate --images photos --masks masks --scales papers --flip`

    * `keras-deeplab evaluate --weights model.keras --dataset cityscapes --root DIR
      --split val --report report.html`
    """
    source = find_weights(weights)
    photos = ScoredPhotos(
        images, masks, validation, ignore_label, dataset, root, split, incomplete
    )
    photos.check()
    _check_files(report, json)
    found = photos.find()
    layer = find_crf(crf, crf_accuracy)
    model = load_predictor(source, engine, output_stride, size)
    measures = find_measures(
        model, photos.spec, trimap, calibration, report is not None
    )
    size = _size(photos, model, size)
    with output.warnings_told():
        plan = find_plan(model, size, scales, flip, window, overlap)
        data, result = _run(model, photos, found, measures, size, layer, plan)
    say_scores(result, data.class_names)
    command = command_of(context)
    if json is not None:
        told = {"command": command, "weights": source, **photos.as_data(len(data))}
        output.write_json(json, told | as_data(result, data.class_names))
    if report is not None:
        facts = {"Weights": source, **facts_of(photos, model, data, size, layer, plan)}
        write_page(report, result, data, photos, facts, command)


def _check_files(report: Path | None, json: Path | None) -> None:
    output.check_file_can_be_written(json)
    if report is not None and report.suffix != ".html":
        output.fail(f"--report must end in .html: {report}")
    output.check_file_can_be_written(report, "--report")


def _size(photos: ScoredPhotos, model: Predictor, size: int | None) -> int | None:
    spec = photos.spec
    if size is not None or spec is None or model.resize_mode == "stretch":
        return size
    return spec.whole_size


def _run(
    model: Predictor,
    photos: ScoredPhotos,
    found: SegmentationData | None,
    measures: Measures,
    size: int | None,
    crf: DenseCRF | None,
    plan: InferencePlan,
) -> tuple[SegmentationData, Evaluation]:
    from keras_deeplab import inference

    try:
        with output.progress_bar() as bar:
            data = photos.read(model, found, bar)
            result = inference.evaluate_data(
                model,
                data,
                measures=measures,
                size=size,
                crf=crf,
                plan=plan,
                progress=bar,
            )
    except (OSError, ValueError) as error:
        output.fail(str(error))
    return data, result
