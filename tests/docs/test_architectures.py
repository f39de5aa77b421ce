"""The drawings show the models as they are."""

import pathlib
import runpy
import xml.etree.ElementTree as ET
from typing import Any

import pytest

import keras_deeplab

ROOT = pathlib.Path(__file__).parents[2]
COMMAND = "scripts/architectures.py"
SCRIPT = runpy.run_path(str(ROOT / COMMAND))
FOLDER = ROOT / "docs" / "architectures"


@pytest.mark.parametrize("name", SCRIPT["MODELS"])
def test_drawing_is_that_of_the_model(name: str) -> None:
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert SCRIPT["draw"](name) == text, f"Run `python {COMMAND}`."
    ET.fromstring(text)


def test_page_shows_every_drawing() -> None:
    page = (ROOT / "docs/architectures.md").read_text(encoding="utf-8")
    assert {path.stem for path in FOLDER.iterdir()} == {*SCRIPT["MODELS"]}
    assert all(f"(architectures/{name}.svg)" in page for name in SCRIPT["MODELS"])


@pytest.fixture(scope="module")
def boxes() -> dict[str, Any]:
    model = keras_deeplab.DeepLabV3Plus(
        "mobilenet_v2", output_stride=8, input_shape=(SCRIPT["SIDE"],) * 2 + (3,)
    )
    return SCRIPT["read"](model, "mobilenet_v2")


def test_boxes_of_another_output_stride_have_its_shapes_and_rates(
    boxes: dict[str, Any],
) -> None:
    # 513 pixels at stride 8, and the paper's rates doubled.
    # Before it halves the map a block expands six times, from 24 channels.
    assert boxes["stride 4"].lines == ["stride 4", "129 x 129 x 144", "rate 1"]
    assert boxes["stride 8"].lines == ["stride 8", "65 x 65 x 320", "rate 1, 2, 4"]
    assert "stride 16" not in boxes
    rates = [boxes[f"aspp/rate_{index}"].lines[1] for index in (1, 2, 3)]
    assert rates == [f"3 x 3, rate {rate}, separable" for rate in (12, 24, 36)]


def test_boxes_are_connected_as_the_paper_says(boxes: dict[str, Any]) -> None:
    assert boxes["decoder_projection"].inputs == ["stride 4"]
    assert boxes["decoder_concat"].inputs == ["decoder_resize", "decoder_projection"]
    assert boxes["decoder_concat"].lines[-1] == "129 x 129 x 304"
    assert boxes["logits"].inputs == ["decoder_conv2"]
    assert len(boxes["aspp/concat"].inputs) == 5
