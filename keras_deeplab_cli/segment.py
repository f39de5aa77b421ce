"""`keras-deeplab segment`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import AccuracyOption, CRFOption, find_crf
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
from keras_deeplab_cli.quiet import quiet_import
from keras_deeplab_cli.shares_table import shares_table

if TYPE_CHECKING:
    from keras_deeplab.inference import PhotoJob, Predictor


def segment(
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO",
            exists=True,
            show_default=False,
            help="Photos, or folders of photos.",
        ),
    ],
    weights: WeightsOption = None,
    engine: EngineOption = "keras",
    output_stride: OutputStrideOption = None,
    size: SizeOption = None,
    crf: CRFOption = None,
    crf_accuracy: AccuracyOption = "accurate",
    scales: ScalesOption = None,
    flip: FlipOption = False,
    window: WindowOption = None,
    overlap: OverlapOption = 0.25,
    batch_size: Annotated[
        int,
        typer.Option(
            "--batch-size",
            metavar="N",
            min=1,
            help="Show the model up to N photos, or windows, at once.",
        ),
    ] = 1,
    confidence: Annotated[
        bool,
        typer.Option(
            "--confidence", help="Also write how sure the model is of each label."
        ),
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Also write the probabilities of all classes."
        ),
    ] = False,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for the results; made if need be."),
    ] = Path(),
) -> None:
    """Segment photos.

    Writes two pictures for each photo, and more if asked, and prints a table of the
    classes found:

    * `NAME.labels.png`: one label a pixel, as the value of an 8-bit palette PNG of the
      photo's own size

    * `NAME.overlay.png`: the photo with the classes in colour, and a legend

    * `NAME.confidence.png`: with `--confidence`, 255 times the probability of each
      pixel's label, in 8-bit grey

    * `NAME.probabilities.npy`: with `--probabilities`, a NumPy array of float16, height
      x width x classes

    For example:

    * `keras-deeplab segment photo.jpg`

    * `keras-deeplab segment holiday/ --out results --output-stride 16`

    * `keras-deeplab segment photo.jpg --crf v1`

    * `keras-deeplab segment large.jpg --window 513`
    """
    source = find_weights(weights)
    jobs = _jobs(photos, out, confidence, probabilities)
    layer = find_crf(crf, crf_accuracy)
    model = load_predictor(source, engine, output_stride, size)
    with output.warnings_told(), output.progress_bar() as report:
        plan = find_plan(model, size, scales, flip, window, overlap)
        _check(jobs, model)
        output.make_folder(out)
        done, counts, failures = _run(
            jobs,
            report,
            model=model,
            size=size,
            crf=layer,
            plan=plan,
            batch_size=batch_size,
            progress=report,
        )
    if counts:
        output.say(shares_table(counts, model.class_names))
        output.say(f"Wrote {_written(jobs[0])} to {out.resolve()}")
    _tell_stale(done)
    if failures:
        _report(failures, len(jobs))
        raise typer.Exit(output.FAILED)


def _jobs(
    photos: Sequence[Path], out: Path, confidence: bool, probabilities: bool
) -> tuple[PhotoJob, ...]:
    with quiet_import():
        from keras_deeplab.inference import list_photos, plan_jobs

    try:
        return plan_jobs(
            list_photos(photos),
            out,
            confidence=confidence,
            probabilities=probabilities,
        )
    except (OSError, ValueError) as error:
        output.fail(str(error))


def _check(jobs: Sequence[PhotoJob], model: Predictor) -> None:
    try:
        for job in jobs:
            job.check(model)
    except ValueError as error:
        output.fail(str(error))


def _run(
    jobs: Sequence[PhotoJob], report: output.Report, **how: Any
) -> tuple[list[PhotoJob], list[Any], list[str]]:
    from keras_deeplab.inference import run_jobs

    done: list[PhotoJob] = []
    counts: list[Any] = []
    failures: list[str] = []
    for job, result in run_jobs(jobs=jobs, **how):
        if isinstance(result, Exception):
            failures.append(_failure(job.photo, result))
        else:
            done.append(job)
            counts.append(result)
        report("segmenting", len(done) + len(failures), len(jobs))
    return done, counts, failures


def _tell_stale(jobs: Sequence[PhotoJob]) -> None:
    from keras_deeplab.data.listing import listed

    stale = [path.name for job in jobs for path in job.stale]
    if stale:
        output.complain(
            "Note: Files of an earlier run lie beside these results, and are of its "
            f"labels: {listed(stale)}"
        )


def _written(job: PhotoJob) -> str:
    names = [path.name.replace(job.photo.stem, "NAME", 1) for path in job.results]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _failure(photo: Path, error: Exception) -> str:
    reason = str(error)
    if not isinstance(error, OSError | ValueError):
        # Not ours, so the message may say little by itself.
        reason = f"{type(error).__name__}: {reason}".removesuffix(": ")
    # The name comes first, and is not needed again at the end.
    for ending in (f" Received: image={photo}", f": {str(photo)!r}"):
        reason = reason.removesuffix(ending)
    return f"{photo}: {reason}"


def _report(failures: Sequence[str], photos: int) -> None:
    output.complain(f"{len(failures)} of {photos} photos failed:")
    for failure in failures:
        output.complain(failure)
