"""What became of the variables of an official file."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConversionSummary:
    """Every variable of a file and every weight of a model, accounted for.

    `used` and `skipped` are official names. `kept` are the official names of the
    model's weights that were left as they are, because not the whole file was wanted.
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
