"""The sections of a report: a figure each, and how to read it."""

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from keras_deeplab.data.colors import label_colors
from keras_deeplab.data.read_sample import Sample
from keras_deeplab.data.segmentation_data import SegmentationData
from keras_deeplab.inference.evaluation import Evaluation
from keras_deeplab.inference.overlay import background_of
from keras_deeplab.inference.report.class_bars import draw_class_bars
from keras_deeplab.inference.report.confusion_map import (
    draw_confusion,
    largest_confusions,
)
from keras_deeplab.inference.report.markup import image_uri, tag
from keras_deeplab.inference.report.photo_tiles import photo_tiles
from keras_deeplab.inference.report.reliability import draw_reliability
from keras_deeplab.inference.report.trimap_curve import draw_trimap
from keras_deeplab.inference.worst_photos import WorstPhoto
from keras_deeplab.metrics.fraction import percent


def bars_section(evaluation: Evaluation, data: SegmentationData) -> Iterator[Element]:
    """The IoU of each class, the best first."""
    plain = None if evaluation.plain is None else evaluation.plain.scores
    text = (
        "Pixels that truth and prediction have in common, in percent of those of "
        "either. A pale bar is a class that the truth lacks; a dash, one that nothing "
        "has."
    )
    marks = "" if plain is None else " The black mark is the IoU without the CRF."
    yield _note(text + marks)
    yield draw_class_bars(data.class_names, evaluation.scores, plain)


def confusion_section(
    evaluation: Evaluation, data: SegmentationData
) -> Iterator[Element]:
    """Where the pixels of each class went."""
    names = data.class_names
    yield _note(
        "A row is a true class, a column a predicted one. A cell is the share of the "
        "row's pixels, in percent; its shade follows the root of it, so that small "
        "shares are seen."
    )
    table = _table(
        ("True class", "taken for", "of the class, %", "pixels"),
        [
            (
                names[mistake.truth],
                names[mistake.prediction],
                percent(mistake.share),
                f"{mistake.pixels:,}",
            )
            for mistake in largest_confusions(evaluation.scores)
        ],
        texts=2,
    )
    caption = tag("figcaption", "The mistakes that concern most pixels")
    largest = tag("figure", caption, table)
    yield tag("div", draw_confusion(names, evaluation.scores), largest, class_="side")


def trimap_section(evaluation: Evaluation, data: SegmentationData) -> Iterator[Element]:
    """The mean IoU near boundaries."""
    if not evaluation.trimap:
        return
    lines = _lines(evaluation)
    yield _note(
        "Mean IoU of the pixels no further than a width from a pixel of another true "
        "label, as in the DeepLab papers; pixels to ignore do not count, but are "
        "another label. The dashed line is the mean IoU of all pixels."
    )
    if math.isnan(evaluation.trimap[max(evaluation.trimap)].mean_iou):
        yield _note("These masks have no boundary.")
        return
    rows = [
        (str(width), *(percent(line.trimap[width].mean_iou) for line in lines.values()))
        for width in evaluation.trimap
    ]
    table = _table(("Width, px", *(f"{name}, %" for name in lines)), rows)
    yield tag("div", draw_trimap(lines), table, class_="side")


def calibration_section(
    evaluation: Evaluation, data: SegmentationData
) -> Iterator[Element]:
    """Whether the model is as often right as it is sure."""
    if evaluation.calibration is None:
        return
    yield _note(
        f"The pixels in {evaluation.calibration.bins} bins of equal width by the "
        "probability of the predicted class. Bars are the share of right pixels in "
        "each, red its distance to the mean probability, the dashed line what a "
        "calibrated model shows. The expected calibration error is the mean of the "
        "distances, each weighed by its pixels; the negative log likelihood is the "
        "mean of -ln of the true class's probability. Below, how many pixels each bin "
        "has."
    )
    figures = []
    for name, line in _lines(evaluation).items():
        if line.calibration is not None:
            error, loss = line.calibration.expected_error, line.calibration.log_loss
            caption = (
                f"{name}: expected calibration error {percent(error)} %, "
                f"negative log likelihood {loss:.4f}"
            )
            drawing = draw_reliability(line.calibration)
            figures.append(tag("figure", tag("figcaption", caption), drawing))
    yield tag("div", *figures, class_="side")


def worst_section(evaluation: Evaluation, data: SegmentationData) -> Iterator[Element]:
    """The photos of the lowest mean IoU."""
    if not evaluation.worst:
        return
    yield _note(
        "By the mean IoU of the photo alone, over the classes in its truth. Wrong "
        "pixels are red, those that do not count violet."
    )
    labels: set[int] = set()
    figures = []
    for photo in evaluation.worst:
        sample = data.read(photo.index)
        labels.update(np.unique(photo.labels).tolist())
        labels.update(np.unique(sample.labels).tolist())
        figures.append(_figure(photo, sample, data))
    yield _legend(sorted(labels - {data.ignore_label}), data)
    yield from figures


def _figure(photo: WorstPhoto, sample: Sample, data: SegmentationData) -> Element:
    tiles = photo_tiles(
        sample,
        photo.labels,
        ignore_label=data.ignore_label,
        background=background_of(data.class_names),
    )
    name = Path(str(data.pairs[photo.index].image)).name
    images = (
        tag(
            "div",
            tag("img", src=image_uri(tile, "JPEG"), alt=f"{title} of {name}"),
            tag("span", title),
        )
        for title, tile in tiles.items()
    )
    caption = tag("figcaption", f"{name}: mean IoU {percent(photo.mean_iou)} %")
    return tag("figure", caption, tag("div", *images, class_="row"))


def _legend(labels: list[int], data: SegmentationData) -> Element:
    background = background_of(data.class_names)
    colors = label_colors(data.classes)
    items = []
    for label in labels:
        color = (
            "none" if label == background else "rgb({},{},{})".format(*colors[label])
        )
        swatch = tag("i", style=f"background: {color}")
        items.append(tag("span", swatch, data.class_names[label]))
    return tag("div", *items, class_="legend")


def _lines(evaluation: Evaluation) -> dict[str, Evaluation]:
    if evaluation.plain is None:
        return {"The model": evaluation}
    return {"With the CRF": evaluation, "Without": evaluation.plain}


def _note(text: str) -> Element:
    return tag("p", text, class_="note")


def _table(
    titles: tuple[str, ...], rows: list[tuple[str, ...]], texts: int = 0
) -> Element:
    """A table, the first columns of which are texts and the others numbers."""
    kinds = ["text"] * texts + ["number"] * (len(titles) - texts)
    lines = (
        tag("tr", *(tag(name, c, class_=k) for c, k in zip(row, kinds, strict=True)))
        for name, row in (("th", titles), *(("td", row) for row in rows))
    )
    return tag("table", *lines)
