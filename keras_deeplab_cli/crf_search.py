"""`keras-deeplab crf-search`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import AccuracyOption
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

if TYPE_CHECKING:
    from keras_deeplab.inference import CRFSearch, Predictor

# Distance of the values in each round, in steps of the paper.
_STEPS = (2.0, 1.0, 0.5)


def crf_search(
    images: ImagesOption,
    masks: MasksOption,
    weights: WeightsOption = None,
    preset: Annotated[
        str,
        typer.Option(
            metavar="v1|v2", help="Whose paper's ranges and position term to take."
        ),
    ] = "v1",
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Begin with every value that the paper tried, and not every second: "
            "288 of v1, 128 of v2.",
        ),
    ] = False,
    photos: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Photos to take, evenly over all, at most."
        ),
    ] = 100,
    crf_accuracy: AccuracyOption = "accurate",
    ignore_label: IgnoreLabelOption = 255,
    engine: EngineOption = "keras",
    output_stride: OutputStrideOption = None,
    size: SizeOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            dir_okay=False,
            help="Write the best parameters, for --crf, and all that was tried.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", dir_okay=False, help="Draw a heat map."),
    ] = None,
) -> None:
    """Find the parameters of the CRF that suit a model.

    As the papers did, on part of a validation set: a grid over the weight and the two
    widths of the bilateral term, then finer grids around the best. The files are
    written after every few that were tried: hardly anything is lost on Ctrl-C.

    For example:

    * `keras-deeplab crf-search --weights model.keras --images photos --masks masks
      --out crf.json --plot crf.png`

    * `keras-deeplab segment photo.jpg --weights model.keras --crf crf.json`
    """
    source = find_weights(weights)
    _check_paths(out, plot)
    model = load_predictor(source, engine, output_stride, size)
    options = {
        "ranges": preset,
        "steps": _STEPS[1:] if full else _STEPS,
        "most_photos": photos,
        "accuracy": crf_accuracy,
        "ignore_label": ignore_label,
        "size": size,
    }
    found = _found(model, images, masks, out, plot, options)
    output.say(_table(found))
    best, plain = found.best.mean_iou, found.plain_mean_iou
    output.say(
        f"Mean IoU {100 * plain:.2f} % without a CRF, {100 * best:.2f} % with the best"
    )
    if best <= plain:
        output.say("On these photos no CRF is better: leave it out.")
    for path in filter(None, (out, plot)):
        output.say(f"Wrote {path}")


def _check_paths(out: Path | None, plot: Path | None) -> None:
    for option, path, ending in (("--out", out, ".json"), ("--plot", plot, ".png")):
        if path is not None and path.suffix != ending:
            output.fail(f"{option} must end in {ending}: {path}")
        output.check_file_can_be_written(path, option)


def _found(
    model: Predictor,
    images: Path,
    masks: Path,
    out: Path | None,
    plot: Path | None,
    options: dict[str, Any],
) -> CRFSearch:
    from keras_deeplab import inference

    def write(search: CRFSearch) -> None:
        if out is not None:
            search.write(out)
        if plot is not None:
            picture = inference.draw_heat_map(search)
            inference.write_atomically(plot, lambda file: picture.save(file, "PNG"))

    try:
        with output.warnings_told(), output.progress_bar() as report:
            return inference.search_crf(
                model, images, masks, progress=report, each_time=write, **options
            )
    except (OSError, ValueError) as error:
        output.fail(str(error))
    except KeyboardInterrupt:
        kept = [str(path) for path in (out, plot) if path and path.exists()]
        output.complain(f"Stopped. What was tried is in: {', '.join(kept) or '-'}")
        raise


def _table(found: CRFSearch) -> Table:
    """The best of each round."""
    table = Table(title=f"The best of each round, on {len(found.photos)} photos")
    names = [field.name for field in dataclasses.fields(found.best.parameters)]
    for title in ("Round", "Tried", *names, "Mean IoU"):
        # Names too long for a narrow terminal go on in the next line.
        table.add_column(title, justify="right", overflow="fold")
    for number in sorted({trial.round for trial in found.trials}):
        trials = [trial for trial in found.trials if trial.round == number]
        best = max(trials, key=lambda trial: trial.mean_iou)
        values = [f"{getattr(best.parameters, name):g}" for name in names]
        table.add_row(
            str(number), str(len(trials)), *values, f"{100 * best.mean_iou:.2f}"
        )
    return table
