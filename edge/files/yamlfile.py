"""YAML files into frozen types; a file, key or value that does not fit becomes one line that names it and the remedy."""

import typing
from pathlib import Path

import msgspec
import yaml

from edge.errors import ConfigError
from edge.files.misfit import misfit

# libyaml reads the 200 kB of lexicon ten times faster; PyYAML without it reads the same.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Rules nest deepest, by a dozen. libyaml follows 100,000 levels down until the process dies without a word.
_MAX_DEPTH = 100
# The shipped lexicon has 4,000; nine lines of aliases to aliases stand for 10^9, which whoever walks them never ends.
_MAX_VALUES = 300_000
T = typing.TypeVar("T", bound=msgspec.Struct)


def parse_yaml(path: Path, kind: type[T]) -> T:
    """The YAML file at `path` as a `kind` (a msgspec Struct). Raises ConfigError naming file, line or key, and remedy."""
    return convert(read_yaml(path), kind, path)


def read_yaml(path: Path) -> object:
    """What the YAML file at `path` holds, {} for an empty one. Raises ConfigError naming file, line and remedy."""
    text = _read_text(path)
    try:
        if (refused := _refused(text)) is not None:
            raise ConfigError(refused[0], path=path, remedy=refused[1])
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader, in C)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        column = f"column {mark.column + 1}" if mark else None
        problem = getattr(error, "problem", None) or "not YAML"
        if "nesting depth" in problem:  # libyaml's own bound, since PyYAML 6.0.4
            raise ConfigError("nested too deeply", path=path, remedy="flatten it") from error
        if (tab := _tab(text, line)) is not None:
            raise ConfigError("a tab", path=path, line=tab[0], where=f"column {tab[1]}", remedy="YAML takes spaces alone there") from error
        raise ConfigError(problem, path=path, line=line, where=column, remedy="mend the YAML there") from error
    except RecursionError as error:
        raise ConfigError("nested too deeply", path=path, remedy="flatten it") from error
    except ValueError as error:
        # PyYAML makes dates of what looks like one, and 2026-13-45 is none.
        raise ConfigError(f"holds a value that YAML cannot read: {error}", path=path, remedy="put it in quotes") from error
    return {} if raw is None else raw


def yaml_text(raw: dict[str, typing.Any]) -> str:
    """`raw` as a YAML file's text, in its order."""
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=120)


def _read_text(path: Path) -> str:
    """The file's text. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError("no such file", path=path, remedy="give the path of a YAML file that exists") from error
    except PermissionError as error:
        remedy = f"run this as its owner (sudo), or let this user read it: chmod a+r {path}"
        raise ConfigError("this user may not read it", path=path, remedy=remedy) from error
    except IsADirectoryError as error:
        raise ConfigError("this is a folder", path=path, remedy="give the YAML file in it") from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path=path, remedy="give a YAML file that can be read") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError("is no UTF-8 text", path=path, line=line, remedy="save it as UTF-8") from error


def _tab(text: str, line: int | None) -> tuple[int, int] | None:
    """Line and column (from 1) of the first tab among what a line is indented with, up to `line`, where the parser gave up."""
    for number, written in enumerate(text.splitlines()[:line], start=1):
        if "\t" in (indent := written[: len(written) - len(written.lstrip())]):
            return number, indent.index("\t") + 1
    return None


def _refused(text: str) -> tuple[str, str] | None:
    """What is wrong with how the document is built, and the remedy: levels without end, or aliases that stand for millions of values."""
    # Of each collection that is open, its anchor and how many values it holds; of each anchor, how many it stands for.
    open_ones: list[tuple[str | None, int]] = [(None, 0)]
    held: dict[str, int] = {}
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_ones.append((event.anchor, 1))
            if len(open_ones) > _MAX_DEPTH:
                return "nested too deeply", "flatten it"
            continue
        anchor, values = open_ones.pop() if isinstance(event, yaml.CollectionEndEvent) else (None, 1)
        if anchor is not None:
            held[anchor] = values
        if isinstance(event, yaml.AliasEvent):
            values = held.get(event.anchor or "", 1)
            if any(anchor == event.anchor for anchor, _ in open_ones):
                return f"*{event.anchor} stands within itself", "write out what it is to hold"
        open_ones[-1] = (open_ones[-1][0], open_ones[-1][1] + values)
        if values > _MAX_VALUES:
            return f"more than {_MAX_VALUES:,} values by aliases (*name) of aliases", "write out what they are to hold"
    return None


def convert(raw: object, kind: type[T], path: Path) -> T:
    """`raw` as a `kind`, or a ConfigError that names the key in `path` and the remedy."""
    try:
        return msgspec.convert(raw, kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise misfit(error, kind, raw).at(path=path) from error
