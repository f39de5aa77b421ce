"""A model of any number of classes that reads the label off the photo's red channel."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass
class LabelModel:
    """Says the red value of a pixel, as surely as its green tells, 1 to 255."""

    classes: int
    class_names: tuple[str, ...] | None = None
    crop_size: tuple[int, int] | None = None
    resize_mode: str = "pad"
    output_stride: int = 8
    output_kind: str = "logits"
    pad_pixel: tuple[float, float, float] = (0.0, 0.0, 0.0)
    input_shape: tuple[int | None, ...] = (None, None, None, 3)
    seen: list[tuple[int, ...]] = dataclasses.field(default_factory=list)

    def preprocess(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return images

    def predict_on_batch(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        self.seen.append(x.shape)
        said = np.eye(self.classes, dtype="float32")[x[..., 0].round().astype(int)]
        logits = said * x[..., 1:2] / 32
        if self.output_kind == "logits":
            return logits
        powers = np.exp(logits)
        return powers / powers.sum(axis=-1, keepdims=True)

    def with_output_stride(self, output_stride: int) -> "LabelModel":
        return dataclasses.replace(self, output_stride=output_stride)


def photo_of(
    labels: np.ndarray[Any, Any], sureness: np.ndarray[Any, Any] | int = 255
) -> np.ndarray[Any, Any]:
    """The photo of which a `LabelModel` says these labels."""
    green = np.broadcast_to(sureness, labels.shape)
    return np.stack([labels, green, np.zeros_like(labels)], axis=-1).astype("uint8")
