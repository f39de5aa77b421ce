"""Custom Keras layers; they run on TensorFlow, JAX and PyTorch."""

from keras_deeplab.layers.aspp import ASPP
from keras_deeplab.layers.atrous_conv import AtrousConv
from keras_deeplab.layers.atrous_depthwise_conv import AtrousDepthwiseConv
from keras_deeplab.layers.batch_normalization import BatchNormalization
from keras_deeplab.layers.conv_block import ConvBlock
from keras_deeplab.layers.crf_accuracy import CRF_ACCURACIES, CRFAccuracy
from keras_deeplab.layers.crf_presets import CRF_PRESETS, CRFParameters
from keras_deeplab.layers.dense_crf import DenseCRF
from keras_deeplab.layers.dense_prediction_cell import DensePredictionCell
from keras_deeplab.layers.image_pooling import ImagePooling
from keras_deeplab.layers.preprocess import Preprocess
from keras_deeplab.layers.resize import Resize, resize_bilinear
from keras_deeplab.layers.squeeze_excite import SqueezeExcite
from keras_deeplab.layers.sum import Sum

__all__ = [
    "ASPP",
    "CRF_ACCURACIES",
    "CRF_PRESETS",
    "AtrousConv",
    "AtrousDepthwiseConv",
    "BatchNormalization",
    "CRFAccuracy",
    "CRFParameters",
    "ConvBlock",
    "DenseCRF",
    "DensePredictionCell",
    "ImagePooling",
    "Preprocess",
    "Resize",
    "SqueezeExcite",
    "Sum",
    "resize_bilinear",
]
