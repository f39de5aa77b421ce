"""`keras-deeplab audit`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from keras_deeplab_cli import output
from keras_deeplab_cli.quiet import quiet_import

if TYPE_CHECKING:
    from keras_deeplab.data import Audit, Finding, Survey

_JSON, _SHEET = "audit.json", "audit.png"
_SHOWN = 3


def audit(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            exists=True,
            file_okay=False,
            show_default=False,
            help="A folder with the folders images and masks; or one in which a "
            "dataset was unpacked.",
        ),
    ],
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Names of the classes, one a line. By default classes.json or "
            "classes.txt in DATA or above.",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="DATA is this public dataset, as it is distributed: voc2012, "
            "voc2012_aug, cityscapes, ade20k, coco_voc, camvid or oxford_pet.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which split of the dataset."),
    ] = None,
    ignore_label: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Label of the pixels that do not count. By default what the file of "
            "classes says, or else 255.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for the results; made if need be."),
    ] = Path(),
) -> None:
    """Look for what would spoil a training, in every photo and mask.

    Prints what is wrong and how to mend it, how often each class occurs, and weights
    that make up for it. Writes two files:

    * `audit.json`: all of it, with every file

    * `audit.png`: photos, masks in colour, and both; first what is broken

    Exit codes: 0 nothing is broken, 1 training will refuse the data, 2 the audit could
    not start.

    For example:

    * `keras-deeplab audit data/train --classes names.txt --out report`

    * `keras-deeplab audit VOCdevkit --dataset voc2012 --split train`
    """
    if (dataset is None) != (split is None):
        output.fail("--dataset and --split go together.")
    if dataset is not None and classes is not None:
        output.fail("--classes is not for a --dataset, whose classes are known.")
    survey = _survey(data, classes, dataset, split, ignore_label)
    output.make_folder(out)
    result = _run(survey)
    _show(result)
    _write(result, out)
    if result.broken:
        raise typer.Exit(output.FAILED)


def _survey(
    data: Path,
    classes: Path | None,
    dataset: str | None,
    split: str | None,
    ignore_label: int | None,
) -> Survey:
    with quiet_import():
        from keras_deeplab.data import survey_dataset, survey_folder

    try:
        if dataset is not None and split is not None:
            survey = survey_dataset(dataset, data, split)
        else:
            survey = survey_folder(data, classes=classes)
        if ignore_label is None:
            return survey
        changed = dataclasses.replace(survey.data, ignore_label=ignore_label)
        return dataclasses.replace(survey, data=changed)
    except (OSError, ValueError) as error:
        output.fail(str(error))


def _run(survey: Survey) -> Audit:
    from keras_deeplab.data import audit as run_audit

    with output.progress_bar() as report:
        return run_audit(survey, progress=report)


def _show(result: Audit) -> None:
    output.say(_classes(result))
    share = 100 * result.statistics.ignored_share
    output.say(f"{len(result.data)} pairs; {share:.2f} % of the pixels are ignored.")
    for finding in result.findings:
        _tell(finding)
    broken, others = len(result.broken), len(result.findings) - len(result.broken)
    output.say(f"Broken: {broken}. Suspicious: {others}.")


def _classes(result: Audit) -> Table:
    from keras_deeplab.data import label_colors

    table = Table()
    table.add_column("")
    table.add_column("Label", justify="right")
    table.add_column("Class")
    for title in ("Share, %", "Masks", "Weight", "its root"):
        table.add_column(title, justify="right")
    colors = label_colors(result.data.classes)
    for label, row in enumerate(result.as_dict()["classes"]):
        red, green, blue = colors[label]
        table.add_row(
            Text("  ", style=f"on rgb({red},{green},{blue})"),
            str(label),
            Text(row["name"]),
            f"{100 * row['frequency']:.3f}",
            str(row["images"]),
            f"{row['median_weight']:.3f}",
            f"{row['sqrt_weight']:.3f}",
        )
    return table


def _tell(finding: Finding) -> None:
    count = f" ({len(finding.files)})" if finding.files else ""
    output.say(f"{finding.severity.upper()}: {finding.title}{count}")
    for detail in finding.details[:_SHOWN]:
        output.say(f"  {detail}")
    more = len(finding.details) - _SHOWN
    if more > 0:
        output.say(f"  and {more} more: see {_JSON}")
    output.say(f"  → {finding.mend}")


def _write(result: Audit, out: Path) -> None:
    from keras_deeplab.inference import draw_contact_sheet, write_atomically

    output.write_json(out / _JSON, result.as_dict())
    sheet = draw_contact_sheet(result)
    try:
        write_atomically(out / _SHEET, lambda file: sheet.save(file, "PNG"))
    except OSError as error:
        output.fail(f"{out / _SHEET} cannot be written: {error.strerror}")
    output.say(f"Wrote {_JSON} and {_SHEET} to {out.resolve()}")
