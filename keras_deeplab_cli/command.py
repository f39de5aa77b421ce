"""What every command does before its own work."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from keras_deeplab_cli.output import fail
from keras_deeplab_cli.wording import wording_of

# Options that have an effect beside others only.
_NEEDS = {
    "overlap": "window",
    "crf_accuracy": "crf",
    "incomplete": "dataset",
    "validation": "images",
}


class Command(TyperCommand):
    """A command whose errors name its options, and that ignores none of them."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        options = {each.name: each.opts[0] for each in self.params if each.name}
        for name, other in _NEEDS.items():
            origin = ctx.get_parameter_source(name)
            given = origin is not None and origin.name == "COMMANDLINE"
            if given and other in options and ctx.params[other] is None:
                fail(
                    f"{options[name]} has no effect without {options[other]}: leave it "
                    "out, or give both."
                )
        with wording_of(self.params):
            return super().invoke(ctx)
