"""YAML files of phrases, as sites write them: what goes wrong in them is explained in one line."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from edge.errors import ConfigError, Key
from edge.files.yamlfile import convert, read_yaml
from edge.phrases.pattern import Pattern

T = TypeVar("T", bound=msgspec.Struct)
# What YAML makes of a bare yes, no, on, off, true, false or ~.
_BARE = (bool, type(None))


def parse(path: Path, kind: type[T]) -> T:
    """The file at `path` as a `kind`. Raises ConfigError naming file, key and remedy.

    YAML reads the bare words yes, no, on, off, true and false as booleans: the error says to quote them.
    """
    raw = read_yaml(path)
    if (key := next(_bare_words(raw, ""), None)) is not None:
        what = "a phrase is a bare yes, no, on, off, true, false or ~"
        raise ConfigError(what, path=path, where=Key(key or "(top)"), remedy='quote it, as in "no": -0.5')
    return convert(raw, kind, path)


def _bare_words(raw: object, key: str) -> Iterator[str]:
    """The keys of lists and mappings whose phrases are not all text. No file of phrases has a place for a truth value."""
    if isinstance(raw, dict):
        if any(isinstance(name, _BARE) for name in raw):
            yield key
        for name, inner in raw.items():
            yield from _bare_words(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(raw, list):
        if any(isinstance(item, _BARE) for item in raw):
            yield key
        for number, inner in enumerate(raw):
            yield from _bare_words(inner, f"{key}[{number}]")


def _check_range(value: float, bound: float, path: Path, key: str) -> None:
    """Raise ConfigError where `value` is not within -bound..bound."""
    if not -bound <= value <= bound:
        raise ConfigError(f"{value:g} is not within -{bound:g} to {bound:g}", path=path, where=Key(key), remedy="rate it on that scale")


def check_entries(entries: Mapping[str, float], bound: float, classes: Mapping[str, Sequence[str]], path: Path, key: str) -> None:
    """Raise ConfigError where a weight of `entries`, which stand at `key`, is out of bounds, or its phrase is no pattern."""
    for phrase, weight in entries.items():
        _check_range(weight, bound, path, f"{key}.{phrase}")
        try:
            Pattern.parse(phrase, classes)
        except ConfigError as error:
            raise error.at(path=path, where=Key(f"{key}.{phrase}")) from error
