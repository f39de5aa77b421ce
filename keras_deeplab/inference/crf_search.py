"""What a search for the parameters of the CRF found."""

import dataclasses
import os

from keras_deeplab.inference.crf_source import write_crf
from keras_deeplab.layers.crf_presets import CRFParameters


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFTrial:
    """Parameters that were tried.

    Args:
        parameters: The parameters.
        mean_iou: The mean IoU with them.
        round: In which round, from 1.
    """

    parameters: CRFParameters
    mean_iou: float
    round: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFSearch:
    """What a search for the parameters of the CRF found.

    Args:
        trials: All that was tried, in order; at least one.
        plain_mean_iou: The mean IoU without a CRF.
        accuracy: `"accurate"` or `"mobile"`.
        photos: Names of the photos.
    """

    trials: tuple[CRFTrial, ...]
    plain_mean_iou: float
    accuracy: str
    photos: tuple[str, ...]

    @property
    def best(self) -> CRFTrial:
        """The first of the trials of the largest mean IoU."""
        return max(self.trials, key=lambda trial: trial.mean_iou)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes all of it as JSON, which `crf=` and `--crf` take for the best.

        Args:
            path: The file; its folder must exist.

        Raises:
            OSError: If it cannot be written.
        """
        write_crf(
            path,
            self.best.parameters,
            mean_iou=self.best.mean_iou,
            plain_mean_iou=self.plain_mean_iou,
            accuracy=self.accuracy,
            photos=self.photos,
            trials=[dataclasses.asdict(trial) for trial in self.trials],
        )
