"""A model as an ONNX file."""

import importlib.util
import os
from pathlib import Path

from keras_deeplab._atomic_file import part_beside
from keras_deeplab._extras import how_to_install
from keras_deeplab.export.backend import check_backend
from keras_deeplab.export.crf_step import crf_step
from keras_deeplab.export.fixed_size import fixed_size
from keras_deeplab.export.graph import Graph
from keras_deeplab.export.photos import PhotoSource
from keras_deeplab.export.quantization import QUANTIZATIONS
from keras_deeplab.export.report import ExportReport, report_path
from keras_deeplab.export.trial import make_trial
from keras_deeplab.inference.crf_source import CRFSource
from keras_deeplab.layers import arguments
from keras_deeplab.models import Segmenter

_FORMS = ("labels", "probabilities", "logits")
_PACKAGES = ("onnx", "onnxruntime", "tf2onnx")


def to_onnx(
    model: Segmenter,
    path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    outputs: str = "labels",
    photos: PhotoSource | None = None,
    masks: str | os.PathLike[str] | None = None,
    ignore_label: int | None = 255,
    least_agreement: float | None = None,
    crf: CRFSource | None = None,
) -> ExportReport:
    """Writes a model as one ONNX graph, and a report of it.

    The graph takes uint8 RGB pixels, `(batch, height, width, 3)`, named `image`, and
    does its own preprocessing. Each convolution at a rate is one `Conv`, with its batch
    norm inside. The file carries the class names, a line each, as `class_names` among
    its metadata. ONNX Runtime's answers are compared with those of the Keras model on
    photos before it is put in its place, with `PATH.report.json` beside it; an export
    that fails, or answers too differently, leaves nothing behind and what was there
    before.

    Args:
        model: A model of this package.
        path: The file to write; it must end in `.onnx`.
        size: Height and width of the input, or one integer. By default those of the
            model's input, which may be any.
        outputs: The answer. `"labels"`: label map, uint8 up to 256 classes or else
            int32, `(batch, height, width)`; the logits at full size are made on the
            way. `"probabilities"` and `"logits"`: float32,
            `(batch, height, width, classes)`.
        photos: Photos for the comparison, or folders of them; by default those of the
            package.
        masks: Folder of label maps of the same names as the photos in the folder
            `photos`, for the mean IoU of both.
        ignore_label: Label of the mask pixels that do not count.
        least_agreement: The share of the photos' pixels that must get the same label
            from both, in `[0, 1]`; by default 0.999.
        crf: A CRF that refines the logits inside the graph, at the size of the input:
            `"v1"`, `"v2"`, `"pydensecrf"` or a JSON file of parameters, with the
            accuracy `"accurate"`; or a `DenseCRF` layer, of which what it has learned
            becomes constants. The file then takes one image of a fixed size.

    Returns:
        The report.

    Raises:
        ExportError: If the file is not close enough to the model, or cannot be.
        ImportError: If tf2onnx, onnx or onnxruntime is not installed.
        ValueError: If an argument is out of range or a photo cannot be read.
        OSError: If a file cannot be read or written.

    Examples:
        >>> model = keras_deeplab.load_model("model.keras")  # doctest: +SKIP
        >>> report = keras_deeplab.export.to_onnx(
        ...     model, "model.onnx"
        ... )  # doctest: +SKIP
        >>> report.input_size  # doctest: +SKIP
        (None, None)
    """
    target = Path(path)
    if target.suffix != ".onnx":
        raise ValueError(f"`path` must end in .onnx. Received: path={str(path)!r}")
    arguments.check_choice(_FORMS, outputs=outputs)
    check_backend()
    _check_packages()
    agreement = QUANTIZATIONS["none"].agreement
    trial = make_trial(photos, masks, ignore_label, least_agreement, agreement)
    step = crf_step(crf, "accurate")
    fixed = model if size is None and step is None else fixed_size(model, size)
    # TensorFlow is imported where it is needed.
    from keras_deeplab.export.onnx_job import OnnxJob

    job = OnnxJob(graph=Graph(model=fixed, crf=step), outputs=outputs)
    with part_beside(report_path(target)) as told, part_beside(target) as part:
        job.write(part)
        report = job.report(part, target, trial)
        told.write_text(report.to_json(), encoding="utf-8")
    return report


def _check_packages() -> None:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"`to_onnx` needs {', '.join(missing)}: {how_to_install('onnx')}"
        )
