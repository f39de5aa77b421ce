import keras
import numpy as np
import pytest

import keras_deeplab
from keras_deeplab.layers import Resize
from keras_deeplab.metrics import MeanIoU
from keras_deeplab.training import SegmentationCrossEntropy, multi_scale_outputs

IMAGES = np.random.default_rng(0).normal(size=(2, 33, 25, 3)).astype("float32")


def v2(*scales: float, **kwargs: str) -> keras_deeplab.DeepLabV2:
    model = keras_deeplab.DeepLabV2(
        "vgg16",
        hidden_filters=4,
        stage_filters=(4, 4, 4, 4, 4),
        classes=3,
        dropout=0.0,
        atrous_rates=(1, 2),
        scales=scales,
        **kwargs,
    )
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(0, 1.5 / np.sqrt(weight.shape[-1]), weight.shape))
    return model


def test_outputs_are_the_maximum_and_the_logits_of_each_scale() -> None:
    model, alone = v2(1, 0.75, 0.5), v2(1)
    fused, *scales = multi_scale_outputs(model)(IMAGES)
    np.testing.assert_allclose(fused, model(IMAGES), atol=1e-5)
    network = alone.get_layer("network")
    full = network(IMAGES)
    assert np.abs(full).max() > 0.1
    for found, scale in zip(scales, (1, 0.75, 0.5), strict=True):
        small = IMAGES if scale == 1 else Resize(scale=scale)(IMAGES)
        scores = Resize()(Resize()(network(small), like=full), like=IMAGES)
        np.testing.assert_allclose(found, scores, atol=1e-4)


def test_loss_in_fit_is_the_sum_over_the_outputs_and_trains_the_model() -> None:
    model = v2(1, 0.5)
    before = model.get_weights()
    labels = np.random.default_rng(2).integers(0, 3, (2, 33, 25))
    loss, metric = SegmentationCrossEntropy(), MeanIoU(3)
    whole = multi_scale_outputs(model)
    expected = sum(float(loss(labels, logits)) for logits in whole(IMAGES))
    metric.update_state(labels, model(IMAGES))
    whole.compile(
        keras.optimizers.SGD(0.1),
        loss,
        metrics=[[MeanIoU(3)], [], []],
        run_eagerly=True,
    )
    found = whole.train_on_batch(IMAGES, (labels,) * 3, return_dict=True)
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    (name,) = (name for name in found if name.endswith("mean_iou"))
    assert found[name] == pytest.approx(float(metric.result()))
    assert any(
        not np.array_equal(new, old)
        for new, old in zip(model.get_weights(), before, strict=True)
    )


@pytest.mark.parametrize(
    ("scales", "activation", "mention"),
    [((1,), None, r"scales=\(1,\)"), ((1, 0.5), "softmax", "'softmax'")],
)
def test_model_without_scales_or_logits_is_refused(
    scales: tuple[float, ...], activation: str | None, mention: str
) -> None:
    model = v2(*scales, classifier_activation=activation)
    with pytest.raises(
        ValueError, match=f"several scales and answer logits.*{mention}"
    ):
        multi_scale_outputs(model)
