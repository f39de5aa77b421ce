"""Photos beside their truth and what a model says."""

from PIL import Image

from keras_deeplab.data import SegmentationData
from keras_deeplab.inference import draw_overlay, segment
from keras_deeplab.inference.overlay import drawable_labels
from keras_deeplab.models import Segmenter

_GAP = 8


def draw_samples(
    model: Segmenter, data: SegmentationData, *, count: int = 4, size: int | None = None
) -> Image.Image:
    """Draws some photos of a dataset, each with its truth and the model's answer.

    Args:
        model: A model of at most 256 classes.
        data: Photos with masks; those drawn are spread evenly over them.
        count: Number of photos at most.
        size: Largest longer side at which the model sees a photo, as in `segment`.

    Returns:
        An RGB picture: a row for each photo.
    """
    chosen = sorted({index * len(data) // count for index in range(count)})
    rows = [_row(model, data, index, size) for index in chosen]
    page = Image.new(
        "RGB",
        (max(row.width for row in rows), sum(row.height + _GAP for row in rows)),
        "white",
    )
    top = 0
    for row in rows:
        page.paste(row, (0, top))
        top += row.height + _GAP
    return page


def _row(
    model: Segmenter, data: SegmentationData, index: int, size: int | None
) -> Image.Image:
    sample = data.read(index)
    labels = segment(model, sample.image, size=size)
    pictures = [
        Image.fromarray(sample.image),
        draw_overlay(
            sample.image,
            drawable_labels(sample.labels, data.ignore_label),
            data.class_names,
        ),
        draw_overlay(sample.image, labels, data.class_names),
    ]
    # A legend makes small pictures wider.
    width = sum(picture.width + _GAP for picture in pictures)
    row = Image.new("RGB", (width, max(p.height for p in pictures)), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + _GAP
    return row
