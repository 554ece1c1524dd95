"""The form of lexicon.yaml, and of a site's file that is laid over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import ConfigError, Key
from edge.phrases.phrase_file import check_entries, parse
from edge.values import Signal

SHIPPED = Path(__file__).with_name("lexicon.yaml")

# What an entry is about, in the order in which the words model takes them. Courtesy, request and agent phrases carry no feeling: they
# mask; the others are what an event may name.
CATEGORIES: tuple[str, ...] = (
    Signal.WAITING, Signal.REPEAT, Signal.THREAT, Signal.UNMET, Signal.BROKEN, Signal.MONEY, Signal.CONDUCT, Signal.IRONY, Signal.ANGER,
    "courtesy", "request", Signal.RELIEF, Signal.THANKS, Signal.PRAISE,
)  # fmt: skip
# VADER rates from -4 to 4.
_SCALE = 4.0


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Entries of one category, rated by the same people for the same reason; a phrase or word maps to its rating."""

    category: str
    rated_by: str
    why: str
    entries: dict[str, float]


class LexiconFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form of lexicon.yaml and of a site's file: the site's entries replace shipped ones, `remove` takes entries out."""

    version: str
    classes: dict[str, list[str]] = {}
    groups: list[Group] = []
    irony_openings: list[str] = []
    remove: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """All files together: `entries` maps a phrase or word to its rating and the group that it is of; `own` are the site's."""

    version: str
    entries: Mapping[str, tuple[float, Group]]
    classes: Mapping[str, Sequence[str]]
    irony_openings: frozenset[str]
    own: frozenset[str]


def read_ratings(site: Path | None) -> Ratings:
    """The shipped file, with the site's laid over it. Raises ConfigError naming file, key and remedy."""
    files = [(path, parse(path, LexiconFile)) for path in (SHIPPED, site) if path is not None]
    entries: dict[str, tuple[float, Group]] = {}
    classes: dict[str, list[str]] = {}
    for path, file in files:
        classes |= file.classes
        for text in file.remove:
            if entries.pop(text, None) is None:
                remedy = "copy it from lexicon.yaml letter for letter"
                raise ConfigError(f"no entry '{text}' to remove", path=path, where=Key("remove"), remedy=remedy)
        for number, group in enumerate(file.groups):
            _check(path, number, group, classes)
            entries |= {text: (weight, group) for text, weight in group.entries.items()}
    return Ratings(
        version="+".join(file.version for _, file in files),
        entries=entries,
        classes=classes,
        irony_openings=frozenset(word for _, file in files for word in file.irony_openings),
        own=frozenset(text for _, file in files[1:] for group in file.groups for text in group.entries),
    )


def _check(path: Path, number: int, group: Group, classes: Mapping[str, Sequence[str]]) -> None:
    key = f"groups[{number}]"
    if group.category not in CATEGORIES:
        raise ConfigError(
            f"'{group.category}' is no category", path=path, where=Key(f"{key}.category"), remedy=f"give one of {', '.join(CATEGORIES)}"
        )
    check_entries(group.entries, _SCALE, classes, path, f"{key}.entries")
