"""A model trained on four images learns them by heart, with everything at once."""

import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import (
    LayerwiseSGD,
    PolyDecay,
    SegmentationCrossEntropy,
    StopOnNaN,
    classifier_multipliers,
    set_batch_norm,
)


def photos() -> tuple[np.ndarray, np.ndarray]:
    """Noise with rectangles of two other colours, and a void border around them."""
    rng = np.random.default_rng(0)
    images = rng.normal(0, 0.3, (4, 49, 49, 3)).astype("float32")
    labels = np.zeros((4, 49, 49), "uint8")
    for image, label in zip(images, labels, strict=True):
        for kind, left in ((1, 2), (2, 26)):
            top = rng.integers(2, 26)
            label[top - 1 : top + 21, left - 1 : left + 21] = 255
            label[top : top + 20, left : left + 20] = kind
            image[top : top + 20, left : left + 20, kind] += 1
    return images, labels


def small_model() -> keras_deeplab.DeepLabV3Plus:
    return keras_deeplab.DeepLabV3Plus(
        "resnet50",
        blocks=(1, 1, 1, 3),
        stage_filters=(8, 8, 8, 8),
        filters=16,
        decoder_filters=16,
        atrous_rates=(1, 2),
        classes=3,
        dropout=0.0,
        input_shape=(49, 49, 3),
    )


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_model_with_a_schedule_averages_and_multipliers_learns_four_images(
    policy: str,
) -> None:
    keras.config.set_dtype_policy(policy)
    model = small_model()
    set_batch_norm(model, "ordinary")
    optimizer = LayerwiseSGD(
        PolyDecay(0.02, 80, slow_start_steps=5, slow_start="linear"),
        multipliers=classifier_multipliers(2, 2),
        weight_decay=4e-5,
        use_ema=True,
        ema_momentum=0.8,
    )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.8
    model.compile(
        optimizer, SegmentationCrossEntropy(label_smoothing=0.05), metrics=[MeanIoU(3)]
    )
    images, labels = photos()
    start = model.evaluate(images, labels, verbose=0, return_dict=True)
    model.fit(images, labels, epochs=80, verbose=0, callbacks=[StopOnNaN()])
    end = model.evaluate(images, labels, verbose=0, return_dict=True)
    assert start["mean_iou"] < 0.4
    assert end["mean_iou"] > 0.9
