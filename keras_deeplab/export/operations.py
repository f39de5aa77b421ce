"""What operations an exported graph is made of."""

import collections
from collections.abc import Mapping
from typing import Any

from keras_deeplab.export.export_error import ExportError

# Of TensorFlow's own convolution at a rate, which mobile GPUs do not have.
_REFUSED = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")


def tflite_operations(content: bytes) -> dict[str, int]:
    """Counts the operations of a TFLite file, those of all its graphs.

    Args:
        content: The file.

    Returns:
        Names, sorted, and how often each occurs. An operation that is not built in is
        named `CUSTOM` and its own name.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    model = schema.Model.GetRootAs(content, 0)
    counts: collections.Counter[str] = collections.Counter()
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for index in range(graph.OperatorsLength()):
            code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
            counts[_name(code, names)] += 1
    return dict(sorted(counts.items()))


def check_operations(operations: Mapping[str, int]) -> None:
    """Raises `ExportError` unless every operation is built in and fused."""
    strange = [
        name for name in operations if name in _REFUSED or name.startswith("CUSTOM")
    ]
    if strange:
        raise ExportError(
            "The converted graph has operations that TFLite or its delegates lack: "
            f"{', '.join(strange)}. Use the layers of keras_deeplab for atrous "
            "convolutions."
        )


def _name(code: Any, names: Mapping[int, str]) -> str:
    # Old files hold the code in the deprecated field alone.
    name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    custom = code.CustomCode()
    return name if custom is None else f"{name} {custom.decode(errors='replace')}"
