"""`keras-deeplab export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import (
    ExportedAccuracyOption,
    ExportedCRFOption,
    find_crf,
)
from keras_deeplab_cli.model_source import (
    OutputStrideOption,
    WeightsOption,
    find_weights,
    load_model,
)
from keras_deeplab_cli.quiet import quiet_native
from keras_deeplab_cli.report_table import latency_table, report_table

if TYPE_CHECKING:
    from keras_deeplab.export import ExportReport
    from keras_deeplab.models import Segmenter

# Each with how closely a CRF inside follows the exact answer.
_FORMATS = {"tflite": "mobile", "saved_model": "accurate"}


def export(
    out: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="The .tflite file; or the folder of a SavedModel's versions.",
        ),
    ],
    weights: WeightsOption = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="|".join(_FORMATS), help="What to write.")
    ] = "tflite",
    size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="H W",
            help="Height and width of the input. By default those of the model or of "
            "its training crop; a SavedModel takes any, unless it has a CRF.",
        ),
    ] = None,
    output_stride: OutputStrideOption = None,
    quantize: Annotated[
        str,
        typer.Option(
            metavar="none|float16|dynamic|int8",
            help="How a .tflite file stores numbers: as float32, weights as float16, "
            "weights in 8 bits, or weights and activations in 8 bits.",
        ),
    ] = "none",
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            help="Photos like those the model is to work on, some tens, for int8.",
        ),
    ] = None,
    outputs: Annotated[
        str,
        typer.Option(
            metavar="labels|probabilities|logits|delegate",
            help="What a .tflite file answers. delegate: logits of a normalized float "
            "input, for GPU delegates and MediaPipe.",
        ),
    ] = "labels",
    photos: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            help="Photos on which the export is compared with the model. By default "
            "those of the calibration, or two of the package.",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Masks of these photos, for the mean IoU of both.",
        ),
    ] = None,
    crf: ExportedCRFOption = None,
    crf_accuracy: ExportedAccuracyOption = None,
    least_agreement: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0.0,
            max=1.0,
            help="Share of the photos' pixels that must keep their label.",
        ),
    ] = None,
) -> None:
    """Export a model as one TFLite file or a SavedModel.

    The graph takes 8-bit RGB pixels, preprocesses them itself and answers with a label
    map. What it holds, how close it is to the model on photos and how fast it runs is
    printed and written to `PATH.report.json`. An export that is not close enough is
    not written.

    For example:

    * `keras-deeplab export --weights model.keras --size 257 257 --out model.tflite`

    * `keras-deeplab export --weights model.keras --quantize int8 --calibration photos
      --out model.tflite`

    * `keras-deeplab export --weights model.keras --crf v1 --out model.tflite`

    * `keras-deeplab export --weights model.keras --format saved_model --out road`
    """
    if format_ not in _FORMATS:
        output.fail(f"--format must be one of {', '.join(_FORMATS)}: {format_}")
    source = find_weights(weights)
    options: dict[str, Any] = {
        "size": size,
        "photos": photos,
        "masks": masks,
        "least_agreement": least_agreement,
        "crf": find_crf(crf, crf_accuracy or _FORMATS[format_]),
    }
    lite = {"quantize": quantize, "calibration": calibration, "outputs": outputs}
    model = load_model(source, output_stride, None)
    report = _written(model, format_, out, options, lite)
    output.say(report_table(report))
    output.say(latency_table(report.latency))
    output.say(f"Wrote {report.path} and its report, {report.path.name}.report.json")


def _written(
    model: Segmenter,
    format_: str,
    out: Path,
    options: dict[str, Any],
    lite: dict[str, Any],
) -> ExportReport:
    from keras_deeplab.export import ExportError, to_saved_model, to_tflite

    try:
        # The converter of 8-bit files writes what it does, whatever the log level.
        with output.busy("Exporting, and comparing with the model"), quiet_native():
            if format_ == "tflite":
                return to_tflite(model, out, **options, **lite)
            return to_saved_model(model, out, **options)
    except ExportError as error:
        output.complain(f"Error: {error}")
        raise typer.Exit(output.FAILED) from error
    except (OSError, ValueError, RuntimeError) as error:
        output.fail(str(error))
