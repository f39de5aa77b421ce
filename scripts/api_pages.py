"""Extension of Griffe, which reads the package for the API pages of the site."""

from typing import Any

import griffe


class PublicNames(griffe.Extension):
    """Tells Griffe what it cannot see."""

    def on_function_instance(self, *, func: griffe.Function, **_others: Any) -> None:
        """Adds the argument that `takes_weights` gives to a constructor."""
        if any(
            each.callable_path.endswith("takes_weights") for each in func.decorators
        ):
            *first, rest = func.parameters
            weights = griffe.Parameter(
                "weights",
                annotation="Any",
                kind=griffe.ParameterKind.keyword_only,
                default="None",
            )
            func.parameters = griffe.Parameters(*first, weights, rest)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_others: Any) -> None:
        """Reads a constant's comment, `#:`, as its docstring."""
        above = attr.lines_collection[attr.filepath][attr.lineno - 2]
        if above.startswith("#: "):
            attr.docstring = griffe.Docstring(above.removeprefix("#: "), parent=attr)

    def on_package(self, *, pkg: griffe.Module, **_others: Any) -> None:
        """Shows functions whose file is named after them, which hide behind it."""
        for unit in pkg.modules.values():
            for name in {*(unit.exports or ())} & unit.modules.keys():
                _show(unit, unit.modules[name])


def _show(unit: griffe.Module, file: griffe.Module) -> None:
    for name, member in unit.members.items():
        if member.is_alias and member.target_path.startswith(f"{file.path}."):
            unit.members[name] = griffe.Alias(name, file[name], parent=unit)
    unit.members[file.name] = griffe.Alias(file.name, file[file.name], parent=unit)
