"""The manifest, its JSON schema, and the tables of the code agree."""

import copy
import json
import pathlib
from typing import Any

import jsonschema
import pytest

from keras_deeplab import models
from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.backbones import OUTPUT_STRIDES
from keras_deeplab.layers.preprocess import PREPROCESSINGS
from keras_deeplab.weights.converters import CONVERTERS
from keras_deeplab.weights.manifest_fields import ROW_FIELDS
from keras_deeplab.weights.remote_file import DIGEST_LENGTHS

ROOT = pathlib.Path(__file__).parents[2]
MANIFEST = json.loads((ROOT / "weights_manifest.json").read_bytes())
SCHEMA = json.loads((ROOT / "weights_manifest.schema.json").read_bytes())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FIELDS = SCHEMA["$defs"]["row"]["properties"]


def test_manifest_fits_its_schema() -> None:
    VALIDATOR.check_schema(SCHEMA)
    VALIDATOR.validate(MANIFEST)
    assert (ROOT / MANIFEST["$schema"]).name == "weights_manifest.schema.json"


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("model", [*(model.__name__ for model in models.MODELS), None]),
        ("converter", CONVERTERS),
        ("preprocessing", PREPROCESSINGS),
        ("class_names", [*CLASS_NAMES, None]),
        ("algorithm", [*DIGEST_LENGTHS, None]),
        ("output_stride", [*OUTPUT_STRIDES, None]),
    ],
)
def test_choices_of_the_schema_are_those_of_the_code(field: str, known: Any) -> None:
    choices = FIELDS[field]["enum"]
    assert len(choices) == len({*choices})
    assert {*choices} == {*known}


def test_fields_of_the_schema_are_those_of_the_code() -> None:
    assert FIELDS.keys() == ROW_FIELDS.keys()
    assert {*SCHEMA["$defs"]["row"]["required"]} == {*ROW_FIELDS}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Has Spaces"),
        ("urls", ["ftp://example.org/a"]),
        ("file", "../a"),
        ("bytes", 0),
        ("digest", "XY"),
        ("output_stride", 12),
        ("image_pooling_window", [33]),
        ("published", [{"metric": "mIoU", "value": 75.32}]),
        ("measured", [{"metric": "mIoU"}]),
        ("extra", 1),
    ],
)
def test_manifest_with_a_wrong_field_does_not_fit(field: str, value: Any) -> None:
    wrong = copy.deepcopy(MANIFEST)
    wrong["weights"][0][field] = value
    (error,) = VALIDATOR.iter_errors(wrong)
    assert list(error.absolute_path)[:2] == ["weights", 0]


@pytest.mark.parametrize("field", [*ROW_FIELDS])
def test_manifest_without_a_field_does_not_fit(field: str) -> None:
    wrong = copy.deepcopy(MANIFEST)
    del wrong["weights"][0][field]
    assert not VALIDATOR.is_valid(wrong)
