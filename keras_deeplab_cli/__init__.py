"""The command line, `keras-deeplab`: one file a command.

A package of its own, because importing `keras_deeplab` imports Keras and its backend,
which takes seconds: the commands do so once their arguments have been checked, and
`--help` and `--version` never do. `python -m keras_deeplab_cli` is the same command;
`python -m keras_deeplab` is too, but has Keras imported first.
"""

import io
import sys
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from keras_deeplab_cli import (
    audit,
    bench,
    crf_search,
    demo,
    evaluate,
    export,
    models,
    output,
    segment,
    train,
    weights,
)
from keras_deeplab_cli.command import Command

__all__ = ["app", "main"]

app = typer.Typer(
    name="keras-deeplab",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("segment", cls=Command)(segment.segment)
app.command("demo", cls=Command)(demo.demo)
app.command("evaluate", cls=Command)(evaluate.evaluate)
app.command("crf-search", cls=Command)(crf_search.crf_search)
app.command("audit", cls=Command)(audit.audit)
app.command("train", cls=Command)(train.train)
app.command("export", cls=Command)(export.export)
app.command("bench", cls=Command)(bench.bench)
app.command("models", cls=Command)(models.models)
app.add_typer(weights.app, name="weights")


def _show_version(wanted: bool) -> None:
    if wanted:
        output.say(f"keras-deeplab {installed_version('keras-deeplab')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Semantic segmentation with the DeepLab models.

    Start with `keras-deeplab segment photo.jpg`. Each command explains itself:
    `keras-deeplab COMMAND --help`.

    Exit codes: 0 all went well, 1 some photos or weights failed and the others are
    done, or data are broken, 2 the command could not start, 130 Ctrl-C.
    """


def main() -> None:
    """Runs the command line and exits with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text, nor every terminal know every letter.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="keras-deeplab")
