"""The manifest of weights: what it may hold, and how a wrong field is named."""

import json
import pathlib
from typing import Any

import pytest

from keras_deeplab.weights.manifest import read_manifest

REAL = pathlib.Path(__file__).parents[2] / "weights_manifest.json"
CONTENT = json.loads(REAL.read_bytes())


def write(folder: pathlib.Path, content: Any) -> pathlib.Path:
    path = folder / "manifest.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def with_row(**changes: Any) -> dict[str, Any]:
    """Two rows, of which the second is changed."""
    first, second, *_ = CONTENT["weights"]
    return {**CONTENT, "weights": [first, {**second, **changes}]}


def refuse(folder: pathlib.Path, content: Any, *mentions: str) -> None:
    path = write(folder, content)
    with pytest.raises(ValueError, match="`path` is not a manifest") as caught:
        read_manifest(path)
    message = str(caught.value)
    assert message.endswith(f"Received: path={str(path)!r}")
    for mention in mentions:
        assert mention in message


def test_rows_when_read_are_those_of_the_file(tmp_path: pathlib.Path) -> None:
    rows = read_manifest(write(tmp_path, with_row(bytes=5)))
    assert list(rows) == [row["name"] for row in CONTENT["weights"][:2]]
    first, second = rows.values()
    assert second.bytes == 5
    assert first.arguments["atrous_rates"] == ()
    assert first.remote.digest == CONTENT["weights"][0]["digest"]
    # A window of 33 at output stride 16 is that of a crop of 513.
    assert first.image_pooling_window == (33, 33)
    assert first.crop_size == (513, 513)
    assert first.model_arguments()["classes"] == 21


SCORE = CONTENT["weights"][0]["published"][0]
# Fields that the schema refuses, too.
WRONG: list[tuple[str, Any]] = [
    ("name", None),
    ("name", "../evil"),
    ("name", "a" * 101),
    ("name", "Capital"),
    ("name", ["a"]),
    ("dataset", ""),
    ("dataset", 3),
    ("model", "DeepLabV9"),
    ("model", {}),
    ("arguments", None),
    ("arguments", []),
    ("arguments", {}),
    ("arguments", {"backbone": 3}),
    ("arguments", {"backbone": {}}),
    ("arguments", {"backbone": [["mobilenet_v2"]]}),
    ("file", ""),
    ("file", None),
    ("urls", "http://h/a"),
    ("urls", [3]),
    ("urls", None),
    ("bytes", "5"),
    ("bytes", 1.5),
    ("bytes", True),
    ("bytes", 0),
    ("bytes", -1),
    ("stated_size", 439),
    ("stated_size", ""),
    ("stated_size", "large"),
    ("stated_size", "439 MB, about"),
    ("digest", 5),
    ("algorithm", ["sha256"]),
    ("licence", None),
    ("origin", ""),
    ("converter", "pickle"),
    ("converter", None),
    ("preprocessing", "bgr"),
    ("preprocessing", None),
    ("class_names", "fish"),
    ("class_names", ["a", "b"]),
    ("output_stride", 7),
    ("output_stride", "16"),
    ("output_stride", [16]),
    ("image_pooling_window", 33),
    ("image_pooling_window", [33]),
    ("image_pooling_window", [33, 0]),
    ("published", {}),
    ("published", [{}]),
    ("published", [{**SCORE, "value": "75"}]),
    ("published", [{**SCORE, "value": float("inf")}]),
    ("published", [{**SCORE, "value": 101}]),
    ("published", [{**SCORE, "value": -1}]),
    ("published", [{**SCORE, "metric": None}]),
    ("published", [{**SCORE, "command": "a"}]),
    ("measured", [SCORE]),
    ("measured", 80.5),
]
# To a schema 33.0 is an integer, and JSON has no such thing as not a number.
WRONG_IN_PYTHON: list[tuple[str, Any]] = [
    ("image_pooling_window", [33, 33.0]),
    ("published", [{**SCORE, "value": float("nan")}]),
]


