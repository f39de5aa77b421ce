"""The page that `keras-deeplab evaluate --report` writes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import describe_crf
from keras_deeplab_cli.scored_photos import ScoredPhotos

if TYPE_CHECKING:
    from keras_deeplab.data import SegmentationData
    from keras_deeplab.inference import Evaluation, InferencePlan, Predictor
    from keras_deeplab.layers import DenseCRF


def facts_of(
    photos: ScoredPhotos,
    model: Predictor,
    data: SegmentationData,
    size: int | None,
    crf: DenseCRF | None,
    plan: InferencePlan,
) -> dict[str, str]:
    """Says what was scored on what, and how."""
    import keras

    from keras_deeplab._version import __version__

    part = ", incomplete" if photos.incomplete else ""
    facts = {
        "Data": f"{photos.where}: {len(data)} photos{part}",
        "Photos are shown": _sight(model, size, plan),
    }
    # An exported file does not tell its own.
    if model.output_stride > 1:
        facts["Output stride"] = str(model.output_stride)
    if model.output_kind == "labels":
        facts["Calibration"] = (
            "not measured: the file answers with labels, and not with how sure it is"
        )
    if crf is not None:
        facts["CRF"] = describe_crf(crf.accuracy, crf.crf_parameters)
    facts["Made with"] = (
        f"keras_deeplab {__version__}, Keras {keras.__version__} on "
        f"{keras.backend.backend()}"
    )
    return facts


def _sight(model: Predictor, size: int | None, plan: InferencePlan) -> str:
    """How photos are shown to the model."""
    parts = [_size(model, size, plan)]
    # Into an input of one size a whole photo goes in one way.
    if plan.window is not None or None in model.input_shape[1:3]:
        scales = ", ".join(f"{scale:g}" for scale in plan.scales)
        parts.append(f"at the scale{'s'[: len(plan.scales) - 1]} {scales}")
    if plan.flip:
        parts.append("each mirrored too")
    return ", ".join(parts)


def _size(model: Predictor, size: int | None, plan: InferencePlan) -> str:
    if plan.window_size is not None:
        height, width = plan.window_size
        return f"in windows of {height} x {width}, overlap {plan.overlap:g}"
    sides = model.input_shape[1:3]
    if None not in sides:
        into = f"the model's input, {sides[0]} x {sides[1]} pixels"
        if model.resize_mode == "stretch":
            return f"stretched to {into}"
        shrunk = "" if size is None else f", longer side at most {size} pixels"
        return f"scaled down to fit into {into}, and padded{shrunk}"
    limit = size or (max(model.crop_size) if model.crop_size else None)
    return "whole" if limit is None else f"longer side at most {limit} pixels"


def command_of(context: typer.Context) -> str:
    """Returns the command as it was given."""
    words = ["keras-deeplab", "evaluate"]
    for parameter in context.command.params:
        name = parameter.name or ""
        origin = context.get_parameter_source(name)
        if origin is not None and origin.name == "COMMANDLINE":
            value = context.params[name]
            words += (
                parameter.opts if value is True else [parameter.opts[0], str(value)]
            )
    return shlex.join(words)


def write_page(
    path: Path,
    result: Evaluation,
    data: SegmentationData,
    photos: ScoredPhotos,
    facts: dict[str, str],
    command: str,
) -> None:
    """Writes the page, or fails."""
    from keras_deeplab import inference

    try:
        inference.write_report(
            path,
            result,
            data,
            title=f"{Path(facts['Weights']).name} on {photos.title}",
            facts=facts,
            command=command,
        )
    except (OSError, ValueError) as error:
        output.fail(f"--report {path} cannot be written: {error}")
    output.say(f"Wrote {path}")
