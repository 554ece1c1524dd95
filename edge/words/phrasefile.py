"""YAML files of phrases, as sites write them: what goes wrong in them is explained in one line."""

from pathlib import Path
from typing import TypeVar

import msgspec

from edge.errors import ConfigError
from edge.yamlfile import parse_yaml

T = TypeVar("T", bound=msgspec.Struct)


def parse(path: Path, kind: type[T]) -> T:
    """The file at `path` as a `kind`. Raises ConfigError naming file, key and remedy.

    YAML reads the bare words yes, no, on, off, true and false as booleans: the message says to quote them.
    """
    try:
        return parse_yaml(path, kind)
    except ConfigError as error:
        if "`bool`" in str(error) or "`null`" in str(error):
            raise ConfigError(f'{path}: a phrase is a bare yes, no, on, off, true, false or ~; quote it, as in "no": -0.5') from error
        raise


def check_range(value: float, bound: float, path: Path, key: str) -> None:
    """Raise ConfigError where `value` is not within -bound..bound."""
    if not -bound <= value <= bound:
        raise ConfigError(f"{path}: key '{key}': {value:g} is not within -{bound:g} to {bound:g}; rate it on that scale")
