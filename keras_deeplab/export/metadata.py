"""What a TFLite file says of itself, to MediaPipe, Android's tools and this package.

The tables are those of TensorFlow Lite's `metadata_schema.fbs` 1.5.0 and MediaPipe's
`image_segmenter_metadata_schema.fbs` 1.0.0. They are few enough to be written by their
slots: the writers that exist either do not import or pin an old protobuf.
"""

import dataclasses
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import flatbuffers

from keras_deeplab.export.flat_table import Bytes, Floats, Number, Table, Tables, Text
from keras_deeplab.weights.array_archive import OWN_FILE

LABELS_FILE = "labels.txt"
METADATA_NAME = "TFLITE_METADATA"

# What MediaPipe is to do with the output, by the name of what it has not had yet.
_ACTIVATIONS: Mapping[str, int] = MappingProxyType(
    {"none": 0, "sigmoid": 1, "softmax": 2}
)
_AXIS_LABELS = 2
_VALUE_LABELS = 3
_IMAGE_PROPERTIES = 2
_RGB = 1
_NORMALIZATION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What whoever runs a file has to know.

    Args:
        name: The model's name.
        input_size: Height and width of the input.
        input_dtype: `"uint8"` or `"float32"`.
        class_names: A name for each class.
        form: A key of `OUTPUT_FORMS`.
        output: The output's name.
        activation: What is still to be applied to the output to get probabilities.
        mean: Subtracted from each channel of RGB pixels.
        std: What they are then divided by.
        resize_mode: How a photo is fitted to the input: `"pad"` or `"stretch"`.
        pad_pixel: RGB of the padding.
    """

    name: str
    input_size: tuple[int, int]
    input_dtype: str
    class_names: Sequence[str]
    form: str
    output: str
    activation: str
    mean: tuple[float, float, float]
    std: float
    resize_mode: str
    pad_pixel: tuple[float, float, float]

    @property
    def labels(self) -> bool:
        """Whether the output is a label map."""
        return self.form == "labels"


def encode_metadata(facts: FileFacts) -> bytes:
    """Writes the metadata that MediaPipe and Android's tools read.

    Args:
        facts: What to say.

    Returns:
        A flatbuffer of the type `ModelMetadata`.
    """
    graph = Table(
        {
            2: Tables([_input(facts)]),
            3: Tables([_output(facts)]),
            9: Tables([_segmenter(facts)]),
        }
    )
    # The parser's version is that of custom metadata, the newest of what is used.
    return _finished(
        Table({0: Text(facts.name), 3: Tables([graph]), 7: Text("1.5.0")}), b"M001"
    )


def append_files(path: Path, facts: FileFacts) -> None:
    """Appends the zip archive in which TFLite files carry their class names.

    Args:
        path: A TFLite file.
        facts: What to say.
    """
    own = json.dumps(dataclasses.asdict(facts), indent=2)
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in (
            (LABELS_FILE, "\n".join(facts.class_names)),
            (OWN_FILE, own),
        ):
            # Without a time, so that the same export has the same bytes.
            archive.writestr(zipfile.ZipInfo(name), text)


def _input(facts: FileFacts) -> Table:
    image = Table({0: Number(_RGB)})
    options = Table({0: Floats(facts.mean), 1: Floats([facts.std] * 3)})
    return Table(
        {
            0: Text("image"),
            3: Table({0: Number(_IMAGE_PROPERTIES), 1: image}),
            4: Tables([Table({0: Number(_NORMALIZATION), 1: options})]),
        }
    )


def _output(facts: FileFacts) -> Table:
    kind = _VALUE_LABELS if facts.labels else _AXIS_LABELS
    file = Table({0: Text(LABELS_FILE), 2: Number(kind)})
    return Table({0: Text(facts.output), 6: Tables([file])})


def _segmenter(facts: FileFacts) -> Table:
    options = Table({0: Number(_ACTIVATIONS[facts.activation]), 1: Text("1.0.0")})
    return Table({0: Text("SEGMENTER_METADATA"), 1: Bytes(_finished(options, b"V001"))})


def _finished(table: Table, identifier: bytes) -> bytes:
    builder: Any = flatbuffers.Builder(256)
    builder.Finish(table.write(builder), identifier)
    return bytes(builder.Output())
