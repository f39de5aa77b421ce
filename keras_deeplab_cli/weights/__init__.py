"""`keras-deeplab weights`: one file a command."""

import typer

from keras_deeplab_cli.command import Command
from keras_deeplab_cli.weights import convert, fetch, info, list_weights, verify

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
app.command("list", cls=Command)(list_weights.list_weights)
app.command("info", cls=Command)(info.info)
app.command("fetch", cls=Command)(fetch.fetch)
app.command("verify", cls=Command)(verify.verify)
app.command("convert", cls=Command)(convert.convert)


@app.callback()
def _weights() -> None:
    """Find, download, check and convert trained weights.

    Downloads are kept in the folder `KERAS_DEEPLAB_HOME`, by default
    `~/.keras/keras_deeplab`. `KERAS_DEEPLAB_MIRROR`, a folder or an address that holds
    the files by their names, is asked instead of their publishers.
    """
