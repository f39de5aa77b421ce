"""From a recipe to what Keras compiles and fits."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from keras_deeplab.data import SegmentationData
from keras_deeplab.models import MODELS_BY_NAME, Segmenter
from keras_deeplab.training.batch_norm import batch_norms, set_batch_norm
from keras_deeplab.training.cross_entropy import SegmentationCrossEntropy
from keras_deeplab.training.dice import Dice
from keras_deeplab.training.distiller import Distiller
from keras_deeplab.training.focal import Focal
from keras_deeplab.training.layerwise_adam_w import LayerwiseAdamW
from keras_deeplab.training.layerwise_sgd import LayerwiseSGD
from keras_deeplab.training.multi_scale import multi_scale_outputs
from keras_deeplab.training.poly_decay import PolyDecay
from keras_deeplab.training.quantization_aware import QuantizationAware
from keras_deeplab.training.recipe import Recipe
from keras_deeplab.weights import load_model

_LOSSES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"cross_entropy": SegmentationCrossEntropy, "focal": Focal, "dice": Dice}
)
_OPTIMIZERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"sgd": LayerwiseSGD, "adamw": LayerwiseAdamW}
)


def build_model(recipe: Recipe, data: SegmentationData) -> Segmenter:
    """Builds a recipe's model for the classes of some data, with its first weights.

    Args:
        recipe: The recipe.
        data: Photos with masks.

    Returns:
        The model.

    Raises:
        ValueError: If the recipe is a second stage and names no weights, or the
            weights do not suit the model.
    """
    if recipe.after is not None and recipe.weights is None:
        raise ValueError(
            f"The recipe {recipe.name!r} goes on with a model of {recipe.after!r}: "
            "give that as `weights`, such as RUN/best.keras. Received: weights=None"
        )
    return MODELS_BY_NAME[recipe.model](
        **_tuples(recipe.arguments),
        classes=data.classes,
        class_names=data.class_names,
        crop_size=recipe.crop_size,
        dtype=recipe.precision,
        weights=recipe.weights,
    )


def rebuild_model(recipe: Recipe, config: Mapping[str, Any]) -> Segmenter:
    """Builds the model of a run again, from its configuration and without weights."""
    return MODELS_BY_NAME[recipe.model].from_config(dict(config))


def compile_model(
    model: Segmenter,
    recipe: Recipe,
    *,
    steps_per_epoch: int,
    ignore_label: int | None,
    class_weights: Sequence[float] | None,
) -> keras.Model:
    """Makes the model that `fit` trains, ready with its optimizer.

    Args:
        model: The recipe's model.
        recipe: The recipe.
        steps_per_epoch: Steps of an epoch, which the schedule depends on.
        ignore_label: Label that does not count.
        class_weights: A weight for each class, or `None`.

    Returns:
        The model itself, or one around it that trains it, compiled. The optimizer's
        variables are there.

    Raises:
        ValueError: If an option of the recipe is out of range.
        TypeError: If there is no such option.
    """
    set_batch_norm(model, recipe.batch_norm, batch_size=recipe.batch_size)
    for layer in batch_norms(model):
        if recipe.batch_norm_momentum is not None:
            layer.momentum = recipe.batch_norm_momentum
    trained = _with_outputs(model, recipe, ignore_label)
    loss = _LOSSES[recipe.loss](
        ignore_label=ignore_label,
        class_weights=class_weights,
        **recipe.loss_options,
    )
    losses = [loss] * len(trained.outputs) if recipe.multi_scale_loss else loss
    optimizer = make_optimizer(recipe, steps_per_epoch)
    trained.compile(optimizer, losses)
    trained.optimizer.build(trained.trainable_variables)
    return trained


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> Any:
    """Makes a recipe's optimizer.

    Args:
        recipe: The recipe.
        steps_per_epoch: Steps of an epoch.

    Returns:
        A Keras optimizer.

    Raises:
        ValueError: If an option is out of range.
        TypeError: If there is no such option.
    """
    options = dict(recipe.optimizer_options)
    if recipe.accumulation > 1:
        options["gradient_accumulation_steps"] = recipe.accumulation
    if recipe.ema is not None:
        options.update(use_ema=True, ema_momentum=recipe.ema)
    optimizer = _OPTIMIZERS[recipe.optimizer](
        _schedule(recipe, recipe.total_steps(steps_per_epoch)),
        multipliers=recipe.multipliers,
        weight_decay=recipe.weight_decay,
        **options,
    )
    if recipe.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def _schedule(recipe: Recipe, total_steps: int) -> Any:
    options = recipe.schedule_options
    if recipe.schedule == "poly":
        return PolyDecay(recipe.learning_rate, total_steps, **options)
    if recipe.schedule == "staircase":
        return keras.optimizers.schedules.ExponentialDecay(
            recipe.learning_rate, staircase=True, **options
        )
    return recipe.learning_rate


def _with_outputs(
    model: Segmenter, recipe: Recipe, ignore_label: int | None
) -> keras.Model:
    if recipe.multi_scale_loss:
        return multi_scale_outputs(model)
    student = QuantizationAware(model) if recipe.quantize == "int8" else model
    if recipe.teacher is None:
        return student
    return Distiller(
        student,
        load_model(recipe.teacher).with_dtype(recipe.precision),
        weight=recipe.teacher_weight,
        temperature=recipe.teacher_temperature,
        ignore_label=ignore_label,
    )


def _tuples(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """As they would be written by hand: JSON has lists in place of tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()}
