"""What a TFLite file says about the way to run it."""

import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from keras_deeplab.layers.preprocess import PREPROCESSINGS
from keras_deeplab.weights.array_archive import (
    OWN_FILE,
    read_appended_labels,
    read_member,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TFLiteFacts:
    """What is known of a TFLite file; by default what holds for the official ones.

    Args:
        class_names: A name for each class, or `None`.
        mean: Subtracted from each channel of RGB pixels.
        std: What they are then divided by.
        resize_mode: How a photo is fitted to the input: `"pad"` or `"stretch"`.
        pad_pixel: RGB of the padding.
        form: The answer, a key of `OUTPUT_FORMS`; `None` where the file does not say.
    """

    class_names: tuple[str, ...] | None = None
    mean: tuple[float, float, float] = PREPROCESSINGS["symmetric"].mean
    std: float = 1 / PREPROCESSINGS["symmetric"].scale
    resize_mode: str = "stretch"
    pad_pixel: tuple[float, float, float] = PREPROCESSINGS["symmetric"].mean
    form: str | None = None


def read_facts(path: Path) -> TFLiteFacts:
    """Reads what a file says of itself.

    Args:
        path: A TFLite file.

    Returns:
        What a file of this package says; of another its class names, if it has any.

    Raises:
        ValueError: If what is appended to the file is damaged.
    """
    content = path.read_bytes()
    names = read_appended_labels(content)
    own = _own(content)
    if own is None:
        return TFLiteFacts(class_names=names)
    try:
        return TFLiteFacts(
            class_names=tuple(map(str, own["class_names"])),
            mean=_triple(own["mean"]),
            std=float(own["std"]),
            resize_mode=str(own["resize_mode"]),
            pad_pixel=_triple(own["pad_pixel"]),
            form=str(own["form"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{OWN_FILE} in {path} is damaged: {error!r}") from error


def _own(content: bytes) -> dict[str, Any] | None:
    file = io.BytesIO(content)
    if not zipfile.is_zipfile(file):
        return None
    with zipfile.ZipFile(file) as archive:
        if OWN_FILE not in archive.namelist():
            return None
        found = json.loads(read_member(archive, OWN_FILE))
        return found if isinstance(found, dict) else {}


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
