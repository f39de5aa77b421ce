"""Trains a small model on the answers of a large one."""

from typing import Any, Self

import keras

from keras_deeplab._serialization import register
from keras_deeplab._types import Tensor
from keras_deeplab.layers import arguments
from keras_deeplab.training.distillation_loss import DistillationLoss


@register
class Distiller(keras.Model):
    """A student that learns from the labels and from a teacher.

    `compile` and `fit` it as if it were the student: it answers the student's logits,
    and its loss is `(1 - weight)` times the compiled one plus `weight` times
    `DistillationLoss`. The student is trained in place; save that one.

    Args:
        student: The model to train; answers logits.
        teacher: A trained model of the same input and classes; answers logits. It is
            set to not trainable, and always works as at inference.
        weight: Share of the teacher in the loss, in `[0, 1]`.
        temperature: Temperature of the softmax, above 0; see `DistillationLoss`.
        ignore_label: Label of the pixels to leave out, or `None` to count all.
        **kwargs: Passed to `keras.Model`, for example `name`.

    Raises:
        ValueError: If an argument is out of range, or the two models answer a
            different number of classes.

    Examples:
        >>> student = keras_deeplab.LRASPP("mobilenet_v3_small", classes=3)
        >>> teacher = keras_deeplab.LRASPP("mobilenet_v3_small", classes=3)
        >>> model = keras_deeplab.training.Distiller(student, teacher, temperature=4)
        >>> loss = keras_deeplab.training.SegmentationCrossEntropy()
        >>> model.compile("sgd", loss, metrics=[keras_deeplab.metrics.MeanIoU(3)])

    References:
        - [Hinton et al., 2015](https://arxiv.org/abs/1503.02531), section 2
    """

    def __init__(
        self,
        student: keras.Model,
        teacher: keras.Model,
        *,
        weight: float = 0.5,
        temperature: float = 1.0,
        ignore_label: int | None = 255,
        **kwargs: Any,
    ) -> None:
        _check_same_classes(student, teacher)
        weight = arguments.within(0, 1, weight=weight)
        super().__init__(**kwargs)
        self.divergence = DistillationLoss(
            temperature=temperature, ignore_label=ignore_label
        )
        self.student = student
        self.teacher = teacher
        self.teacher.trainable = False
        self.weight = float(weight)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.student(inputs, training=training)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        compiled = super().compute_loss(x, y, y_pred, sample_weight, training)
        answers = (y_pred, self.teacher(x, training=False))
        divergence = self.divergence(y, answers, sample_weight)
        return (1 - self.weight) * compiled + self.weight * divergence

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "student": keras.saving.serialize_keras_object(self.student),
            "teacher": keras.saving.serialize_keras_object(self.teacher),
            "weight": self.weight,
            "temperature": self.divergence.temperature,
            "ignore_label": self.divergence.ignore_label,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        models = {
            role: keras.saving.deserialize_keras_object(config[role], custom_objects)
            for role in ("student", "teacher")
        }
        return cls(**{**config, **models})


def _check_same_classes(student: keras.Model, teacher: keras.Model) -> None:
    classes = student.output_shape[-1], teacher.output_shape[-1]
    if classes[0] != classes[1]:
        raise ValueError(
            "`student` and `teacher` must answer the same classes. "
            f"Received: a student of {classes[0]}, a teacher of {classes[1]}"
        )
