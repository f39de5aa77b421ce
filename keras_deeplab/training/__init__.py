"""What `compile` and `fit` take: losses, schedules, optimizers, callbacks.

Everything here works in an ordinary `fit`. Other needs are met by Keras itself:

- a larger batch than fits: `gradient_accumulation_steps` of the optimizer, on one
  replica; schedules count the small batches, and batch norms see one at a time;
- mixed precision: `keras.config.set_dtype_policy("mixed_float16")` before the model is
  made; `compile` then scales the loss;
- averaged weights: `use_ema=True` of the optimizer. They replace the weights when `fit`
  ends; `keras.callbacks.SwapEMAWeights` has them evaluated in between.

`make_strategy` has all of it done by several devices or machines.

Examples:
    >>> model = keras_deeplab.LRASPP("mobilenet_v3_small", classes=3)
    >>> keras_deeplab.training.set_batch_norm(model, "frozen")
    >>> optimizer = keras_deeplab.training.LayerwiseSGD(
    ...     keras_deeplab.training.PolyDecay(0.007, total_steps=30_000),
    ...     multipliers=keras_deeplab.training.classifier_multipliers(),
    ...     weight_decay=4e-5,
    ...     gradient_accumulation_steps=4,
    ...     use_ema=True,
    ... )
    >>> model.compile(
    ...     optimizer,
    ...     keras_deeplab.training.SegmentationCrossEntropy(),
    ...     metrics=[keras_deeplab.metrics.MeanIoU(classes=3)],
    ... )
"""

from keras_deeplab.training.batch_norm import set_batch_norm
from keras_deeplab.training.class_weights import median_frequency_weights
from keras_deeplab.training.cross_entropy import SegmentationCrossEntropy
from keras_deeplab.training.dice import Dice
from keras_deeplab.training.distillation_loss import DistillationLoss
from keras_deeplab.training.distiller import Distiller
from keras_deeplab.training.find_data import Splits, find_data
from keras_deeplab.training.focal import Focal
from keras_deeplab.training.layerwise import Layerwise, classifier_multipliers
from keras_deeplab.training.layerwise_adam_w import LayerwiseAdamW
from keras_deeplab.training.layerwise_sgd import LayerwiseSGD
from keras_deeplab.training.multi_scale import multi_scale_outputs
from keras_deeplab.training.pixel_loss import PixelLoss
from keras_deeplab.training.poly_decay import PolyDecay
from keras_deeplab.training.quantization_aware import QuantizationAware
from keras_deeplab.training.recipe import Recipe
from keras_deeplab.training.recipes import RECIPES, find_recipe
from keras_deeplab.training.replicas import Replicas
from keras_deeplab.training.run import train
from keras_deeplab.training.stop_on_nan import StopOnNaN
from keras_deeplab.training.strategy import STRATEGIES, make_strategy

__all__ = [
    "RECIPES",
    "STRATEGIES",
    "Dice",
    "DistillationLoss",
    "Distiller",
    "Focal",
    "Layerwise",
    "LayerwiseAdamW",
    "LayerwiseSGD",
    "PixelLoss",
    "PolyDecay",
    "QuantizationAware",
    "Recipe",
    "Replicas",
    "SegmentationCrossEntropy",
    "Splits",
    "StopOnNaN",
    "classifier_multipliers",
    "find_data",
    "find_recipe",
    "make_strategy",
    "median_frequency_weights",
    "multi_scale_outputs",
    "set_batch_norm",
    "train",
]
