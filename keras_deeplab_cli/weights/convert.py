"""`keras-deeplab weights convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.download import download_model
from keras_deeplab_cli.quiet import quiet_import


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            show_default=False,
            help="A name that `keras-deeplab weights list` shows, or a file: all that "
            "`--weights` of `segment` takes.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            show_default=False,
            dir_okay=False,
            help="`.keras`: the whole model; or `.weights.h5`: for the argument "
            "`weights` of the same model. A file that is there is replaced.",
        ),
    ],
    float16: Annotated[
        bool,
        typer.Option(
            "--float16", help="Store the numbers in half the bytes, rounded to float16."
        ),
    ] = False,
) -> None:
    """Convert trained weights to a file of Keras.

    Every variable of the source is accounted for, or nothing is written.

    For example:

    * `keras-deeplab weights convert frozen_inference_graph.pb model.keras`
    """
    with output.busy("Starting"), quiet_import():
        from keras_deeplab.weights import convert_weights

    try:
        download_model(source)
        with output.busy("Converting"):
            model, summary = convert_weights(source, out, float16=float16)
    except (OSError, ValueError, TypeError, ImportError) as error:
        output.fail(f"{source}: {error}")
    output.say(
        f"{type(model).__name__}, backbone {model.backbone}, {model.classes} classes, "
        f"output stride {model.output_stride}"
    )
    output.say(str(summary))
    output.say(f"Wrote {out.resolve()}")
