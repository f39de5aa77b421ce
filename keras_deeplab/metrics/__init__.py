"""The one confusion matrix of the project, and the scores made from it."""

from keras_deeplab.metrics.calibration import Calibration
from keras_deeplab.metrics.confusion import confusion_matrix
from keras_deeplab.metrics.mean_iou import MeanIoU
from keras_deeplab.metrics.scores import MEAN_OVER, SegmentationScores
from keras_deeplab.metrics.trimap import TRIMAP_WIDTHS, Trimap

__all__ = [
    "MEAN_OVER",
    "TRIMAP_WIDTHS",
    "Calibration",
    "MeanIoU",
    "SegmentationScores",
    "Trimap",
    "confusion_matrix",
]
