"""`keras-deeplab demo`."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.crf_option import AccuracyOption, load_crf
from keras_deeplab_cli.model_source import load_model
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.demo import DemoServer, ModelChoice


def demo(
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="SOURCE",
            help="The model to begin with, as `keras-deeplab segment` takes it. By "
            "default one of the package's own, of streets; the page offers all whose "
            "weights are here.",
        ),
    ] = None,
    crf: Annotated[
        str,
        typer.Option(
            "--crf",
            metavar="v1|v2|pydensecrf|FILE",
            help="The dense CRF at strength 1: the published parameters of that name, "
            "or those in a JSON file of crf-search.",
        ),
    ] = "v1",
    crf_accuracy: AccuracyOption = "mobile",
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen. Other than the default lets other machines in, "
            "without a password.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=65535, help="The port; 0 for a free one."),
    ] = 8000,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open the page in a browser."),
    ] = True,
) -> None:
    """Show a page that segments photos.

    Drop, choose or paste a photo: the page shows the classes in colour, how much there
    is of each, and how long it took. The CRF can be switched on and made stronger or
    weaker. All runs on this machine and nothing leaves it. Ctrl-C ends it.

    For example:

    * `keras-deeplab demo`

    * `keras-deeplab demo --weights RUN/best.keras --port 0 --no-browser`
    """
    layer = load_crf(crf, crf_accuracy)
    choices = _choices(weights)
    first = load_model(choices[0].source, None, None)
    with quiet_import():
        from keras_deeplab.demo import Demo, DemoServer

    stage = Demo(choices, layer, {choices[0].name: first})
    try:
        server = DemoServer(stage, host, port)
    except OSError as error:
        output.fail(f"--host {host} --port {port}: {error.strerror or error}")
    _serve(server, browser)


def _choices(source: str | None) -> tuple[ModelChoice, ...]:
    with output.busy("Starting"), quiet_import():
        from keras_deeplab.demo import ModelChoice, list_choices

    try:
        here = list_choices()
    except OSError as error:
        output.fail(str(error))
    if source is None:
        return here
    named = [choice for choice in here if choice.source == source]
    others = [choice for choice in here if choice.source != source]
    # A folder may be called like weights of the package.
    short = Path(source).name
    taken = short in ("", *(choice.name for choice in here))
    own = ModelChoice(source if taken else short, source, f"From {source}", None)
    return (*(named or [own]), *others)


def _serve(server: DemoServer, browser: bool) -> None:
    output.say(f"The page is at {server.url} and Ctrl-C ends it.")
    if browser:
        # Some browsers keep the caller waiting.
        threading.Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            output.say("Ended.")
            raise
