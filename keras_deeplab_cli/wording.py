"""What the package says, in the words of the command line.

The package's errors and warnings name arguments of Python: `` `window` ``, and
`Received: window=(4, 4)`. Who typed a command knows its options: `--window`, and
`--window 4x4`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

# Arguments that are called otherwise than the options that set them.
_OTHERWISE = (
    ("accuracy", "crf_accuracy"),
    ("classes", "classes_file"),
    ("complete", "incomplete"),
    ("images_dir", "images"),
    ("masks_dir", "masks"),
    ("most_photos", "photos"),
    ("name", "dataset"),
    ("name", "names"),
    ("name", "strategy"),
    ("path", "weights"),
    ("ranges", "preset"),
    ("source", "weights"),
    ("widths", "trimap"),
)
# What stands between the numbers of an option, where it is no space.
_BETWEEN = {"--window": "x", "--scales": ",", "--trimap": ","}

_CODE = re.compile(r"`(\w+)(?:=([^`]*))?`")
_RECEIVED = re.compile(r"(?:(?<=Received: )|(?<=, ))(\w+)=(\([^()]*\)|None\b)?")
_PAIR = re.compile(r"\((\d+), (\d+)\)")
_SIDES = re.compile(r"\b(\d+) x (\d+)\b")

_NONE: Mapping[str, str] = MappingProxyType({})
_options: ContextVar[Mapping[str, str]] = ContextVar("options", default=_NONE)


@contextlib.contextmanager
def wording_of(parameters: Iterable[Any]) -> Iterator[None]:
    """Has `in_options` speak of what a command takes, for a block.

    Args:
        parameters: The options and arguments, as typer knows them.
    """
    own = {each.name: _typed(each) for each in parameters}
    others = {name: own[option] for name, option in _OTHERWISE if option in own}
    token = _options.set(others | own)
    try:
        yield
    finally:
        _options.reset(token)


def in_options(message: str) -> str:
    """Names the command's options where a message names arguments that they set.

    Args:
        message: An error or a warning of the package.

    Returns:
        The same of options. Outside of `wording_of` it is the message itself.
    """
    options = _options.get()

    def code(found: re.Match[str]) -> str:
        name, value = found.groups()
        option = options.get(name)
        if option is None:
            return found[0]
        # A flag has no value.
        bare = value in (None, "True", "False")
        return option if bare else f"{option} {_written(option, value)}"

    def received(found: re.Match[str]) -> str:
        name, value = found.groups()
        option = options.get(name)
        if option is None:
            return found[0]
        if value == "None":
            return f"no {option}"
        return f"{option} {_written(option, value or '')}"

    text = _RECEIVED.sub(received, _CODE.sub(code, message))
    if text == message:
        return text
    if "--window" in text:
        text = _SIDES.sub(r"\1x\2", _PAIR.sub(r"\1x\2", text))
    return _PAIR.sub(r"\1 \2", text) if "--size" in text else text


def _typed(parameter: Any) -> str:
    """What a user types for it, or in its place."""
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name.upper())


def _written(option: str, value: str) -> str:
    """A value of Python as the option takes it."""
    if not value.startswith("("):
        return value
    numbers = filter(None, (each.strip() for each in value.strip("()").split(",")))
    return _BETWEEN.get(option, " ").join(numbers)
