"""Trained weights: files to models."""

from keras_deeplab.weights.load import load_model
from keras_deeplab.weights.unfold_batch_norm import unfold_batch_norm

__all__ = ["load_model", "unfold_batch_norm"]
