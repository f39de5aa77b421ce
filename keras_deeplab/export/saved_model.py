"""A model as a SavedModel, for TensorFlow Serving."""

import os
from pathlib import Path

from keras_deeplab._atomic_file import folder_beside, part_beside
from keras_deeplab.export.backend import check_backend
from keras_deeplab.export.crf_step import crf_step
from keras_deeplab.export.fixed_size import fixed_size
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.photos import PhotoSource
from keras_deeplab.export.report import ExportReport, report_path
from keras_deeplab.export.trial import make_trial
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.layers import arguments
from keras_deeplab.models import Segmenter

# The same numbers in the same order: only ties and rounding can tell.
_AGREEMENT = 0.999
# A photo of so many pixels takes about 1 GB beside a small model: first one that is
# scaled down to the model's input, then one that the model takes as it is.
_MOST_PIXELS_SCALED = 2**26
_MOST_PIXELS_WHOLE = 2**22


def to_saved_model(
    model: Segmenter,
    path: str | os.PathLike[str],
    *,
    version: int | None = None,
    size: int | tuple[int, int] | None = None,
    photos: PhotoSource | None = None,
    masks: str | os.PathLike[str] | None = None,
    ignore_label: int | None = 255,
    least_agreement: float | None = None,
    most_pixels: int | None = None,
    crf: CRFSource | None = None,
) -> ExportReport:
    """Writes a model as a version of a SavedModel, and a report of it.

    The signatures, all for batches:

    - `serving_default`: `image`, uint8 RGB `(batch, height, width, 3)`, to `labels`,
      uint8 up to 256 classes or else int32, `(batch, height, width)`;
    - `probabilities`: `image` to `probabilities`, float32
      `(batch, height, width, classes)`;
    - `serve_bytes`: `image_bytes`, strings `(batch,)`, JPEG or PNG files of any size,
      to `labels_bytes`: PNG files of one label a pixel, of the files' own sizes, not
      turned upright. An image of another format, damaged, cut short or too large is an
      error, for its whole batch; one that is too large is never decoded.

    Requests to warm TensorFlow Serving up lie in the folder. It is compared with the
    Keras model on photos before it is put in its place, `PATH/VERSION`, with
    `PATH/VERSION.report.json` beside it; an export that fails leaves nothing behind.

    Args:
        model: A model of this package.
        path: The folder of all versions; made if need be.
        version: Number of the version; by default the next.
        size: Height and width of the input, or one integer. By default those of the
            model's input, which may be any; with a CRF, whose size must be known, by
            default those of its training crop, if the model takes any.
        photos: Photos for the comparison, or folders of them; by default those of the
            package.
        masks: Folder of label maps of the same names as the photos in the folder
            `photos`, for the mean IoU of both.
        ignore_label: Label of the mask pixels that do not count.
        least_agreement: The share of the photos' pixels that must get the same label
            from both, in `[0, 1]`; by default 0.999.
        most_pixels: The largest image that `serve_bytes` decodes. By default 2**26, or
            2**22 if the model has neither a size of its input nor a `crop_size`, and so
            takes a photo as it is.
        crf: A CRF that refines the logits inside the graph, at the size of the input:
            `"v1"`, `"v2"`, `"pydensecrf"` or a JSON file of parameters, with the
            accuracy `"accurate"`; or a `DenseCRF` layer, of which what it has learned
            becomes constants. `serve_bytes` still takes images of any size, and brings
            them to the size of the input first. Padding takes part in it. The report
            tells size and latency without it too.

    Returns:
        The report.

    Raises:
        ExportError: If the SavedModel does not answer as the model does.
        ValueError: If an argument is out of range, the version exists, or a photo
            cannot be read.
        OSError: If a file cannot be read or written.

    Examples:
        >>> model = keras_deeplab.load_model("model.keras")  # doctest: +SKIP
        >>> report = keras_deeplab.export.to_saved_model(
        ...     model, "models/street"
        ... )  # doctest: +SKIP
        >>> report.path  # doctest: +SKIP
        PosixPath('models/street/1')
    """
    if most_pixels is not None:
        most_pixels = arguments.positive(most_pixels=most_pixels)
    check_backend()
    trial = make_trial(photos, masks, ignore_label, least_agreement, _AGREEMENT)
    step = crf_step(crf, "accurate")
    anything = size is None and step is None
    fixed = model if anything else fixed_size(model, size)
    # TensorFlow is imported where it is needed.
    from keras_deeplab.export.saved_model_job import SavedModelJob

    job = SavedModelJob(
        graph=Graph(model=fixed, crf=step),
        name=Path(path).resolve().name,
        most_pixels=most_pixels or _most_pixels(fixed),
    )
    target = _version_folder(Path(path), version)
    with part_beside(report_path(target)) as told, folder_beside(target) as part:
        job.write(part)
        report = job.report(part, target, trial)
        told.write_text(report.to_json(), encoding="utf-8")
    return report


def _most_pixels(model: Segmenter) -> int:
    as_it_is = model.crop_size is None and None in model.input_shape[1:3]
    return _MOST_PIXELS_WHOLE if as_it_is else _MOST_PIXELS_SCALED


def _version_folder(path: Path, version: int | None) -> Path:
    if version is not None:
        version = arguments.positive(version=version)
    path.mkdir(parents=True, exist_ok=True)
    taken = [int(each.name) for each in path.iterdir() if each.name.isdecimal()]
    if version in taken:
        raise ValueError(
            f"`version` must be new: {path} has {sorted(taken)}. Received: {version=}"
        )
    return path / str(version or max(taken, default=0) + 1)
