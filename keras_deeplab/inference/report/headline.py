"""The numbers at the top of a report, and what they are about."""

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.evaluation import Evaluation
from keras_deeplab.inference.report.markup import tag
from keras_deeplab.metrics.fraction import percent

_MEAN_OVER = {
    "truth": "the classes that occur in the truth",
    "union": "the classes that occur in truth or prediction",
    "all": "all classes",
}


def headline(
    evaluation: Evaluation, data: SegmentationData, facts: Mapping[str, str]
) -> Iterator[Element]:
    """Makes the numbers and the table of facts.

    Args:
        evaluation: What was measured.
        data: On what.
        facts: What else is to stand in the table.

    Yields:
        The parts of the page.
    """
    yield tag(
        "div",
        *(
            tag("div", tag("b", value), tag("span", name), class_="tile")
            for name, value in _numbers(evaluation, data)
        ),
        class_="tiles",
    )
    rows = {**facts, **dict(_definitions(evaluation, data))}
    cells = (
        tag("tr", tag("th", name), tag("td", value)) for name, value in rows.items()
    )
    yield tag("table", *cells)


def _numbers(
    evaluation: Evaluation, data: SegmentationData
) -> Iterator[tuple[str, str]]:
    yield "mean IoU, %", percent(evaluation.scores.mean_iou)
    if evaluation.plain is not None:
        yield "mean IoU without the CRF, %", percent(evaluation.plain.scores.mean_iou)
    yield "pixel accuracy, %", percent(evaluation.scores.pixel_accuracy)
    if evaluation.trimap:
        width = min(evaluation.trimap, key=lambda width: abs(width - 4))
        value = percent(evaluation.trimap[width].mean_iou)
        yield f"mean IoU within {width} px of boundaries, %", value
    if evaluation.calibration is not None:
        yield (
            "expected calibration error, %",
            percent(evaluation.calibration.expected_error),
        )
        yield "negative log likelihood, nats", f"{evaluation.calibration.log_loss:.4f}"
    yield "photos", f"{len(data):,}"


def _definitions(
    evaluation: Evaluation, data: SegmentationData
) -> Iterator[tuple[str, str]]:
    pixels = sum(evaluation.scores.truth_pixels)
    present = sum(count > 0 for count in evaluation.scores.truth_pixels)
    yield "Classes", f"{data.classes}, of which {present} occur in the truth"
    ignored = "" if data.ignore_label is None else "; those to ignore are left out"
    yield "Pixels that count", f"{pixels:,}{ignored}"
    yield (
        "Mean IoU",
        "of one confusion matrix over all photos, at the masks' own sizes; the mean is "
        f"over {_MEAN_OVER[evaluation.mean_over]}",
    )
