"""What an exported file has to pass before it is put in its place."""

import dataclasses
import os
from pathlib import Path

from keras_deeplab.export.export_error import ExportError
from keras_deeplab.export.parity import Parity
from keras_deeplab.export.photos import PhotoSource, find_photos
from keras_deeplab.inference import Predictor, evaluate
from keras_deeplab.layers import DenseCRF, arguments


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """The photos that an export is tried on, and what is asked of it.

    Args:
        photos: Files of photos.
        folders: Folders of photos and of their masks for the mean IoU, or `None`.
        ignore_label: Label of the mask pixels that do not count.
        least_agreement: The share of labels that must agree, in `[0, 1]`.
    """

    photos: tuple[Path, ...]
    folders: tuple[Path, Path] | None
    ignore_label: int | None
    least_agreement: float

    def check(self, parity: Parity) -> None:
        """Raises `ExportError` if too few labels agree."""
        if parity.agreement < self.least_agreement:
            raise ExportError(
                f"The export gives {parity.agreement:.2%} of the pixels of "
                f"{len(parity.photos)} photos the label that the Keras model gives: "
                f"{self.least_agreement:.2%} are asked for. Nothing was written. "
                "Calibrate with more photos that are like those of use, store numbers "
                "less tightly, or ask for less with `least_agreement`."
            )

    def mean_iou(self, model: Predictor, crf: DenseCRF | None = None) -> float | None:
        """The mean IoU of a model, with a CRF behind it or not, if there are masks."""
        if self.folders is None:
            return None
        images, masks = self.folders
        scores = evaluate(model, images, masks, ignore_label=self.ignore_label, crf=crf)
        return scores.mean_iou


def make_trial(
    photos: PhotoSource | None,
    masks: str | os.PathLike[str] | None,
    ignore_label: int | None,
    least_agreement: float | None,
    default_agreement: float,
    calibration: PhotoSource | None = None,
) -> Trial:
    """Makes a trial from the arguments of an export.

    Args:
        photos: Photos, folders of them, or `None`.
        masks: Folder of masks of the photos in the folder `photos`, or `None`.
        ignore_label: Label of the mask pixels that do not count.
        least_agreement: What is asked for, or `None`.
        default_agreement: What is asked for otherwise.
        calibration: Photos to take without `photos`.

    Returns:
        The trial.

    Raises:
        ValueError: If an argument is out of range, or does not fit the others.
        OSError: If a photo is not there.
    """
    asked = default_agreement if least_agreement is None else least_agreement
    arguments.within(0, 1, least_agreement=asked)
    folders = None
    if masks is not None:
        folders = _folder(photos), Path(masks)
    return Trial(
        photos=find_photos(photos if photos is not None else calibration),
        folders=folders,
        ignore_label=ignore_label,
        least_agreement=asked,
    )


def _folder(photos: PhotoSource | None) -> Path:
    if not isinstance(photos, str | os.PathLike) or not os.path.isdir(photos):
        raise ValueError(
            "`masks` need their photos: give `photos` as the folder that holds them, "
            f"under the same names. Received: photos={photos!r}"
        )
    return Path(photos)
