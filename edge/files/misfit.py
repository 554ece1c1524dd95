"""What does not fit a type, in plain words: msgspec's sentence becomes key, fact and remedy."""

import difflib
import enum
import re
import typing
from collections.abc import Iterable, Iterator

import msgspec

from edge.errors import ConfigError, Key

# What msgspec calls a type, and how a person would.
_TYPES = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "nothing", "array": "a list",
    "object": "a group of keys",
}  # fmt: skip
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
# Beside a path and a key on a terminal.
_FITS = 60
_SEE = "see the table of keys in docs/configuration.md"


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


def misfit(error: Exception, kind: object, raw: object) -> ConfigError:
    """What msgspec's `error` says of a key of a `kind`, in plain words, about the value in `raw`."""
    key, what, unknown = located(str(error))
    known = dict(_fields(kind))
    if unknown:
        remedy = did_you_mean(unknown, known, f"known keys: {', '.join(sorted(known))}")
        return ConfigError("unknown key", where=Key(f"{key}.{unknown}" if key else unknown), remedy=remedy)
    hint = _hint(kind, key)
    fact, remedy = _in_plain_words(what, _value(raw, key), hint)
    return ConfigError(fact, where=Key(key or "(top)"), remedy=remedy)


def _in_plain_words(what: str, value: object, hint: object) -> tuple[str, str]:
    """Msgspec's sentence `what` about `value`, whose type is `hint`, as a fact and a remedy that need no programmer."""
    shown = _shown(value)
    allowed, described = _allowed(hint), _described(hint)
    if what.startswith("Invalid enum value") and allowed:
        return f"{shown} is none of them", f"give one of {', '.join(allowed)}"
    if found := re.fullmatch(r"Object missing required field `(.+)`", what):
        return f"'{found[1]}' is missing", f"give it, {_SEE}"
    if "matching regex" in what and described:
        return f"{shown} is not taken", f"give {described}"
    if found := re.fullmatch(r"Expected `(?:int|float)` (>=|<=|>|<) ([\d.]+)", what):
        return f"{shown} is out of bounds", f"give {_BOUNDS[found[1]]} {found[2]}"
    if found := re.fullmatch(r"Expected `(.+)`, got `(\w+)`", what):
        return _of_another_type(found[1].split(" | "), found[2], value)
    return what[0].lower() + what[1:], _SEE


def _of_another_type(wanted: list[str], got: str, value: object) -> tuple[str, str]:
    """`value` is a `got` where one of `wanted` belongs, by msgspec's names of types."""
    shown, belongs = _shown(value), " or ".join(_TYPES.get(name, name) for name in wanted if name != "null")
    remedy = _SEE
    if "str" in wanted and got in {"int", "float", "bool"}:
        remedy = f'put it in quotes: "{shown}"'
    elif got == "str" and {"int", "float"} & {*wanted} and str(value).replace(".", "").isdigit():
        remedy = "write it without quotes"
    return f"{shown} is {_TYPES.get(got, got)}, and this is {belongs}", remedy


def _shown(value: object) -> str:
    """`value` as YAML has it, cut to what fits beside its key."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            written = f"'{value}'"
        case _:
            written = str(value)
    return written if len(written) <= _FITS else f"{written[: _FITS - 3]}..."


def _value(raw: object, key: str) -> object:
    """What stands at `key` (`lines[0].desk`) in `raw`; None where nothing does."""
    for name, place in re.findall(r"([^.\[\]]+)|\[(\d+)\]", key):
        if name and isinstance(raw, dict):
            raw = raw.get(name)
        elif place and isinstance(raw, list) and int(place) < len(raw):
            raw = raw[int(place)]
        else:
            return None
    return raw


def _described(kind: object) -> str | None:
    """What an annotated type says of itself in words."""
    for part in (kind, *typing.get_args(kind)):
        for meta in getattr(part, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.description:
                return meta.description
    return None


def _hint(kind: object, key: str) -> object:
    """The type of what stands at `key` (`lines[0].desk`) in a `kind`; None where the key leads out of its structs."""
    for name in re.sub(r"\[.*?\]", "", key).split("."):
        kind = next((hint for struct in _structs(kind) if (hint := typing.get_type_hints(struct, include_extras=True).get(name))), None)
    return kind


def _structs(kind: object) -> Iterator[type[msgspec.Struct]]:
    """The structs that a value of `kind` is, or has in it as an element."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for part in typing.get_args(kind):
        yield from _structs(part)


def _fields(kind: object) -> Iterator[tuple[str, object]]:
    """Every key that `kind` and the structs inside it take, with its type."""
    for part in (kind, *typing.get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            for name, inner in typing.get_type_hints(part, include_extras=True).items():
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
