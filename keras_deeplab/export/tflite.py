"""A model as a TFLite file."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_deeplab._atomic_file import part_beside
from keras_deeplab.export.backend import check_backend
from keras_deeplab.export.crf_step import CRFEffect, crf_step
from keras_deeplab.export.fixed_size import fixed_size
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.latency import Latency, measure_latency, measure_peak
from keras_deeplab.export.lite_model import LiteModel
from keras_deeplab.export.operations import tflite_operations
from keras_deeplab.export.output_form import OUTPUT_FORMS
from keras_deeplab.export.parity import compare
from keras_deeplab.export.photos import PhotoSource, find_photos
from keras_deeplab.export.quantization import QUANTIZATIONS
from keras_deeplab.export.report import ExportReport, report_path
from keras_deeplab.export.tflite_job import TFLiteJob
from keras_deeplab.export.trial import Trial, make_trial
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.layers import arguments
from keras_deeplab.models import Segmenter

# Of each number of threads, for the latency of the report.
_SECONDS = 2.0


def to_tflite(
    model: Segmenter,
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    quantize: str = "none",
    calibration: PhotoSource | None = None,
    outputs: str = "labels",
    photos: PhotoSource | None = None,
    masks: str | os.PathLike[str] | None = None,
    ignore_label: int | None = 255,
    least_agreement: float | None = None,
    crf: CRFSource | None = None,
) -> ExportReport:
    """Writes a model as one TFLite graph of built-in operations, and a report of it.

    The graph takes uint8 RGB pixels, `(1, height, width, 3)`, named `image`, and does
    its own preprocessing. The file carries the class names and the metadata that
    MediaPipe and Android's tools read. It is compared with the Keras model on photos
    and timed before it is put in its place, with `PATH.report.json` beside it; an
    export that fails, or answers too differently, leaves nothing behind and what was
    there before.

    Args:
        model: A model of this package.
        path: The file to write; it must end in `.tflite`.
        size: Height and width of the input, or one integer. By default those of the
            model's input or training crop. Sizes `output_stride * k + 1` align.
        quantize: How numbers are stored: `"none"` (float32), `"float16"` (weights in
            half precision), `"dynamic"` (weights in 8 bits, one scale a channel) or
            `"int8"` (weights and activations in 8 bits, in ranges that `calibration`
            shows; the last resize and what follows it stay float).
        calibration: Photos for `"int8"`, or folders of them: some tens like those the
            model is to work on.
        outputs: The answer. `"labels"`: label map, uint8 up to 256 classes or else
            int32, `(1, height, width)`. `"probabilities"` and `"logits"`: float32,
            `(1, height, width, classes)`. `"delegate"`: logits of an input of float32
            `(pixels - mean) / std`, as the metadata say and MediaPipe does by itself,
            for GPU delegates, which have neither uint8 nor labels.
        photos: Photos for the comparison, or folders of them; by default those of
            `masks`, of `calibration`, or the two of the package.
        masks: Folder of label maps of the same names as the photos in the folder
            `photos`, for the mean IoU of both.
        ignore_label: Label of the mask pixels that do not count.
        least_agreement: The share of the photos' pixels that must get the same label
            from both, in `[0, 1]`. By default the `agreement` of the row of
            `quantize` in `keras_deeplab.export.QUANTIZATIONS`.
        crf: A CRF that refines the logits inside the graph, in float and at the size
            of the input: `"v1"`, `"v2"`, `"pydensecrf"` or a JSON file of parameters,
            with the accuracy `"mobile"`; or a `DenseCRF` layer, of which what it has
            learned becomes constants. Where a photo is padded to the input, padding
            takes part in it. `"logits"` are then logarithms of probabilities. The
            report tells size, memory and latency without it too.

    Returns:
        The report.

    Raises:
        ExportError: If the file is not close enough to the model, or cannot be.
        ValueError: If an argument is out of range or a photo cannot be read.
        OSError: If a file cannot be read or written.

    Examples:
        >>> model = keras_deeplab.load_model("model.keras")  # doctest: +SKIP
        >>> report = keras_deeplab.export.to_tflite(
        ...     model, "model.tflite", size=257, quantize="float16"
        ... )  # doctest: +SKIP
        >>> report.parity.agreement  # doctest: +SKIP
        0.9998
    """
    target = Path(path)
    if target.suffix != ".tflite":
        raise ValueError(f"`path` must end in .tflite. Received: path={str(path)!r}")
    arguments.check_choice(QUANTIZATIONS, quantize=quantize)
    arguments.check_choice(OUTPUT_FORMS, outputs=outputs)
    check_backend()
    row = QUANTIZATIONS[quantize]
    trial = make_trial(
        photos, masks, ignore_label, least_agreement, row.agreement, calibration
    )
    step = crf_step(crf, "mobile")
    job = TFLiteJob(
        graph=Graph(model=fixed_size(model, size), crf=step),
        outputs=outputs,
        quantize=quantize,
        calibration=_calibration(quantize, calibration),
    )
    with part_beside(report_path(target)) as told, part_beside(target) as part:
        # The network of the file with a CRF and of that without, for the report.
        coarse = None if step is None else job.coarse()
        job.write(part, coarse)
        with _without_crf(job, coarse) as plain:
            report = _tried(job, trial, part, plain, target)
        told.write_text(report.to_json(), encoding="utf-8")
    return report


def _calibration(quantize: str, photos: PhotoSource | None) -> tuple[Path, ...]:
    if not QUANTIZATIONS[quantize].calibrated:
        return ()
    if photos is None:
        raise ValueError(
            f"`calibration` is needed for {quantize!r}: give a folder of some tens of "
            "photos like those the model is to work on. Received: calibration=None"
        )
    return find_photos(photos)


def _tried(
    job: TFLiteJob, trial: Trial, part: Path, plain: Path | None, target: Path
) -> ExportReport:
    lite, form = LiteModel(part), job.form
    parity = compare(
        job.graph,
        lite,
        trial.photos,
        activated=form.activated,
    )
    trial.check(parity)
    model, crf = job.graph.model, job.graph.crf
    height, width = model.input_shape[1:3]
    content = part.read_bytes()
    return ExportReport(
        path=target,
        format="tflite",
        outputs=job.outputs,
        quantize=job.quantize,
        input_size=(height, width),
        size_bytes=len(content),
        operations=tflite_operations(content),
        parity=parity,
        least_agreement=trial.least_agreement,
        mean_iou=trial.mean_iou(lite),
        keras_mean_iou=trial.mean_iou(model, crf),
        latency=_latency(target.name, part, plain),
        peak_bytes=measure_peak(part),
        crf=_effect(job, trial, plain),
    )


@contextlib.contextmanager
def _without_crf(job: TFLiteJob, coarse: bytes | None) -> Iterator[Path | None]:
    """Writes the same without the CRF, if there is one, for as long as it is needed."""
    if coarse is None:
        yield None
        return
    plain = dataclasses.replace(job, graph=dataclasses.replace(job.graph, crf=None))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.tflite"
        plain.write(path, coarse)
        yield path


def _latency(name: str, part: Path, plain: Path | None) -> tuple[Latency, ...]:
    files = {part.name: name}
    paths = [part]
    if plain is not None:
        files[plain.name] = f"{name}, without the CRF"
        # The first is what the others are compared with.
        paths.insert(0, plain)
    return tuple(
        dataclasses.replace(row, file=files[row.file])
        for row in measure_latency(paths, seconds=_SECONDS)
    )


def _effect(job: TFLiteJob, trial: Trial, plain: Path | None) -> CRFEffect | None:
    crf = job.graph.crf
    if crf is None or plain is None:
        return None
    return CRFEffect(
        parameters=crf.crf_parameters,
        accuracy=crf.accuracy,
        plain_bytes=plain.stat().st_size,
        plain_peak_bytes=measure_peak(plain),
        plain_mean_iou=trial.mean_iou(job.graph.model),
    )
