"""The loss of V2: one for each scale, and one for their maximum."""

import keras

from keras_deeplab.models import DeepLabV2


def multi_scale_outputs(model: DeepLabV2) -> keras.Model:
    """Returns a model that answers the logits of every scale too, to train them all.

    The weights are those of the given model, which is the one to save and to use. Give
    `fit` the labels once for each output, and one loss will be summed over them.

    Args:
        model: A model of several `scales` that answers logits.

    Returns:
        A model with a tuple of outputs, each `(batch, height, width, classes)`: the
        maximum over the scales, as the given model answers it, and then the logits of
        each scale, all at the input's size.

    Raises:
        ValueError: If the model has one scale only, or a `classifier_activation`.

    Examples:
        >>> v2 = keras_deeplab.DeepLabV2("vgg16", hidden_filters=8, scales=(1, 0.5))
        >>> model = keras_deeplab.training.multi_scale_outputs(v2)
        >>> model.compile("sgd", keras_deeplab.training.SegmentationCrossEntropy())
        >>> train = lambda dataset: model.fit(dataset.map(lambda x, y: (x, (y,) * 3)))

    References:
        - [Chen et al., 2016](https://arxiv.org/abs/1606.00915), section 4.1.2
    """
    maxima = [
        layer for layer in model.layers if isinstance(layer, keras.layers.Maximum)
    ]
    config = model.get_config()
    if not maxima or config["classifier_activation"] != "linear":
        raise ValueError(
            "`model` must have several scales and answer logits. Received: a model "
            f"with scales={config['scales']} and "
            f"classifier_activation={config['classifier_activation']!r}"
        )
    # The first takes the whole image and the next scale, each further one its own.
    logits = [maxima[0].input[0], *(layer.input[1] for layer in maxima)]
    upsample = model.get_layer("upsampling")
    scales = (upsample(scores, like=model.input) for scores in logits)
    return keras.Model(model.input, (model.output, *scales))
