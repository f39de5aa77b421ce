"""The formats of an export, and what each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer

from keras_deeplab_cli.output import fail

# The formats, and which of the options that not all of them have they take.
FORMATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tflite": ("quantize", "calibration", "outputs"),
        "saved_model": (),
        "onnx": ("outputs",),
    }
)
_ENDINGS = {"tflite": ".tflite", "onnx": ".onnx"}
NUMBERS = ("none", "float16", "dynamic", "int8")
ANSWERS = ("labels", "probabilities", "logits", "delegate")
# How closely a CRF inside follows the exact answer.
CRF_ACCURACY = {"tflite": "mobile", "saved_model": "accurate", "onnx": "accurate"}
# What says nothing about a format.
_DEFAULTS = {"quantize": "none", "calibration": None, "outputs": "labels"}


def one_of(*choices: str) -> Callable[[str], str]:
    """Returns a callback that refuses what is none of the choices."""

    def check(value: str) -> str:
        if value not in choices:
            raise typer.BadParameter(f"{value} is not one of {', '.join(choices)}.")
        return value

    return check


def own_options(format_: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that a format takes, or fails if it has no use for one."""
    taken = FORMATS[format_]
    for name, value in given.items():
        if name not in taken and value != _DEFAULTS[name]:
            fail(f"--{name} has no effect on {format_}: leave it out.")
    return {name: given[name] for name in taken}


def check_start(
    format_: str,
    out: Path,
    quantize: str,
    calibration: list[Path] | None,
    photos: Path | None,
) -> None:
    """Fails for what the export would find out only after the model is loaded."""
    ending = _ENDINGS.get(format_)
    if ending is not None and out.suffix != ending:
        fail(f"--out of the format {format_} must end in {ending}: {out}")
    if calibration and photos is not None and quantize != "int8":
        fail(
            "--calibration has no effect with --photos and without --quantize int8: "
            "leave it out."
        )
    if quantize == "int8" and not calibration:
        fail(
            "--quantize int8 needs --calibration: a folder of some tens of photos like "
            "those the model is to work on."
        )
