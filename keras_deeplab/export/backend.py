"""Which backend of Keras can export."""

import keras


def check_backend() -> None:
    """Raises `RuntimeError` unless TensorFlow is the backend: its graph is shipped."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            "A model is exported from TensorFlow: save it as a .keras file and export "
            "that in a process with KERAS_BACKEND=tensorflow. "
            f"Received: KERAS_BACKEND={backend}"
        )