@pytest.mark.parametrize(("field", "value"), WRONG + WRONG_IN_PYTHON)
def test_field_that_is_wrong_is_named_with_its_row(
    field: str, value: Any, tmp_path: pathlib.Path
) -> None:
    refuse(tmp_path, with_row(**{field: value}), "row 2: ", f"`{field}`")


# Rows that the schema refuses, too.
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"file": "../evil"}, "`name` must be a plain file name"),
    ({"urls": ["file:///etc/passwd"]}, "`urls` must be http or https"),
    ({"digest": "ab" * 32}, "`algorithm` must be one of"),
    ({"algorithm": "sha256"}, "`digest` must be 64"),
    ({"digest": "ab" * 31, "algorithm": "sha256"}, "`digest` must be 64"),
    ({"digest": "AB" * 32, "algorithm": "sha256"}, "`digest` must be 64"),
    ({"digest": "ab" * 32, "algorithm": "md5"}, "`digest` must be 32"),
    ({"digest": "ab" * 32, "algorithm": "sha384"}, "`digest` must be 96"),
    ({"digest": "ab" * 32, "algorithm": "sha512"}, "`digest` must be 128"),
    ({"digest": "ab" * 20, "algorithm": "sha1"}, "`algorithm` must be one of"),
    ({"arguments": {"backbone": "alexnet"}}, "Unknown `backbone`"),
    ({"model": None}, "`class_names` must be there for a model"),
    ({"class_names": None}, "`class_names` must be there for a model"),
    ({"output_stride": None}, "`output_stride` must be there for a model"),
    ({"model": None, "class_names": None}, "`output_stride` must be there for a model"),
    ({"surprise": 1}, "must hold the fields name, dataset, model"),
]
# A schema sees a row by itself.
TWICE = ({"name": CONTENT["weights"][0]["name"]}, "there are two of `name`")


@pytest.mark.parametrize(("changes", "mention"), [*CONTRADICTIONS, TWICE])
def test_row_that_contradicts_itself_is_refused(
    changes: dict[str, Any], mention: str, tmp_path: pathlib.Path
) -> None:
    refuse(tmp_path, with_row(**changes), "row 2: ", mention)


@pytest.mark.parametrize("field", CONTENT["weights"][0])
def test_row_without_a_field_is_refused(field: str, tmp_path: pathlib.Path) -> None:
    content = with_row()
    content["weights"][1] = {k: v for k, v in content["weights"][1].items()}
    del content["weights"][1][field]
    refuse(tmp_path, content, "row 2: must hold the fields", field)


@pytest.mark.parametrize(
    ("content", "mention"),
    [
        ("", "Expecting value"),
        ("{", "Expecting"),
        ("null", "it must hold `$schema`"),
        ("[]", "it must hold `$schema`"),
        ("[" * 100_000, "recursion"),
        ("9" * 5000, "digits"),
        ({**CONTENT, "schema": 2}, "`schema`, which is 1"),
        ({**CONTENT, "more": 2}, "`schema`, which is 1"),
        ({**CONTENT, "weights": {}}, "`weights` must be a list"),
        ({**CONTENT, "weights": [3]}, "row 1: must hold the fields"),
        ({**CONTENT, "weights": [None]}, "row 1: must hold the fields"),
        ('{"schema": 1, "schema": 1}', "a field is there twice among schema"),
    ],
)
def test_file_that_is_no_manifest_is_refused(
    content: Any, mention: str, tmp_path: pathlib.Path
) -> None:
    refuse(tmp_path, content, mention)


def test_manifest_that_is_not_there_or_no_text_is_refused(
    tmp_path: pathlib.Path,
) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(ValueError, match="No such file"):
        read_manifest(path)
    path.write_bytes(REAL.read_bytes().replace(b"mIoU", b"\xffIoU", 1))
    with pytest.raises(ValueError, match="can't decode byte"):
        read_manifest(path)


def test_manifest_that_is_too_large_is_refused_unread(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "manifest.json"
    with open(path, "wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="more than 16777216 bytes"):
        read_manifest(path)
