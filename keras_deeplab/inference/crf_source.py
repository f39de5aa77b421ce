"""The CRF that a name, a file or a layer stands for."""

import dataclasses
import json
import os
import warnings
from pathlib import Path
from typing import Any

from keras_deeplab._atomic_file import write_atomically
from keras_deeplab.layers import DenseCRF
from keras_deeplab.layers.crf_presets import CRF_PRESETS, CRFParameters

#: A preset, a JSON file that `write_crf` or `search_crf` made, or the layer itself.
CRFSource = str | os.PathLike[str] | DenseCRF

_KEY = "parameters"


def load_crf(crf: CRFSource, accuracy: str = "accurate") -> DenseCRF:
    """Returns the layer that a source of a CRF stands for.

    Args:
        crf: `"v1"`, `"v2"` or `"pydensecrf"`; a JSON file whose `"parameters"` are
            those of `DenseCRF`, as `search_crf` finds them; or a layer, which is
            returned as it is, with its own accuracy.
        accuracy: `"accurate"`, `"mobile"` or `"finest"`; see `DenseCRF`.

    Returns:
        The layer.

    Raises:
        ValueError: If there is no such preset, or the file does not hold parameters.
        OSError: If the file cannot be read.

    Examples:
        >>> keras_deeplab.inference.load_crf("v2").crf_parameters.theta_alpha
        67.0
    """
    if isinstance(crf, DenseCRF):
        return crf
    name = os.fspath(crf)
    if name in CRF_PRESETS:
        return DenseCRF(name, accuracy=accuracy)
    if not name.endswith(".json"):
        presets = ", ".join(repr(preset) for preset in CRF_PRESETS)
        raise ValueError(
            f"`crf` must be one of {presets}, a .json file of parameters, or a "
            f"DenseCRF layer. Received: crf={name!r}"
        )
    parameters = read_crf(name)
    return DenseCRF(accuracy=accuracy, **dataclasses.asdict(parameters))


def read_crf(path: str | os.PathLike[str]) -> CRFParameters:
    """Reads the parameters of a CRF from a JSON file.

    Args:
        path: The file: an object whose `"parameters"` name all of `CRFParameters`.

    Returns:
        The parameters.

    Warns:
        UserWarning: If the file is of a search that found no CRF better than none.

    Raises:
        ValueError: If the file is not JSON, or a parameter is missing, unknown or out
            of range.
        OSError: If the file cannot be read.
    """
    text = Path(path).read_bytes()
    names = [field.name for field in dataclasses.fields(CRFParameters)]
    try:
        content = json.loads(text)
        given = content[_KEY]
        if sorted(given) != sorted(names):
            raise ValueError(f"it names {', '.join(sorted(given)) or 'nothing'}")
        found = CRFParameters(**given).checked()
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} must be a JSON object whose {_KEY!r} are an object of "
            f"{', '.join(names)}: {error}"
        ) from error
    _warn_if_no_better(os.fspath(path), content)
    return found


def _warn_if_no_better(path: str, content: dict[str, Any]) -> None:
    best, plain = content.get("mean_iou"), content.get("plain_mean_iou")
    if not isinstance(best, int | float) or not isinstance(plain, int | float):
        return
    if best <= plain:
        warnings.warn(
            f"No CRF was better than none in the search that wrote {path}: mean IoU "
            f"{100 * best:.2f} % with the best, {100 * plain:.2f} % without.",
            stacklevel=3,
        )


def write_crf(
    path: str | os.PathLike[str], parameters: CRFParameters, **facts: Any
) -> None:
    """Writes the parameters of a CRF as JSON, whole or not at all.

    Args:
        path: The file; its folder must exist.
        parameters: The parameters.
        **facts: What else is to stand beside them, as JSON has it.

    Raises:
        OSError: If the file cannot be written.
    """
    data = {_KEY: dataclasses.asdict(parameters), **facts}
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))
