"""The pages show what the manifest says."""

import dataclasses
import pathlib
import re
import runpy

import pytest

from keras_deeplab.weights import Score, WeightsRow, manifest

ROOT = pathlib.Path(__file__).parents[2]
COMMAND = "scripts/weights_tables.py"
SCRIPT = runpy.run_path(str(ROOT / COMMAND))
PAGES = SCRIPT["PAGES"]
ROW = manifest()["deeplabv3_mobilenet_v2_pascal_voc"]


def cells(table: str, row: WeightsRow) -> list[list[str]]:
    """What a table says of a row, without the name."""
    lines = SCRIPT["TABLES"][table]([row]).splitlines()
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert len(widths) == 1
    return [re.split(r"(?<!\\) \| ", line.strip("| "))[1:] for line in lines[2:]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_shows_the_manifest(page: pathlib.Path) -> None:
    text = page.read_text(encoding="utf-8")
    expected = SCRIPT["updated"](text, list(manifest().values()))
    assert text == expected, f"Run `python {COMMAND}`."


@pytest.mark.slow
def test_page_shows_what_the_models_cost() -> None:
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    assert SCRIPT["architectures"]() in text, f"Run `python {COMMAND}`."


@pytest.mark.parametrize("name", ["models", "weights"])
def test_page_of_another_manifest_would_be_another(name: str) -> None:
    page = ROOT / "docs" / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    first, *others = manifest().values()
    (score, *scores) = first.published
    other = dataclasses.replace(score, value=score.value + 1)
    changed = dataclasses.replace(first, published=(other, *scores))
    page_of = SCRIPT["updated"](text, [changed, *others])
    assert page_of != text
    # All else stays as it was written.
    pairs = zip(text.splitlines(), page_of.splitlines(), strict=True)
    (line,) = [before for before, after in pairs if before != after]
    assert f"`{first.name}`" in line


def test_pages_have_every_table() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = re.findall("<!-- table: (.*) -->", text)
    assert sorted(named) == sorted([*SCRIPT["TABLES"], "architectures"])
    assert text.count("<!-- end of table -->") == len(named)


def test_tables_hold_the_numbers_of_a_row() -> None:
    protocol = "output stride 16, one scale"
    ((*head, score, licence),) = cells("models", ROW)
    assert head == ["DeepLabV3", "mobilenet_v2", "pascal_voc", "16"]
    assert score == f"75.32 mIoU, PASCAL VOC 2012 val; {protocol}"
    assert licence == "Apache-2.0"
    first, second = cells("published", ROW)
    assert first[:4] == ["mIoU", "75.32", "PASCAL VOC 2012 val", protocol]
    assert second[1] == "77.33"
    assert first[4] == (
        "[source](https://github.com/tensorflow/models/blob/master/research/deeplab/"
        "g3doc/model_zoo.md)"
    )
    ((arguments, *settings),) = cells("training", ROW)
    assert arguments == "`backbone='mobilenet_v2'`, `atrous_rates=()`"
    assert settings == ["pascal_voc", "16", "513 x 513"]
    ((file, size, digest, *_),) = cells("files", ROW)
    name = "deeplabv3_mnv2_pascal_train_aug_2018_01_29.tar.gz"
    host = "download.tensorflow.org/models"
    secure = f"https://storage.googleapis.com/{host}/{name}"
    assert file == f"[{name}]({secure}) [{name}](http://{host}/{name})"
    assert size == "23882985 bytes"
    assert digest == f"sha384 `{ROW.digest}`"


def test_tables_keep_measured_and_published_scores_apart() -> None:
    mine = Score(
        metric="mIoU", value=12.5, data="a|b", protocol="ours", command="do it"
    )
    row = dataclasses.replace(ROW, measured=(mine,))
    assert cells("measured", row) == [["mIoU", "12.5", r"a\|b", "ours", "`do it`"]]
    for table in SCRIPT["TABLES"].keys() - {"measured", "recipes"}:
        assert cells(table, row) == cells(table, ROW)
    assert cells("measured", dataclasses.replace(row, measured=())) == []


def test_table_of_recipes_counts_photos_and_updates_by_the_papers() -> None:
    lines = SCRIPT["TABLES"]["recipes"]([]).splitlines()
    (line,) = [line for line in lines if "`deeplabv2_resnet101_voc`" in line]
    cells = line.strip("| ").split(" | ")
    # Section 4.1.2 of the paper: 20,000 updates of ten images.
    assert cells[1:6] == [
        "voc2012_aug trainaug",
        "321 x 321",
        "10",
        "20000 steps",
        "0.00025",
    ]


def test_tables_tell_backbones_from_models() -> None:
    backbone = manifest()["xception65_imagenet"]
    assert cells("models", backbone) == cells("backbones", ROW) == []
    assert cells("backbones", backbone) == [["xception65", "imagenet", "Apache-2.0"]]


def test_table_of_weights_in_the_package_names_the_file() -> None:
    row = dataclasses.replace(
        ROW, urls=(), file="own.keras", bytes=None, digest=None, algorithm=None
    )
    ((file, size, digest, *_),) = cells("files", row)
    assert (file, size, digest) == ("own.keras", "23MB", "none")
    ((_, size, *_),) = cells("files", dataclasses.replace(row, stated_size=None))
    assert size == "not stated"
