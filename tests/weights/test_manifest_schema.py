"""The manifest, its JSON schema, and the tables of the code agree."""

import copy
import json
import pathlib
from typing import Any

import jsonschema
import pytest

from keras_deeplab import models
from keras_deeplab._class_names import CLASS_NAMES
from keras_deeplab.backbones import BACKBONES, OUTPUT_STRIDES
from keras_deeplab.layers.preprocess import PREPROCESSINGS
from keras_deeplab.weights.converters import CONVERTERS
from keras_deeplab.weights.manifest_fields import ROW_FIELDS
from keras_deeplab.weights.remote_file import DIGEST_LENGTHS
from tests.weights.test_manifest import CONTRADICTIONS, WRONG, with_row

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
    check_choices(FIELDS[field]["enum"], known)


def test_backbones_of_the_schema_are_those_of_the_code() -> None:
    check_choices(FIELDS["arguments"]["properties"]["backbone"]["enum"], BACKBONES)


def check_choices(choices: list[Any], known: Any) -> None:
    assert len(choices) == len({*choices})
    assert {*choices} == {*known}


def test_fields_of_the_schema_are_those_of_the_code() -> None:
    assert FIELDS.keys() == ROW_FIELDS.keys()
    assert {*SCHEMA["$defs"]["row"]["required"]} == {*ROW_FIELDS}


@pytest.mark.parametrize(
    "changes",
    [*({field: value} for field, value in WRONG), *(row for row, _ in CONTRADICTIONS)],
    ids=str,
)
def test_row_that_the_code_refuses_does_not_fit(changes: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(with_row())
    errors = [*VALIDATOR.iter_errors(with_row(**changes))]
    assert {tuple(error.absolute_path)[:2] for error in errors} == {("weights", 1)}


@pytest.mark.parametrize("row", MANIFEST["weights"], ids=lambda row: row["name"])
def test_digest_of_any_row_is_one_the_schema_measures(row: dict[str, Any]) -> None:
    for algorithm, length in DIGEST_LENGTHS.items():
        stated = {**row, "algorithm": algorithm, "digest": "0" * length}
        assert VALIDATOR.is_valid({**MANIFEST, "weights": [stated]})


@pytest.mark.parametrize("field", [*ROW_FIELDS])
def test_manifest_without_a_field_does_not_fit(field: str) -> None:
    wrong = copy.deepcopy(MANIFEST)
    del wrong["weights"][0][field]
    assert not VALIDATOR.is_valid(wrong)
