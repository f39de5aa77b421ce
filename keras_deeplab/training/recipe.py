"""A training as plain data."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from keras_deeplab.layers import arguments
from keras_deeplab.models import MODELS_BY_NAME
from keras_deeplab.training.batch_norm import BATCH_NORM_MODES

OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("poly", "staircase", "constant")
LOSSES = ("cross_entropy", "focal", "dice")
CLASS_WEIGHTS = (None, "median_frequency")
QUANTIZE = ("none", "int8")
PRECISIONS = ("float32", "float64", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a training arrives at, but for the data's files.

    Plain data: `as_data` is JSON, and `Recipe(**as_data)` is the recipe again. What the
    fields lead to is checked where it is made; here, that it can be made at all.

    Args:
        name: Name of the recipe.
        model: Name of the model's class.
        arguments: Its arguments, without `classes`, `class_names`, `crop_size`,
            `weights` and `dtype`, which come from elsewhere.
        weights: What the model starts from, as its argument `weights` takes it.
        after: Name of the recipe whose model this one starts from, given as `weights`;
            `None` for a training that is not a second stage.
        train_data: Name of a dataset and its split to train on. A folder with `train/`
            and `val/` does as well; see `find_data`.
        val_data: The same, to score on.
        crop_size: Height and width of the crops.
        batch_size: Crops a step.
        epochs: Number of runs through the data; or else
        steps: number of steps, rounded up to whole epochs.
        optimizer: `"sgd"` or `"adamw"`, with a setting for each layer.
        optimizer_options: Further arguments of it, such as `momentum`.
        learning_rate: The rate at its highest.
        multipliers: Factors of it by pattern of the variables' paths; see
            `LayerwiseSGD`.
        weight_decay: Strength of the weight decay.
        schedule: `"poly"` (`PolyDecay`), `"staircase"` (a factor after every so many
            steps) or `"constant"`.
        schedule_options: Further arguments of it: `power`, `slow_start_steps`; or
            `decay_steps` and `decay_rate`.
        loss: `"cross_entropy"`, `"focal"` or `"dice"`.
        loss_options: Its arguments, such as `label_smoothing` or `hardest`.
        multi_scale_loss: Whether a V2 model of several scales has a loss for each.
        class_weights: `"median_frequency"` for weights counted from the training
            masks, or `None`.
        class_weight_power: Exponent of these weights: 0.5 for their square root.
        class_weight_range: Least and greatest weight.
        augmentation: Arguments of `Augmentation`.
        batch_norm: `"frozen"`, `"ordinary"` or `"synchronized"`.
        batch_norm_momentum: Share of the moving statistics kept at a step, or `None`
            for that of the official code, meant for tens of thousands of steps.
        ema: Share of the averaged weights kept at a step; `None` for no averages.
        accumulation: Steps whose gradients make one update.
        precision: `"float32"`, `"mixed_float16"`, `"mixed_bfloat16"`, or `"float64"`
            to compare trainings with each other.
        evaluation_output_stride: Output stride of the model that is scored and kept;
            `None` for that of the training.
        evaluate_every: Epochs between two evaluations; the last is always evaluated.
        quantize: `"none"`, or `"int8"` to train as an 8-bit file will compute; see
            `QuantizationAware`.
        teacher: File of a model to learn from as well, or `None`; see `Distiller`. It
            computes in the recipe's precision too.
        teacher_weight: Its share in the loss.
        teacher_temperature: Temperature of both softmaxes.
        seed: Seed of the initial weights, the dropout, the order and the augmentation.

    Raises:
        ValueError: If a field is out of range.

    Examples:
        >>> recipe = keras_deeplab.training.RECIPES["camvid_mobilenet_v2"]
        >>> changed = recipe.with_changes({"epochs": 2, "augmentation.flip": 0.0})
        >>> changed.epochs, changed.augmentation["flip"]
        (2, 0.0)
    """

    name: str
    model: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    after: str | None = None
    train_data: tuple[str, str]
    val_data: tuple[str, str]
    crop_size: tuple[int, int]
    batch_size: int
    epochs: int | None = None
    steps: int | None = None
    optimizer: str = "sgd"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float
    multipliers: Mapping[str, float] = field(default_factory=dict)
    weight_decay: float = 0.0
    schedule: str = "poly"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "cross_entropy"
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    multi_scale_loss: bool = False
    class_weights: str | None = None
    class_weight_power: float = 1.0
    class_weight_range: tuple[float, float] = (0.0, 100.0)
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    batch_norm: str = "ordinary"
    batch_norm_momentum: float | None = None
    ema: float | None = None
    accumulation: int = 1
    precision: str = "float32"
    evaluation_output_stride: int | None = None
    evaluate_every: int = 1
    quantize: str = "none"
    teacher: str | None = None
    teacher_weight: float = 0.5
    teacher_temperature: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        # JSON has lists where these are tuples.
        for name in ("train_data", "val_data", "class_weight_range"):
            object.__setattr__(self, name, _pair(name, getattr(self, name)))
        for each in dataclasses.fields(self):
            if each.default_factory is dict:
                _check_mapping(each.name, getattr(self, each.name))
        size = arguments.pair_of(crop_size=self.crop_size)
        object.__setattr__(self, "crop_size", size)
        arguments.check_choice(MODELS_BY_NAME, model=self.model)
        arguments.check_choice(OPTIMIZERS, optimizer=self.optimizer)
        arguments.check_choice(SCHEDULES, schedule=self.schedule)
        arguments.check_choice(LOSSES, loss=self.loss)
        arguments.check_choice(CLASS_WEIGHTS, class_weights=self.class_weights)
        arguments.check_choice(BATCH_NORM_MODES, batch_norm=self.batch_norm)
        arguments.check_choice(PRECISIONS, precision=self.precision)
        arguments.check_choice(QUANTIZE, quantize=self.quantize)
        for name in ("batch_size", "accumulation", "evaluate_every"):
            arguments.positive(**{name: getattr(self, name)})
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(
                "One of `epochs` and `steps` must be given, and the other be `None`. "
                f"Received: epochs={self.epochs}, steps={self.steps}"
            )
        self._check_quantize()
        for name in ("epochs", "steps"):
            if getattr(self, name) is not None:
                arguments.positive(**{name: getattr(self, name)})

    def _check_quantize(self) -> None:
        # Half precision is no finer than what is to be rounded.
        mixed = self.precision.startswith("mixed")
        if self.quantize != "none" and (mixed or self.multi_scale_loss):
            raise ValueError(
                f"`quantize` {self.quantize!r} needs `precision` 'float32', and a "
                "single loss. Received: "
                f"precision={self.precision!r}, "
                f"multi_scale_loss={self.multi_scale_loss}"
            )

    def as_data(self) -> dict[str, Any]:
        """The fields, of types that JSON has; equal recipes give equal data."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Returns a recipe in which some fields are others.

        Args:
            changes: New values by field. `field.key` changes, or adds, one entry of a
                field that is a mapping. Of `epochs` and `steps` one replaces the other.

        Returns:
            The new recipe.

        Raises:
            ValueError: If there is no such field, or a value is out of range.
        """
        data = self.as_data()
        for key, value in changes.items():
            name, _, entry = key.partition(".")
            _check_field(name, entry, data, key)
            if name in ("epochs", "steps"):
                data.update(epochs=None, steps=None)
            data[name] = {**data[name], entry: value} if entry else value
        return type(self)(**data)

    def total_epochs(self, steps_per_epoch: int) -> int:
        """The number of epochs, where an epoch has so many steps."""
        if self.epochs is not None:
            return self.epochs
        return -(-(self.steps or 0) // steps_per_epoch)

    def total_steps(self, steps_per_epoch: int) -> int:
        """The number of steps that the schedule runs over."""
        return self.steps or (self.epochs or 0) * steps_per_epoch


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"`{name}` must hold two values. Received: {name}={value!r}")
    return value[0], value[1]


def _check_mapping(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"`{name}` must be a mapping. Received: {name}={value!r}")


def _check_field(name: str, entry: str, data: Mapping[str, Any], key: str) -> None:
    if name not in data:
        near = difflib.get_close_matches(name, data, n=3)
        advice = f"Did you mean {' or '.join(near)}?" if near else ""
        listed = advice or f"There are: {', '.join(data)}."
        raise ValueError(f"A recipe has no field {name!r}. {listed} Received: {key!r}")
    if entry and not isinstance(data[name], dict):
        raise ValueError(
            f"The field {name!r} has no entries: change it as a whole. "
            f"Received: {key!r}"
        )
