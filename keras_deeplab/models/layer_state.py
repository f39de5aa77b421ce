"""What a configuration says of a model's layers: which are frozen or synchronized."""

from collections.abc import Sequence
from typing import Any

import keras

LAYER_STATE = ("frozen", "synchronized")


def layer_state(model: keras.Model) -> dict[str, Any]:
    """Reads the state of a model's layers.

    Args:
        model: The model.

    Returns:
        Paths of the layers that are not trainable, and whether batch norms are
        synchronized, as plain data.
    """
    layers = _by_path(model)
    return {
        "frozen": [path for path, layer in layers.items() if not layer.trainable],
        "synchronized": any(map(_synchronized, layers.values())),
    }


def restore_layer_state(
    model: keras.Model, frozen: Sequence[str] = (), synchronized: bool = False
) -> None:
    """Gives the layers of a new model the state that `layer_state` read.

    Args:
        model: The model.
        frozen: Paths of the layers that are not trainable.
        synchronized: Whether batch norms are synchronized.

    Raises:
        ValueError: If a path is of no layer.
    """
    layers = _by_path(model)
    if unknown := sorted(map(str, set(frozen) - layers.keys())):
        raise ValueError(
            f"`frozen` must hold paths of layers, such as {list(layers)[-1]!r}. "
            f"Received: frozen with {', '.join(unknown[:5])}"
        )
    # Parents come first: what they pass on, their parts take back.
    for path, layer in layers.items() if frozen else ():
        layer.trainable = path not in frozen
    # Keras knows how to on TensorFlow alone.
    if synchronized and keras.backend.backend() == "tensorflow":
        for layer in filter(_is_batch_norm, layers.values()):
            layer.synchronized = True


def _by_path(layer: keras.layers.Layer, path: str = "") -> dict[str, Any]:
    """A layer and its parts that have weights, by their names, parents first.

    By name, since another output stride has other layers without weights in between.
    """
    found = {path: layer}
    for part in layer._layers:
        if part.weights:
            found |= _by_path(part, f"{path}/{part.name}")
    return found


def _is_batch_norm(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _synchronized(layer: Any) -> bool:
    return _is_batch_norm(layer) and bool(layer.synchronized)
