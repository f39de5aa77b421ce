"""What is known of trained weights: one row of the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.weights.remote_file import RemoteFile
from keras_deeplab.weights.score import Score

ASSETS = Path(__file__).parents[1] / "assets"


@dataclass(frozen=True, kw_only=True)
class WeightsRow:
    """Trained weights that can be had by name.

    Args:
        name: `<model>_<backbone>_<dataset>`, of a backbone alone
            `<backbone>_<dataset>`.
        dataset: What they were last trained on: with a model that fits them, this is
            enough of a name.
        model: Name of the model's class; `None` for a backbone alone.
        arguments: Arguments of the model that the fields below do not tell.
        file: Name of the file that holds them.
        urls: Where it is published; nowhere if it comes with the package.
        bytes: Its size, or `None` if that is not stated.
        stated_size: Its size as published, for example `"439MB"`, or `None`.
        digest: Its digest in hexadecimal, or `None` if none is stated.
        algorithm: What `digest` is.
        licence: SPDX identifier of its licence, or its terms.
        origin: Who made them, and from which data.
        converter: How it is read: a key of `CONVERTERS`.
        preprocessing: A key of `PREPROCESSINGS`.
        class_names: A key of `CLASS_NAMES`; `None` for a backbone alone.
        output_stride: That of the training where it is stated, else the default for
            use; `None` for a backbone alone.
        image_pooling_window: Features that image pooling sees in a training crop at
            this output stride, height and width; `None` where there is no such window.
        published: Scores that others state.
        measured: Scores measured with this package.
    """

    name: str
    dataset: str
    model: str | None
    arguments: Mapping[str, Any]
    file: str
    urls: tuple[str, ...]
    bytes: int | None
    stated_size: str | None
    digest: str | None
    algorithm: str | None
    licence: str
    origin: str
    converter: str
    preprocessing: str
    class_names: str | None
    output_stride: int | None
    image_pooling_window: tuple[int, int] | None
    published: tuple[Score, ...]
    measured: tuple[Score, ...]

    @property
    def backbone(self) -> str:
        """Name of the backbone."""
        return self.arguments["backbone"]

    @property
    def asset(self) -> Path | None:
        """The file, if it comes with the package."""
        return None if self.urls else ASSETS / self.file

    @property
    def remote(self) -> RemoteFile:
        """What a download has to know."""
        return RemoteFile(
            name=self.file,
            urls=self.urls,
            bytes=self.bytes,
            digest=self.digest,
            algorithm=self.algorithm,
        )

    @property
    def crop_size(self) -> tuple[int, int] | None:
        """Height and width of the training crops, in pixels, where known."""
        if self.output_stride is None or self.image_pooling_window is None:
            return self.arguments.get("crop_size")
        # The crop whose features fill the window.
        height, width = self.image_pooling_window
        stride = self.output_stride
        return (height - 1) * stride + 1, (width - 1) * stride + 1

    @property
    def crop_text(self) -> str | None:
        """Height and width of the training crops in words, where known."""
        return None if self.crop_size is None else "{} x {}".format(*self.crop_size)

    @property
    def argument_texts(self) -> tuple[str, ...]:
        """The arguments as a call of the model's class has them."""
        return tuple(f"{name}={value!r}" for name, value in self.arguments.items())

    def model_arguments(self) -> dict[str, Any]:
        """Arguments of the model these weights are of, as its constructor takes them.

        Returns:
            All arguments; of a backbone alone, those that concern it.
        """
        found = {**self.arguments, "preprocessing": self.preprocessing}
        if self.class_names is not None:
            names = CLASS_NAMES[self.class_names]
            found.update(classes=len(names), class_names=names)
        if self.output_stride is not None:
            found.update(output_stride=self.output_stride, crop_size=self.crop_size)
        return found
