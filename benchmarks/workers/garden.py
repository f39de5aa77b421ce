"""DeepLabV3+ of Model Garden, by its own experiments and its own training step.

Changed in them: 21 classes, ResNet-50 for 101, ReLU for swish, the plain batch norm for
the synchronized one, no weight decay.
"""

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import multiply_adds
import numpy as np
import op_seconds
import tensorflow as tf
import tf_keras
from official.core import exp_factory
from official.vision.configs import semantic_segmentation  # noqa: F401
from official.vision.tasks.semantic_segmentation import SemanticSegmentationTask

EXPERIMENTS = {
    "resnet50": "seg_deeplabv3plus_pascal",
    "mobilenet_v2": "mnv2_deeplabv3plus_cityscapes",
}


def build(
    backbone: str, size: Sequence[int], batch: int, classes: int
) -> "GardenModel":
    config = exp_factory.get_exp_config(EXPERIMENTS[backbone]).task
    config.model.num_classes = classes
    config.model.input_size = [*size, 3]
    config.model.norm_activation.activation = "relu"
    config.model.norm_activation.use_sync_bn = False
    config.model.backbone.dilated_resnet.model_id = 50
    # The whole map, as the papers have it: a set window need not fit the image.
    config.model.decoder.aspp.pool_kernel_size = None
    config.losses.l2_weight_decay = 0.0
    return GardenModel(SemanticSegmentationTask(config), size, batch, classes)


class GardenModel:
    """As `keras_model.KerasModel`, with the steps of the task, traced."""

    def __init__(
        self,
        task: SemanticSegmentationTask,
        size: Sequence[int],
        batch: int,
        classes: int,
    ) -> None:
        self._model = task.build_model()
        optimizer = tf_keras.optimizers.SGD(1e-3, momentum=0.9)
        rng = np.random.default_rng(0)
        self._images = rng.normal(size=(batch, *size, 3)).astype("float32")
        labels = rng.integers(0, classes, (batch, *size, 1)).astype("float32")
        masks = {"masks": labels, "valid_masks": np.ones_like(labels, bool)}

        def logits(images: tf.Tensor) -> tf.Tensor:
            found = task.inference_step(images, self._model)["logits"]
            # Its own are smaller than the image.
            return tf.image.resize(found, size)

        def step(images: tf.Tensor, labels: dict[str, tf.Tensor]) -> tf.Tensor:
            return task.train_step((images, labels), self._model, optimizer)["loss"]

        self._masks, self._logits = masks, logits
        self._infer, self._train = tf.function(logits), tf.function(step)

    def facts(self) -> dict[str, Any]:
        packages = ("tf-models-official", "tf-keras", "tensorflow")
        shape = (1, *self._images.shape[1:])
        return {
            "parameters": self._model.count_params(),
            "multiply_adds": multiply_adds.count(self._logits, shape),
            "xla": False,
            "versions": {name: importlib.metadata.version(name) for name in packages},
        }

    def operations(self, of: str, rounds: int) -> dict[str, tuple[int, float]]:
        return op_seconds.measure(getattr(self, of), rounds)

    def infer(self) -> list[int]:
        return list(self._infer(self._images[:1]).numpy().shape)

    def train(self) -> float:
        return float(self._train(self._images, self._masks).numpy())
