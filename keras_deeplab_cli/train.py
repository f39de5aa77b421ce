"""`keras-deeplab train`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.download import download
from keras_deeplab_cli.quiet import quiet_import
from keras_deeplab_cli.training_scores import say_scores

if TYPE_CHECKING:
    from keras_deeplab.training import Recipe, Replicas

_WORKERS = 2


def train(
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The recipe: camvid_mobilenet_v2, deeplabv3_resnet101_voc, ... "
            "Any other word lists all.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="The folder in which the recipe's dataset was unpacked; or one with "
            "images/, masks/ and classes.txt, or with train/ and val/ of this form.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="RUN", help="Folder for the results; new or empty."),
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Another value for a field of the recipe, as JSON or a word: "
            "batch_size=4, augmentation.hue=0.1. May be given several times.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="What the model starts from: a name that `keras-deeplab weights list` "
            "shows or a file; `none` for nothing. By default the recipe's.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Runs through the data."),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(
            metavar="none|int8",
            help="int8: train as the 8-bit file of `export` will compute. Start from "
            "trained weights, with a low learning rate and frozen batch norms.",
        ),
    ] = None,
    classes_file: Annotated[
        Path | None,
        typer.Option(
            "--classes-file",
            # As `audit` calls it.
            "--classes",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Names of the classes of a folder of your own, one a line.",
        ),
    ] = None,
    validation: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Photos to score on, the last by name, of a folder without train/ and "
            "val/. By default a fifth.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the training in RUN, if there is one."
        ),
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help="Keep the decoded photos in memory.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Threads that read photos where Keras's backend is not TensorFlow, "
            "which takes what there is. By default 2.",
        ),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Train on replicas: none, mirrored (all GPUs here), multiworker (the "
            "same command on every machine that TF_CONFIG names) or tpu.",
        ),
    ] = "none",
) -> None:
    """Train a model by a recipe.

    Writes to RUN the best and the last model, history.csv, curves.png, samples.png,
    and with recipe.json and report.json what is needed to repeat it. A training that
    was stopped or killed goes on with the same command and `--resume`.

    For example:

    * `keras-deeplab train --recipe camvid_mobilenet_v2 --data CamVid --out run`
    """
    overrides = _parsed(changes or ())
    if weights is not None:
        overrides["weights"] = None if weights == "none" else weights
    if epochs is not None:
        overrides["epochs"] = epochs
    if quantize is not None:
        overrides["quantize"] = quantize
    with output.busy("Starting"), quiet_import():
        from keras_deeplab import training

    _check_workers(workers)
    # First of all: TensorFlow connects the workers when it begins.
    replicas = _replicas(strategy)
    try:
        chosen = training.find_recipe(recipe).with_changes(overrides)
        with output.warnings_told():
            found = training.find_data(
                chosen,
                data,
                classes=classes_file,
                validation=validation,
                say=output.say if replicas.is_chief else None,
            )
            if not resume:
                _fetch(chosen)
            report = training.train(
                chosen,
                found,
                out,
                resume=resume,
                cache=cache,
                workers=workers or _WORKERS,
                strategy=replicas,
                verbose=1 if sys.stdout.isatty() else 2,
                say=output.say,
            )
    except (FloatingPointError, ConnectionError) as error:
        output.fail(str(error), output.FAILED)
    except (OSError, ValueError, TypeError) as error:
        output.fail(str(error))
    if replicas.is_chief:
        say_scores(report["scores"])
        output.say(f"Wrote best.keras, report.json and more to {out.resolve()}")


def _check_workers(workers: int | None) -> None:
    import keras

    if workers is not None and keras.backend.backend() == "tensorflow":
        output.fail("--workers has no effect on TensorFlow: leave it out.")


def _replicas(strategy: str) -> Replicas:
    from keras_deeplab.training import make_strategy

    try:
        return make_strategy(strategy)
    except (ValueError, RuntimeError) as error:
        output.fail(str(error))


def _parsed(changes: Sequence[str]) -> dict[str, Any]:
    found = {}
    for change in changes:
        key, sign, text = change.partition("=")
        if not sign:
            output.fail(f"--set takes KEY=VALUE. Received: {change!r}")
        try:
            found[key] = json.loads(text)
        except (ValueError, RecursionError):
            found[key] = text
    return found


def _fetch(recipe: Recipe) -> None:
    from keras_deeplab.weights import manifest

    if recipe.weights in manifest():
        download(str(recipe.weights))
