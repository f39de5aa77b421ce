"""What is known of an exported file."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_deeplab.export.crf_step import CRFEffect
from keras_deeplab.export.latency import Latency
from keras_deeplab.export.parity import Parity


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What an export is, and how close it is to the Keras model.

    It is also written as JSON, beside the export, to `PATH.report.json`.

    Args:
        path: The export.
        format: `"tflite"`, `"saved_model"` or `"onnx"`.
        outputs: What it answers.
        quantize: How its numbers are stored.
        input_size: Height and width; `None` for any.
        size_bytes: Size of the file, or of the folder's files together.
        operations: Every operation and how often it occurs.
        parity: How close it is to the Keras model on photos.
        least_agreement: The share of labels that had to agree.
        mean_iou: Mean IoU of the export, if masks were given.
        keras_mean_iou: Mean IoU of the Keras model on the same.
        latency: How fast it runs here; with a CRF, first without it.
        peak_bytes: Memory that it needs; `None` where it was not measured.
        crf: The CRF inside, and the export without it; `None` if there is none.
    """

    path: Path
    format: str
    outputs: str
    quantize: str = "none"
    input_size: tuple[int | None, int | None]
    size_bytes: int
    operations: Mapping[str, int]
    parity: Parity
    least_agreement: float
    mean_iou: float | None = None
    keras_mean_iou: float | None = None
    latency: tuple[Latency, ...] = ()
    peak_bytes: int | None = None
    crf: CRFEffect | None = None

    def to_json(self) -> str:
        """The report as JSON, which has no NaN: what is not known is null."""
        data = {
            **dataclasses.asdict(self),
            "path": self.path.name,
            "operations": dict(self.operations),
        }
        return json.dumps(_finite(data), indent=2, allow_nan=False) + "\n"


def report_path(path: Path) -> Path:
    """Where the report of an export goes."""
    return path.with_name(f"{path.name}.report.json")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
