"""Exports and their speed as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from keras_deeplab_cli.crf_option import describe_crf

if TYPE_CHECKING:
    from keras_deeplab.export import ExportReport, Latency


def report_table(report: ExportReport) -> Table:
    """What an export is, and how close it is to the model."""
    table = Table(title="The export", show_header=False)
    table.add_column("")
    table.add_column("")
    for title, value in _rows(report):
        table.add_row(title, Text(value))
    return table


def latency_table(rows: Sequence[Latency]) -> Table:
    """Times of one run, in milliseconds; ratios are to the first file's median."""
    table = Table(title="One run here, in ms")
    table.add_column("File")
    for title in ("Threads", "Runs", "Median", "10 %", "90 %", "Ratio"):
        table.add_column(title, justify="right")
    first: dict[int, float] = {}
    for row in rows:
        ratio = row.median_ms / first.setdefault(row.threads, row.median_ms)
        times = (row.median_ms, row.p10_ms, row.p90_ms)
        table.add_row(
            Text(row.file),
            # TensorFlow takes what it finds.
            str(row.threads or "-"),
            str(row.runs),
            *(f"{value:.2f}" for value in times),
            f"{ratio:.2f}",
        )
    return table


def _rows(report: ExportReport) -> Iterator[tuple[str, str]]:
    height, width = report.input_size
    yield "Format", f"{report.format}, {report.outputs}, quantize {report.quantize}"
    yield "Input", f"{height or 'any'} x {width or 'any'}"
    crf = report.crf
    plain = None if crf is None else crf.plain_bytes
    yield "Size", _megabytes(report.size_bytes, plain, 2)
    if report.peak_bytes is not None:
        plain = None if crf is None else crf.plain_peak_bytes
        yield "Peak memory", _megabytes(report.peak_bytes, plain, 0)
    yield "Operations", _operations(report)
    parity = report.parity
    yield (
        "Same labels as the model",
        f"{parity.agreement:.3%} of the pixels of {len(parity.photos)} photos, "
        f"{report.least_agreement:.1%} asked for",
    )
    if parity.max_difference is not None and parity.mean_difference is not None:
        yield (
            "Difference",
            f"{parity.mean_difference:.2g} on average, {parity.max_difference:.2g} "
            "at most",
        )
    if crf is not None and parity.crf_changed is not None:
        yield "CRF", describe_crf(crf.accuracy, crf.parameters)
        yield "Labels that it changes", f"{parity.crf_changed:.2%} of these pixels"
    if report.mean_iou is not None and report.keras_mean_iou is not None:
        yield (
            "Mean IoU",
            f"{100 * report.mean_iou:.2f} %, of the model "
            f"{100 * report.keras_mean_iou:.2f} %"
            + (
                f", without the CRF {100 * crf.plain_mean_iou:.2f} %"
                if crf is not None and crf.plain_mean_iou is not None
                else ""
            ),
        )


# How many kinds of operations are named; the report has them all.
_NAMED = 4
# What a graph of TensorFlow is held together by; it computes nothing.
_NOTHING = (
    "Const",
    "EnsureShape",
    "Identity",
    "NoOp",
    "Placeholder",
    "ReadVariableOp",
    "StatefulPartitionedCall",
)
_VERDICTS = {"tflite": "; all built in, atrous convolutions fused"}


def _operations(report: ExportReport) -> str:
    counts = {
        name: count for name, count in report.operations.items() if name not in _NOTHING
    }
    most = sorted(counts.items(), key=lambda item: -item[1])[:_NAMED]
    named = ", ".join(f"{count} {name}" for name, count in most)
    kinds = f"{sum(counts.values())} of {len(counts)} kinds, most of all {named}"
    return kinds + _VERDICTS.get(report.format, "")


def _megabytes(value: int, plain: int | None, digits: int) -> str:
    without = "" if plain is None else f", without the CRF {plain / 1e6:.{digits}f} MB"
    return f"{value / 1e6:.{digits}f} MB{without}"
