"""What became of the variables of an official file."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConversionSummary:
    """Every variable of a file and every weight of a model, accounted for.

    Args:
        source: The official file.
        used: Official names of the variables that found their place.
        skipped: Official names of those that are no weights: an optimizer's, a step.
        kept: Official names of the model's weights that were left as they are,
            because not the whole file was wanted.
    """

    source: str
    used: tuple[str, ...]
    skipped: tuple[str, ...]
    kept: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.source}: {len(self.used)} variables used, "
            f"{len(self.skipped)} skipped, {len(self.kept)} weights kept"
        )
