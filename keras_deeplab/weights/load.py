"""One function from a name or a file to a ready model."""

import os

from keras_deeplab.models import MODELS_BY_NAME, Segmenter
from keras_deeplab.weights.load_file import Loaded, convert_file
from keras_deeplab.weights.load_row import load_row
from keras_deeplab.weights.manifest import manifest


def load_model(source: str | os.PathLike[str]) -> Segmenter:
    """Loads a trained model, with its preprocessing and its class names.

    The batch norms in `.tflite` and `.npz` files are folded into the convolutions. To
    train such a model further, call `unfold_batch_norm` first.

    Args:
        source: A name of the manifest of weights, as `keras-deeplab weights list`
            shows them, or a file: a `.keras` file of a model of this package, an
            official DeepLab `.tflite` file of floats, the arrays of an official model,
            `.npz`, an official frozen graph, `.pb`, an official TensorFlow 1
            checkpoint: what the names of its files have in common, such as
            `model.ckpt`; or an official archive of these, `.tar.gz`.

    Returns:
        A Keras model; `preprocess`, `class_names` and `crop_size` are set to what its
        weights expect.

    Raises:
        ValueError: If there is no such file, or it holds no model that this package
            knows: every tensor has to find its place, and every layer its tensor.
        DownloadError: If weights cannot be downloaded, or are not what they should be.
    """
    return load_and_account(source)[0]


def load_and_account(source: str | os.PathLike[str]) -> Loaded:
    """Does what `load_model` does, and also tells what became of the variables."""
    name = os.fspath(source)
    if name not in manifest():
        return convert_file(source)
    row = manifest()[name]
    if row.model is None:
        raise ValueError(
            f"`source` is a backbone alone: give a model the argument "
            f"weights={name!r}. Received: source={name!r}"
        )
    model = MODELS_BY_NAME[row.model](**row.model_arguments())
    return model, load_row(row, model, "all")
