"""The error of a file that cannot be trained on."""

import os

from keras_deeplab.data.fault import FAULTS
from keras_deeplab.data.file_part import FilePart


class SampleError(ValueError):
    """A photo or a mask that cannot be used.

    The message names the file, what is wrong with it, and how to mend it. Training and
    `audit` tell it in the same words.

    Args:
        fault: A key of `FAULTS`.
        path: The file.
        detail: What is wrong, to follow the file's name.
    """

    def __init__(
        self, fault: str, path: str | os.PathLike[str] | FilePart, detail: str
    ) -> None:
        # All arguments: pickle makes an error anew from them.
        super().__init__(fault, path, detail)
        self.fault = fault
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.path} {self.detail}. {FAULTS[self.fault].mend}"
