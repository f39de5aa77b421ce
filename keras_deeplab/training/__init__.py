"""What `compile` and `fit` take: losses, schedules, optimizers, callbacks."""

from keras_deeplab.training.batch_norm import set_batch_norm
from keras_deeplab.training.cross_entropy import SegmentationCrossEntropy
from keras_deeplab.training.dice import Dice
from keras_deeplab.training.distillation_loss import DistillationLoss
from keras_deeplab.training.distiller import Distiller
from keras_deeplab.training.focal import Focal
from keras_deeplab.training.layerwise import Layerwise, classifier_multipliers
from keras_deeplab.training.layerwise_adam_w import LayerwiseAdamW
from keras_deeplab.training.layerwise_sgd import LayerwiseSGD
from keras_deeplab.training.pixel_loss import PixelLoss
from keras_deeplab.training.poly_decay import PolyDecay
from keras_deeplab.training.stop_on_nan import StopOnNaN

__all__ = [
    "Dice",
    "DistillationLoss",
    "Distiller",
    "Focal",
    "Layerwise",
    "LayerwiseAdamW",
    "LayerwiseSGD",
    "PixelLoss",
    "PolyDecay",
    "SegmentationCrossEntropy",
    "StopOnNaN",
    "classifier_multipliers",
    "set_batch_norm",
]
