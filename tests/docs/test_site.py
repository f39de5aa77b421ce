"""The site builds without a warning, shows the whole API, and loads nothing."""

import importlib
import importlib.util
import json
import os
import pathlib
import re
import runpy
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import lack

ROOT = pathlib.Path(__file__).parents[2]
GROUPS = sorted(path.stem for path in (ROOT / "docs/api").glob("*.md"))
GROUPS.remove("index")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    if not importlib.util.find_spec("mkdocstrings"):
        lack("DOCS", "No mkdocstrings: pip install 'keras-deeplab[docs]'")
    folder = tmp_path_factory.mktemp("site")
    build = ["build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", *build],
        cwd=ROOT,
        # Ruff, of the same environment, formats the signatures.
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_api_pages_show_every_public_name_and_no_other(site: pathlib.Path) -> None:
    assert {*GROUPS} == {
        path.parent.name for path in ROOT.glob("keras_deeplab/*/__init__.py")
    }
    for group in GROUPS:
        page = (site / "api" / f"{group}.html").read_text(encoding="utf-8")
        shown = re.findall(rf'<h2 id="keras_deeplab\.{group}\.(\w+)"', page)
        public = importlib.import_module(f"keras_deeplab.{group}").__all__
        assert sorted(shown) == sorted(public)


def test_api_pages_show_the_argument_that_a_decorator_adds(site: pathlib.Path) -> None:
    page = (site / "api" / "models.html").read_text(encoding="utf-8")
    signature = page.partition('id="keras_deeplab.models.LRASPP"')[2]
    words = re.sub("<[^>]*>", "", signature.partition("</pre>")[0]).split()
    assert "weights:" in words


def test_pages_load_nothing_from_elsewhere(site: pathlib.Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]* src="(?:https?:)?//', text)
        sheets = re.findall(r'<link[^>]*rel="stylesheet"[^>]*>', text)
        assert sheets
        assert not [each for each in sheets if "//" in each]


@pytest.fixture
def hook() -> dict[str, Any]:
    if not importlib.util.find_spec("mkdocs"):
        lack("DOCS", "No mkdocs: pip install 'keras-deeplab[docs]'")
    return runpy.run_path(str(ROOT / "scripts/site_pages.py"))


@pytest.mark.parametrize(
    ("site_page", "link", "expected"),
    [
        ("index.md", "docs/export.md", "[a](export.md#b)"),
        ("export.md", "../README.md", "[a](index.md#b)"),
        ("devices.md", "../examples/browser/README.md", "[a](examples/browser.md#b)"),
        ("examples/browser.md", "../../docs/devices.md", "[a](../devices.md#b)"),
        ("index.md", "examples/crf.ipynb", "[a](examples/crf.md#b)"),
        ("api/index.md", "models.md", "[a](models.md#b)"),
        ("devices.md", "../setup.py", "a (`setup.py`)"),
    ],
)
def test_link_of_the_repository_is_one_of_the_site(
    site_page: str, link: str, expected: str, hook: dict[str, Any]
) -> None:
    assert hook["site_link"](site_page, "a", link, "#b") == expected


def test_notebook_is_a_page_of_its_cells(hook: dict[str, Any]) -> None:
    book = {
        "cells": [
            {"cell_type": "markdown", "source": ["# A\n", "b"]},
            {"cell_type": "code", "source": ["c = 1"]},
        ]
    }
    page = hook["as_markdown"](json.dumps(book))
    assert page == "# A\nb\n\n```python\nc = 1\n```"
