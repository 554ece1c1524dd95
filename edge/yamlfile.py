"""YAML files into frozen types; a file, key or value that does not fit becomes one line that names it and the remedy."""

import difflib
import enum
import re
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import yaml

from edge.errors import ConfigError

# libyaml reads the 200 kB of lexicon ten times faster; PyYAML without it reads the same.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Rules nest deepest, by a dozen. libyaml follows 100,000 levels down until the process dies without a word.
_MAX_DEPTH = 100
T = typing.TypeVar("T", bound=msgspec.Struct)


def parse_yaml(path: Path, kind: type[T]) -> T:
    """The YAML file at `path` as a `kind` (a msgspec Struct). Raises ConfigError naming file, line or key, and remedy."""
    return convert(read_yaml(path), kind, path)


def read_yaml(path: Path) -> object:
    """What the YAML file at `path` holds, {} for an empty one. Raises ConfigError naming file, line and remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; give the path of a YAML file that exists") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        if _too_deep(text):
            raise ConfigError(f"{path}: nested too deeply; flatten it")
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader, in C)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        if "nesting depth" in problem:  # libyaml's own bound, since PyYAML 6.0.4
            raise ConfigError(f"{path}: nested too deeply; flatten it") from error
        raise ConfigError(f"{path}:{where} {problem}; mend the YAML there") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply; flatten it") from error
    except ValueError as error:
        # PyYAML makes dates of what looks like one, and 2026-13-45 is none.
        raise ConfigError(f"{path}: holds a value that YAML cannot read: {error}; put it in quotes") from error
    return {} if raw is None else raw


def _too_deep(text: str) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            return True
    return False


def convert(raw: object, kind: type[T], path: Path) -> T:
    """`raw` as a `kind`, or a ConfigError that names the key in `path` and the remedy."""
    try:
        return msgspec.convert(raw, kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ConfigError(f"{path}: {_explain(str(error), kind)}") from error


def located(message: str) -> tuple[str, str, str | None]:
    """Msgspec's `message` taken apart: the key it is about ("" for the whole), what is wrong, and the unknown field, if that is it."""
    where = re.search(r" - at `\$\.?(.*?)`$", message)
    what = message[: where.start()] if where else message
    unknown = re.search(r"unknown field `([^`]+)`", what)
    return where.group(1) if where else "", what, unknown.group(1) if unknown else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """The remedy for an unknown key: the nearest of the `known` ones, else `otherwise`."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else otherwise


def _explain(message: str, kind: object) -> str:
    key, what, unknown = located(message)
    known = dict(_fields(kind))
    if unknown:
        hint = did_you_mean(unknown, known, f"known keys: {', '.join(sorted(known))}")
        return f"unknown key '{f'{key}.{unknown}' if key else unknown}'; {hint}"
    allowed = _allowed(known.get(re.sub(r".*\.|\[.*?\]", "", key))) if "enum value" in what else []
    hint = f"give one of {', '.join(allowed)}" if allowed else "see the table of keys in the README"
    return f"key '{key or '(top)'}': {what[0].lower() + what[1:]}; {hint}"


def _fields(kind: object) -> Iterator[tuple[str, object]]:
    """Every key that `kind` and the structs inside it take, with its type."""
    for part in (kind, *typing.get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            for name, inner in typing.get_type_hints(part).items():
                yield name, inner
                yield from _fields(inner)
        elif typing.get_args(part) and part is not kind:
            yield from _fields(part)


def _allowed(kind: object) -> list[str]:
    """The values of an enumeration or a literal, also within a tuple of them."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [str(one.value) for one in kind]
    if typing.get_origin(kind) is typing.Literal:
        return [str(one) for one in typing.get_args(kind)]
    return [value for part in typing.get_args(kind) for value in _allowed(part)]
