"""What segments photos: a model of this package, or something in its place."""

from typing import Any, Protocol

from keras_deeplab._types import Tensor


class Predictor(Protocol):
    """What `segment` and `evaluate` need of a model; see `Segmenter` for each."""

    classes: int
    class_names: tuple[str, ...] | None
    crop_size: tuple[int, int] | None
    resize_mode: str
    output_stride: int

    @property
    def output_kind(self) -> str:
        """`"logits"`, `"probabilities"` or `"labels"`: 1 for the label, else 0."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """`(None, height, width, 3)`."""

    @property
    def pad_pixel(self) -> tuple[float, float, float]:
        """RGB of 0 to 255 of the padding."""

    def preprocess(self, images: Tensor) -> Tensor:
        """Turns RGB pixels of 0 to 255 into the model's input."""

    def predict_on_batch(self, x: Any) -> Any:
        """Answers with one value for each pixel and class."""
