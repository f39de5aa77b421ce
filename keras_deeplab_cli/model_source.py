"""Where a command's model comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli.download import download_model
from keras_deeplab_cli.output import busy, fail
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.inference import Predictor
    from keras_deeplab.models import Segmenter

# The package's own weights know streets alone. For photos of anything the commands take
# official ones: from the data of the package's tests, where there are any, or by name.
_DATA = "KERAS_DEEPLAB_TEST_DATA"
_OFFICIAL = "models/deeplab/deeplabv3_mnv2_pascal_trainval_folded.npz"
_DEFAULT = "deeplabv3_mobilenet_v2_pascal_voc"
_ACCEPTED = (
    "a name that `keras-deeplab weights list` shows, a .keras file, or an official "
    "DeepLab model: .tflite, its folded arrays .npz, a frozen graph .pb or a "
    "TensorFlow 1 checkpoint"
)


def _check_output_stride(value: int | None) -> int | None:
    if value not in (None, 8, 16, 32):
        raise typer.BadParameter(f"{value} is not one of 8, 16, 32.")
    return value


def _check_engine(value: str) -> str:
    if value not in ("keras", "tflite"):
        raise typer.BadParameter(f"{value} is not one of keras, tflite.")
    return value


WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="SOURCE",
        # Without the default's name, which is wider than the column.
        help=f"The model: {_ACCEPTED}. By default the official MobileNetV2 model for "
        f"the 20 PASCAL VOC classes: that of the folder of test data, {_DATA}, if it "
        "is there, or else the one to download.",
    ),
]
OutputStrideOption = Annotated[
    int | None,
    typer.Option(
        "--output-stride",
        metavar="8|16|32",
        callback=_check_output_stride,
        help="Pixels a feature: less is finer and slower. By default the model's own.",
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size",
        min=1,
        metavar="N",
        help="Show the model photos of at most N pixels along the longer side. By "
        "default those of its training crop. The results keep the photo's size.",
    ),
]


EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="keras|tflite",
        callback=_check_engine,
        help="What runs the model: Keras, or LiteRT, which runs the .tflite file of "
        "--weights as it is shipped.",
    ),
]


def find_weights(source: str | None) -> str:
    """Returns the source of the weights.

    Args:
        source: What the user asked for, if anything.

    Returns:
        The source, or official weights.
    """
    folder = os.environ.get(_DATA)
    official = Path(folder or "") / _OFFICIAL
    found = folder is not None and official.is_file()
    return source or (str(official) if found else _DEFAULT)


def load_model(source: str, output_stride: int | None, size: int | None) -> Segmenter:
    """Loads a model, or fails with one line.

    Args:
        source: What `find_weights` returned.
        output_stride: 8, 16 or 32, or `None` for the model's own.
        size: Largest longer side of photos, checked against the model, or `None`.

    Returns:
        The model.
    """
    with busy("Loading the model"), quiet_import():
        from keras_deeplab import inference, weights

    try:
        download_model(source)
        with busy("Loading the model"):
            model = weights.load_model(source)
            if output_stride is not None:
                model = model.with_output_stride(output_stride)
            inference.check_size(model, size)
    except (OSError, ValueError, TypeError, ImportError) as error:
        fail(f"--weights {source}: {error}")
    return model


def load_predictor(
    source: str, engine: str, output_stride: int | None, size: int | None
) -> Predictor:
    """Loads a model for an engine, or fails with one line.

    Args:
        source: What `find_weights` returned.
        engine: `"keras"` or `"tflite"`.
        output_stride: 8, 16 or 32, or `None` for the model's own.
        size: Largest longer side of photos, checked against the model, or `None`.

    Returns:
        What segments photos.
    """
    if engine == "keras":
        return load_model(source, output_stride, size)
    if output_stride is not None:
        fail("--output-stride has no effect on a .tflite file: leave it out.")
    if not Path(source).exists():
        fail(
            "--engine tflite needs a .tflite file as --weights, which keras-deeplab "
            f"export makes: {source}"
        )
    with busy("Loading the model"), quiet_import():
        from keras_deeplab import export, inference
    try:
        model = export.LiteModel(source, threads=os.cpu_count() or 1)
        inference.check_size(model, size)
    except (OSError, ValueError) as error:
        fail(f"--weights {source}: {error}")
    return model
