"""`keras-deeplab bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from keras_deeplab_cli import output
from keras_deeplab_cli.quiet import quiet_import
from keras_deeplab_cli.report_table import latency_table


def bench(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            show_default=False,
            help=".tflite files.",
        ),
    ],
    threads: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Threads; may be given several times. By default 1 and 2.",
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(min=0.0, help="Time for each file and number of threads."),
    ] = 5.0,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Also write the times to a JSON file."
        ),
    ] = None,
) -> None:
    """Time TFLite files side by side.

    They run with LiteRT on this machine's processor and take turns, so that what else
    the machine does meets all alike. The ratio is to the first file's median.

    For example:

    * `keras-deeplab bench model.tflite other.tflite --threads 1`
    """
    output.check_file_can_be_written(json)
    with output.busy("Measuring"), quiet_import():
        from keras_deeplab.export import measure_latency

        try:
            rows = measure_latency(files, threads=threads or (1, 2), seconds=seconds)
        except (OSError, ValueError) as error:
            output.fail(str(error))
    output.say(latency_table(rows))
    if json is not None:
        output.write_json(json, [_as_data(row) for row in rows])


def _as_data(row: Any) -> dict[str, Any]:
    return dict(vars(row))
