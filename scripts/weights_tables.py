"""Writes the tables of weights, models and recipes into the pages that show them.

    python scripts/weights_tables.py

From the manifest and the registries; to build all models takes a minute. A page says
where: `<!-- table: NAME -->`, and where the table ends.
"""

import os
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

# Nothing is computed, so what TensorFlow says at its start is of no interest.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_deeplab.models import model_table
from keras_deeplab.training import RECIPES, Recipe
from keras_deeplab.weights import Score, WeightsRow, manifest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = tuple(ROOT / "docs" / f"{name}.md" for name in ("models", "papers", "weights"))
_PLACE = re.compile(
    r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", flags=re.DOTALL
)

Rows = list[WeightsRow]


def updated(text: str, rows: Rows, costs: bool = False) -> str:
    """A page with its tables as they should be; those of costs only if asked for."""

    def table(place: re.Match[str]) -> str:
        if place[2] in TABLES:
            return f"{place[1]}\n{TABLES[place[2]](rows)}\n{place[3]}"
        return f"{place[1]}\n{architectures()}\n{place[3]}" if costs else place[0]

    return _PLACE.sub(table, text)


def architectures() -> str:
    """What every model costs on every backbone."""
    return _table(
        (
            "model",
            "backbone",
            "output stride",
            "parameters (M)",
            "multiply-adds (B)",
        ),
        (
            (
                row.model,
                row.backbone,
                row.output_stride,
                f"{row.parameters / 1e6:.2f}",
                f"{row.multiply_adds / 1e9:.2f}",
            )
            for row in model_table()
        ),
    )


def recipes(_rows: Rows) -> str:
    """The trainings, without what is alike in most."""
    return _table(
        (
            "recipe",
            "trained on",
            "crop",
            "batch",
            "length",
            "learning rate",
            "batch norm",
            "after",
        ),
        (
            (
                _code(row.name),
                " ".join(row.train_data),
                " x ".join(map(str, row.crop_size)),
                row.batch_size * row.accumulation,
                _length(row),
                row.learning_rate,
                row.batch_norm,
                row.after and _code(row.after),
            )
            for row in RECIPES.values()
        ),
    )


def models(rows: Rows) -> str:
    """Which models there are, with the first of their published scores."""
    return _table(
        (
            "name",
            "model",
            "backbone",
            "data set",
            "output stride",
            "*published*",
            "licence",
        ),
        (
            (
                _code(row.name),
                row.model,
                row.backbone,
                row.dataset,
                row.output_stride,
                _first(row.published),
                row.licence,
            )
            for row in _of_models(rows)
        ),
    )


def backbones(rows: Rows) -> str:
    """Which backbones there are without a model."""
    return _table(
        ("name", "backbone", "data set", "licence"),
        (
            (_code(row.name), row.backbone, row.dataset, row.licence)
            for row in rows
            if row.model is None
        ),
    )


def published(rows: Rows) -> str:
    """All that others state."""
    return _table(
        ("name", "*published*", "value", "data", "protocol", "stated in"),
        (
            (*_score(row, score), f"[source]({score.source})")
            for row in rows
            for score in row.published
        ),
    )


def measured(rows: Rows) -> str:
    """All that was measured with this package, and how."""
    return _table(
        ("name", "*measured*", "value", "data", "protocol", "command"),
        (
            (*_score(row, score), _code(score.command))
            for row in rows
            for score in row.measured
        ),
    )


def training(rows: Rows) -> str:
    """What the models were trained with."""
    return _table(
        ("name", "arguments", "classes", "output stride", "crop"),
        (
            (
                _code(row.name),
                ", ".join(map(_code, row.argument_texts)),
                row.class_names,
                row.output_stride,
                row.crop_text,
            )
            for row in _of_models(rows)
        ),
    )


def files(rows: Rows) -> str:
    """What is downloaded, from where, and who made it."""
    return _table(
        ("name", "file", "size", "digest", "preprocessing", "licence", "origin"),
        (
            (
                _code(row.name),
                " ".join(f"[{row.file}]({url})" for url in row.urls) or row.file,
                _size(row),
                f"{row.algorithm} {_code(row.digest)}" if row.digest else "none",
                row.preprocessing,
                row.licence,
                row.origin,
            )
            for row in rows
        ),
    )


def _length(recipe: Recipe) -> str:
    if recipe.steps is None:
        return f"{recipe.epochs} epochs"
    return f"{recipe.steps // recipe.accumulation} steps"


def _of_models(rows: Rows) -> Rows:
    return [row for row in rows if row.model is not None]


def _code(text: object) -> str:
    return f"`{text}`"


def _size(row: WeightsRow) -> str:
    stated = row.stated_size or "not stated"
    return stated if row.bytes is None else f"{row.bytes} bytes"


def _first(scores: Iterable[Score]) -> str | None:
    return next((f"{s.value} {s.metric}, {s.data}; {s.protocol}" for s in scores), None)


def _score(row: WeightsRow, score: Score) -> tuple[object, ...]:
    return _code(row.name), score.metric, score.value, score.data, score.protocol


def _table(titles: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    titles = tuple(titles)
    lines = (titles, ["---"] * len(titles), *rows)
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: object) -> str:
    return "-" if value is None else str(value).replace("|", r"\|")


TABLES: Mapping[str, Callable[[Rows], str]] = MappingProxyType(
    {
        table.__name__: table
        for table in (
            *(models, backbones, published, measured, training, files),
            recipes,
        )
    }
)


def main() -> None:
    """Writes the pages anew."""
    rows = list(manifest().values())
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(updated(text, rows, costs=True), encoding="utf-8")


if __name__ == "__main__":
    main()
