"""The CRF as a graph takes it, and what it does there."""

import dataclasses
from typing import Any

from keras import ops

from keras_deeplab.inference.crf_source import CRFSource, load_crf
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRFParameters


@dataclasses.dataclass(frozen=True, kw_only=True)
class CRFEffect:
    """What the CRF inside an export is, and the export without it.

    Args:
        parameters: Its weights and widths.
        accuracy: A key of `layers.CRF_ACCURACIES`.
        plain_bytes: Size of the same export without it.
        plain_peak_bytes: Memory that this one needs; `None` where not measured.
        plain_mean_iou: Mean IoU of the Keras model without it, if masks were given.
    """

    parameters: CRFParameters
    accuracy: str
    plain_bytes: int
    plain_peak_bytes: int | None = None
    plain_mean_iou: float | None = None


def crf_step(crf: CRFSource | None, accuracy: str) -> DenseCRF | None:
    """Returns a CRF that has no weights: what it has learned are constants.

    Args:
        crf: A CRF, or `None`.
        accuracy: A key of `layers.CRF_ACCURACIES`, for a `crf` that is no layer.

    Returns:
        A layer, if there is to be one.

    Raises:
        ValueError: If there is no such CRF.
        OSError: If its file cannot be read.
    """
    if crf is None:
        return None
    layer = load_crf(crf, accuracy)
    if not layer.trainable_parameters:
        return layer
    config: dict[str, Any] = {
        **layer.get_config(),
        "trainable_parameters": False,
        "compatibility": _costs(layer),
    }
    # One that was never called has nothing but its first values.
    if layer.built:
        config.update(dataclasses.asdict(layer.learned_parameters()))
    return DenseCRF.from_config(config)


def _costs(layer: DenseCRF) -> Any:
    for weight in layer.weights:
        if weight.name == "compatibility":
            # It holds what a label adds to others, from rows to columns.
            return (-ops.convert_to_numpy(weight).T).tolist()
    return layer.compatibility
