"""`keras-deeplab export`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import (
    ExportedAccuracyOption,
    ExportedCRFOption,
    find_crf,
)
from keras_deeplab_cli.export_format import (
    ANSWERS,
    CRF_ACCURACY,
    FORMATS,
    NUMBERS,
    check_start,
    one_of,
    own_options,
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


def export(
    out: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="The .tflite or .onnx file; or the folder of a SavedModel's versions.",
        ),
    ],
    weights: WeightsOption = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            callback=one_of(*FORMATS),
            help=f"What to write: {', '.join(FORMATS)}.",
        ),
    ] = "tflite",
    size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="H W",
            help="Height and width of the input. By default those of the model or of "
            "its training crop; a SavedModel or an ONNX file without a CRF takes any.",
        ),
    ] = None,
    output_stride: OutputStrideOption = None,
    quantize: Annotated[
        str,
        typer.Option(
            metavar="NUMBERS",
            callback=one_of(*NUMBERS),
            help="How a .tflite file stores numbers: none, as float32; float16, "
            "weights in 16 bits; dynamic, weights in 8 bits; int8, weights and "
            "activations in 8 bits.",
        ),
    ] = "none",
    calibration: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            exists=True,
            help="Photos like those the model is to work on, some tens, for int8: a "
            "folder or a photo. May be given several times.",
        ),
    ] = None,
    outputs: Annotated[
        str,
        typer.Option(
            metavar="ANSWER",
            callback=one_of(*ANSWERS),
            help="What a .tflite or .onnx file answers: labels, probabilities, logits; "
            "or delegate, of .tflite alone: logits of a normalized float input, for "
            "GPU delegates and MediaPipe.",
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
            help="Share of the photos' pixels that must keep their label. By default "
            "0.999; 0.995 with float16, 0.95 with dynamic and int8.",
        ),
    ] = None,
) -> None:
    """Export a model as one TFLite or ONNX file, or as a SavedModel.

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

    * `keras-deeplab export --weights model.keras --format onnx --out model.onnx`
    """
    given = {"quantize": quantize, "calibration": calibration, "outputs": outputs}
    own = own_options(format_, given)
    check_start(format_, out, quantize, calibration, photos)
    source = find_weights(weights)
    options: dict[str, Any] = {
        "size": size,
        "photos": photos,
        "masks": masks,
        "least_agreement": least_agreement,
        "crf": find_crf(crf, crf_accuracy or CRF_ACCURACY[format_]),
    }
    model = load_model(source, output_stride, None)
    report = _written(model, format_, out, {**options, **own})
    output.say(report_table(report))
    output.say(latency_table(report.latency))
    output.say(f"Wrote {report.path} and its report, {report.path.name}.report.json")


def _written(
    model: Segmenter, format_: str, out: Path, options: Mapping[str, Any]
) -> ExportReport:
    from keras_deeplab import export as exports

    write = getattr(exports, f"to_{format_}")
    refused: Exception
    try:
        # The converter of 8-bit files writes what it does, whatever the log level.
        with (
            output.warnings_told(at_end=True),
            output.busy("Exporting, and comparing with the model"),
            quiet_native(),
        ):
            try:
                return write(model, out, **options)
            except (OSError, ValueError) as error:
                # What the converter wrote would tell nothing more.
                refused = error
    except (RuntimeError, ImportError) as error:
        output.fail(str(error))
    broken = isinstance(refused, exports.ExportError)
    output.fail(str(refused), output.FAILED if broken else output.USAGE)
