"""What the commands have in common: where they print and how they fail."""

import contextlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

from keras_deeplab_cli.wording import in_options

_stdout = Console()
_stderr = Console(stderr=True)
# To find out how wide something wants to be.
_endless = Console(width=10_000)

# A usage error or weights that cannot be loaded: nothing was done.
USAGE = 2
# Some photos or weights failed.
FAILED = 1

# Between two lines on what is done, where there is no terminal for a bar.
_SECONDS = 30.0

# Told a task's name, the steps done, and their total if that is known.
Report = Callable[[str, int, int | None], None]


def say(message: RenderableType) -> None:
    """Prints a result."""
    # Messages hold brackets and paths, which are neither markup nor to be wrapped.
    plain = isinstance(message, str)
    with _printing():
        _stdout.print(message, markup=False, highlight=False, soft_wrap=plain)


def complain(message: str) -> None:
    """Prints an error or a warning on one line of stderr, in words of options."""
    # Other spaces stay: they may be part of a file's name.
    line = " ".join(part.strip() for part in in_options(message).splitlines())
    _stderr.print(line, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def warnings_told(at_end: bool = False) -> Iterator[None]:
    """Prints what the package warns of meanwhile, each thing once.

    Args:
        at_end: Not at once, for a block in which stderr leads elsewhere.
    """
    told: dict[str, None] = {}

    def tell(message: Warning | str, *_: Any, **__: Any) -> None:
        if not at_end and str(message) not in told:
            complain(f"Note: {message}")
        told[str(message)] = None

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = tell
        yield
    for message in told if at_end else ():
        complain(f"Note: {message}")


def fail(message: str, code: int = USAGE) -> NoReturn:
    """Ends the program, because it cannot start or for what another code says."""
    complain(f"Error: {message}")
    raise typer.Exit(code)


def say_if_it_fits(table: Table) -> bool:
    """Prints a table unless the terminal is too narrow; a file never is.

    Returns:
        Whether it was printed.
    """
    needed = Measurement.get(_endless, _endless.options, table).maximum
    if _stdout.is_terminal and needed > _stdout.width:
        return False
    with _printing():
        Console(width=max(needed, _stdout.width)).print(table)
    return True


@contextlib.contextmanager
def _printing() -> Iterator[None]:
    """Fails where what is printed goes to a full disk, and not when Python ends."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has enough: typer ends the program.
        raise
    except OSError as error:
        # What is left of the output goes nowhere, or its end would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"The results cannot be printed: {error.strerror}")


def check_file_can_be_written(path: Path | None, option: str = "--json") -> None:
    """Fails now rather than after the work."""
    if path is not None and not path.parent.is_dir():
        fail(f"There is no folder for {option} {path}")
    if path is not None and not os.access(path.parent, os.W_OK):
        fail(f"Nothing may be written to the folder of {option} {path}")


def make_folder(path: Path) -> None:
    """Makes a folder for results if need be, or fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"--out {path} cannot be made a folder: {error.strerror}")
    if not os.access(path, os.W_OK):
        fail(f"Nothing may be written to --out {path}")


def write_json(path: Path, data: Any) -> None:
    """Writes a JSON file, whole or not at all."""
    from keras_deeplab.inference import write_atomically

    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    try:
        write_atomically(path, lambda file: file.write(text.encode()))
    except OSError as error:
        fail(f"--json {path} cannot be written: {error.strerror}")


def busy(message: str) -> contextlib.AbstractContextManager[object]:
    """Shows a message while something takes its time, on a terminal."""
    return _stderr.status(message) if _stderr.is_terminal else contextlib.nullcontext()


def progress_bar() -> contextlib.AbstractContextManager[Report]:
    """Shows a bar for each task while it runs, on a terminal and above one step.

    Elsewhere a line on stderr tells now and then how far it is.

    Returns:
        A context that gives what to call with the task's name, the steps done, and
        their total.
    """
    return _bars(str, MofNCompleteColumn())


def download_bar() -> contextlib.AbstractContextManager[Report]:
    """Does what `progress_bar` does, for steps that are bytes."""
    whole = Column(no_wrap=True)
    columns = (
        DownloadColumn(table_column=whole),
        TransferSpeedColumn(table_column=whole),
    )
    return _bars(lambda number: f"{number / 1e6:.1f} MB", *columns)


def _bars(
    shown: Callable[[int], str], *counts: ProgressColumn
) -> contextlib.AbstractContextManager[Report]:
    if _stderr.is_terminal:
        return _moving_bars(*counts)
    return contextlib.nullcontext(_lines(shown))


def _lines(shown: Callable[[int], str]) -> Report:
    last = time.monotonic()

    def report(name: str, done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SECONDS:
            last = now
            of = "" if total is None else f" of {shown(total)}"
            complain(f"{name[:1].upper()}{name[1:]}: {shown(done)}{of}")

    return report


@contextlib.contextmanager
def _moving_bars(*counts: ProgressColumn) -> Iterator[Report]:
    columns = (
        # Names of files are long, and the numbers tell more.
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(max_width=40, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(),
        *counts,
        TimeRemainingColumn(),
    )
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=_stderr, transient=True) as bar:

        def report(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                title = name[:1].upper() + name[1:]
                tasks[name] = bar.add_task(title, visible=total != 1)
            bar.update(tasks[name], completed=done, total=total, visible=total != 1)

        yield report
