"""Rules from YAML: what makes an alert, how severe it is, to whom it goes, how long it lives. docs/rules.md teaches them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from edge.call.rules.conditions import Code, Probability, Route, Several, When
from edge.call.rules.outcome import VOICE_ALONE_UTTERANCES
from edge.call.rules.rule_file import misfit, placed
from edge.errors import ConfigError, Key
from edge.files.yamlfile import read_yaml
from edge.wire.codes import Severity

SHIPPED = Path(__file__).with_name("rules.yaml")
# Conditions that hear how something is said and not what: a rule of these alone must be sustained.
_SOUND = frozenset({"voice", "loudness", "speech_rate"})
# Conditions with a choice of thresholds: one at least must be given.
_JUDGED = ("p_negative_at_least", "polarity_at_most", "polarity_at_least")
_THRESHOLDS = {
    "fused": _JUDGED,
    "voice": _JUDGED,
    "words": _JUDGED,
    "speech_rate": ("wpm_at_least", "wpm_at_most"),
    "score": ("at_most", "at_least"),
    "trend": ("per_minute_at_most", "per_minute_at_least"),
}

_log = logging.getLogger("undertone.rules")


class Rise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the severity of a reason rises, and to what."""

    to: Severity
    when: When


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. It is at most one reason of a call's one alert.

    route: a sub-team, or `cause` for the team of the complaint's cause. expires_min: how long after the last evidence it may wake
    somebody (page_until). cooldown_min: new evidence updates an open alert no more often than this, and a customer whose
    reference is known is not alerted about by this rule again within it. withdraw: when a reason that nobody took up is taken back.
    """

    id: Code
    says: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    severity: Severity
    route: Route
    when: When
    rises: tuple[Rise, ...] = ()
    withdraw: When | None = None
    expires_min: Annotated[float, msgspec.Meta(gt=0, le=1440)] = 240
    cooldown_min: Annotated[float, msgspec.Meta(ge=0, le=1440)] = 1
    ignores_budget: bool = False


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """About how many calls an hour a box may alert before it raises its thresholds; each further one takes `raise_by` of what is left."""

    alerts_per_hour: Several = 6
    raise_by: Probability = 0.25


class RuleSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rules file, whole."""

    rules: tuple[Rule, ...]
    budget: Budget = Budget()
    default_route: Route = "recovery"


def load_rules(path: Path | None) -> RuleSet:
    """The rules in `path` (None: the shipped ones). Raises ConfigError naming file, line, key and remedy in one line."""
    path = path or SHIPPED
    raw = read_yaml(path)
    try:
        rules = msgspec.convert(raw, RuleSet, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise placed(misfit(error, (RuleSet, Budget, Rule, Rise)), path) from error
    for mistake in _mistakes(rules):
        raise placed(mistake, path)
    return rules


class RuleBook:
    """The rules file in service: a good new version is taken over, a bad one is refused and the old one stays."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen = self._stamp()
        self._rules = load_rules(path)

    def current(self) -> RuleSet:
        """The newest good rules. Cheap (one stat): ask at each call, or each utterance."""
        seen = self._stamp()
        if seen == self._seen:
            return self._rules
        self._seen = seen
        try:
            self._rules = load_rules(self._path)
        except ConfigError as error:
            _log.error("rules.refused kept=old reason=%r", str(error))
        else:
            _log.info("rules.taken path=%s rules=%d", self._path, len(self._rules.rules))
        return self._rules

    def _stamp(self) -> tuple[int, int] | None:
        """What changes when the file does; None for the shipped rules and for a file that is gone."""
        try:
            status = self._path.stat() if self._path else None
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_size)


def _mistakes(rules: RuleSet) -> Iterator[ConfigError]:
    """What the types alone cannot say."""
    seen: set[str] = set()
    for number, rule in enumerate(rules.rules):
        place = f"rules[{number}]"
        if rule.id in seen:
            yield ConfigError(f"'{rule.id}' is used twice", where=Key(f"{place}.id"), remedy="give each rule its own id")
        seen.add(rule.id)
        for key, when in [("when", rule.when), *((f"rises[{n}].when", r.when) for n, r in enumerate(rule.rises))]:
            yield from _wrong(f"{place}.{key}", when)
        if rule.withdraw is not None:
            yield from _wrong(f"{place}.withdraw", rule.withdraw)
        if _only_sound(rule.when) and not _sustained(rule.when):
            remedy = f"add 'sustained: {VOICE_ALONE_UTTERANCES}' or more, or a condition on words"
            yield ConfigError("how something is said never alerts alone", where=Key(f"{place}.when"), remedy=remedy)


def _wrong(place: str, when: When) -> Iterator[ConfigError]:
    if len(when.named) != 1:
        given = ", ".join(when.named) or "none"
        remedy = "put several into 'all: [...]' or 'any: [...]'"
        yield ConfigError(f"one condition has exactly one key (got {given})", where=Key(place), remedy=remedy)
    for name in when.named:
        needs = _THRESHOLDS.get(name, ())
        if needs and all(getattr(getattr(when, name), need) is None for need in needs):
            yield ConfigError("says no threshold", where=Key(f"{place}.{name}"), remedy=f"give one of {', '.join(needs)}")
    for key, inner in when.inner:
        yield from _wrong(f"{place}.{key}", inner)


def leaves(when: When, *, negated: bool = False) -> Iterator[tuple[str, object]]:
    """Every condition in `when` that is made of no others, with its key; what is negated only if `negated`."""
    inner = [one for key, one in when.inner if key != "not" or negated]
    for one in inner:
        yield from leaves(one, negated=negated)
    if not when.inner:
        yield from ((name, getattr(when, name)) for name in when.named)


def _only_sound(when: When) -> bool:
    return {name for name, _ in leaves(when)} <= _SOUND


def _sustained(when: When) -> bool:
    return all((getattr(condition, "sustained", None) or 0) >= VOICE_ALONE_UTTERANCES for _, condition in leaves(when))
