"""DeepLabV3+ of KerasHub, as its preset `deeplab_v3_plus_resnet50_pascalvoc` has it."""

import importlib.metadata
from collections.abc import Sequence
from typing import Any

from keras_model import KerasModel

# Before it, `keras_model` chooses the backend.
import keras  # isort: skip
import keras_hub  # isort: skip


def build(
    backbone: str, size: Sequence[int], batch: int, classes: int, **options: Any
) -> KerasModel:
    if backbone != "resnet50":
        raise ValueError(f"its {backbone} gives no pyramid of features to DeepLab")
    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[3, 4, 6, 3],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="bottleneck_block",
        image_shape=(None, None, 3),
    )
    features = keras_hub.models.DeepLabV3Backbone(
        image_encoder=encoder,
        low_level_feature_key="P2",
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[6, 12, 18],
    )
    model = keras_hub.models.DeepLabV3ImageSegmenter(features, classes)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return HubModel(model, loss, tuple(size), batch, classes, **options)


class HubModel(KerasModel):
    """Says its own version too."""

    def facts(self) -> dict[str, Any]:
        facts = super().facts()
        versions = {"keras-hub": importlib.metadata.version("keras-hub")}
        return {**facts, "versions": {**versions, **facts["versions"]}}
