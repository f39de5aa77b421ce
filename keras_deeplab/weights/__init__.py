"""Trained weights: files to models."""

from keras_deeplab.weights.load import load_model

__all__ = ["load_model"]
