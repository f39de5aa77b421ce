"""How the numbers of an exported TFLite graph are stored."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantization:
    """One way to store numbers.

    Args:
        optimize: Whether the converter's optimization is on.
        half: Whether weights are stored in half precision.
        calibrated: Whether activations are 8-bit too, in ranges seen on photos.
        agreement: The share of labels that must be those of the Keras model.
    """

    optimize: bool = True
    half: bool = False
    calibrated: bool = False
    agreement: float


#: The numbers that a TFLite file holds, by name.
QUANTIZATIONS: Mapping[str, Quantization] = MappingProxyType(
    {
        "none": Quantization(optimize=False, agreement=0.999),
        "float16": Quantization(half=True, agreement=0.995),
        # 8-bit weights, one scale a channel; activations are float between operations.
        "dynamic": Quantization(agreement=0.95),
        "int8": Quantization(calibrated=True, agreement=0.95),
    }
)
