"""What every file that cannot be loaded must bring about."""

import pathlib

import pytest

from keras_deeplab.weights import load_model


def check_refused(path: pathlib.Path, *mentions: str) -> None:
    """The file is refused in the house form, by a message that mentions these."""
    with pytest.raises(ValueError, match="Received: source=") as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith("`source`")
    assert message.endswith(f"Received: source={str(path)!r}")
    for mention in mentions:
        assert mention in message
