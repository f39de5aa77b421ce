"""The models that a page offers."""

from dataclasses import dataclass

from keras_deeplab.weights import find_local, manifest
from keras_deeplab.weights.weights_row import WeightsRow


@dataclass(frozen=True)
class ModelChoice:
    """A model to choose.

    Args:
        name: What it is called.
        source: What `load_model` takes.
        about: What it is and what it was trained on, in a few words.
        class_names: The names of its classes, or `None`.
    """

    name: str
    source: str
    about: str
    class_names: tuple[str, ...] | None


def list_choices() -> tuple[ModelChoice, ...]:
    """Lists the models whose weights are here: first those of the package.

    Returns:
        The choices, each of a name of the manifest.

    Raises:
        DownloadError: If the cache folder cannot be told.
    """
    rows = [row for row in manifest().values() if row.model is not None]
    here = [row for row in rows if find_local(row).there]
    return tuple(map(_choice, sorted(here, key=lambda row: row.asset is None)))


def _choice(row: WeightsRow) -> ModelChoice:
    return ModelChoice(
        name=row.name,
        source=row.name,
        about=f"{row.model} on {_backbone(row)}, trained on {row.dataset}",
        class_names=row.model_arguments()["class_names"],
    )


def _backbone(row: WeightsRow) -> str:
    width = row.arguments.get("alpha")
    return row.backbone if width is None else f"{row.backbone} of width {width:g}"
