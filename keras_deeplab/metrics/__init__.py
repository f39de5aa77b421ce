"""The one confusion matrix of the project, and the scores made from it."""

from keras_deeplab.metrics.confusion import confusion_matrix
from keras_deeplab.metrics.mean_iou import MeanIoU
from keras_deeplab.metrics.scores import SegmentationScores

__all__ = ["MeanIoU", "SegmentationScores", "confusion_matrix"]
