"""Stored events as calls that rules can be tried on: "what would have fired last week?". The judge is the live one.

An utterance in an event has its pre-roll and hangover, so a silence between two of them is about 0.8 s shorter than live.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from edge.call.rules.alert import About, CallAlert
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.review import Watch
from edge.call.rules.rule_set import RuleSet
from edge.call.rules.view import CallView, Stretch, UtteranceView
from edge.call.scores import scores
from edge.call.turns import HANG_UPS, NOT_A_HOLD
from edge.wire.codes import AlertEnd
from edge.wire.events import Alert, Metrics, Started, Summary, UtteranceHeard

# Silence is looked at every second, as live, but no longer than any rule of sense waits for.
_TICK_MS = 1_000
_LONGEST_WAIT_MS = 300_000


_KINDS: dict[str, type[Started | UtteranceHeard | Metrics | Summary]] = {
    kind.kind: kind for kind in (Started, UtteranceHeard, Metrics, Summary)
}


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    source: str
    time: str
    data: msgspec.Raw


@dataclass(slots=True)
class StoredCall:
    """One call as its events tell it."""

    call: str
    line: str
    first_seen: datetime
    source: str
    started: Started | None = None
    summary: Summary | None = None
    utterances: list[UtteranceHeard] = field(default_factory=list)
    holds: list[Stretch] = field(default_factory=list)

    @property
    def started_at(self) -> datetime:
        """When it began; from its first utterance where `started` is missing."""
        return _time(self.started.started_at) if self.started else self.first_seen

    @property
    def hears_both(self) -> bool:
        """Whether both sides are on the line."""
        return {"customer", "agent"} <= self._roles() or "mixed" in self._roles()

    def _roles(self) -> set[str]:
        return set(self.started.channels) if self.started else {one.role for one in self.utterances}


def read_stored_calls(lines: Iterable[bytes]) -> list[StoredCall]:
    """The calls in JSON-lines of CloudEvents (as `undertone replay --json` prints), in order of start.

    Other kinds of event are passed over. Raises ValueError naming the line and what is wrong.
    """
    calls: dict[str, StoredCall] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _record(msgspec.json.decode(line, type=_Envelope), calls)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
    return sorted(calls.values(), key=lambda stored: stored.started_at)


def play(stored: StoredCall, rules: RuleSet, alert_history: AlertHistory, *, watch: Watch | None = None) -> Iterator[Alert]:
    """Every snapshot that `rules` would have published during the call, in order; `watch` is told of every look at every rule."""
    site, _, device = stored.source.removeprefix("/undertone/").partition("/")
    about = About(
        site=site,
        device=device,
        call=stored.call,
        line=stored.line,
        desk=stored.started.desk if stored.started else None,
        started_at=stored.started.started_at if stored.started else "",
        customer_ref=stored.started.customer_ref if stored.started else None,
        queue=stored.started.queue if stored.started else None,
    )
    alert = CallAlert(about=about, rules=rules, alert_history=alert_history, quotes=False, watch=watch)
    heard: list[UtteranceView] = []
    silences: list[Stretch] = []
    quiet_from = 0
    for utterance in sorted(stored.utterances, key=lambda one: one.end_ms):
        for now in _ticks(quiet_from, utterance.start_ms):
            going_on = _silences(stored, [Stretch(start_ms=quiet_from, end_ms=now)])
            yield from alert.review(_view(stored, heard, silences, now, quiet_ms=now - quiet_from if going_on else 0), _moment(stored, now))
        if utterance.start_ms > quiet_from:
            silences += _silences(stored, [Stretch(start_ms=quiet_from, end_ms=utterance.start_ms)])
        quiet_from = max(quiet_from, utterance.end_ms)
        heard.append(UtteranceView.of(utterance))
        yield from alert.review(_view(stored, heard, silences, quiet_from), _moment(stored, quiet_from))
    if stored.summary is not None and stored.summary.closed_by in HANG_UPS:
        over = stored.summary.duration_ms
        silences += _silences(stored, [Stretch(start_ms=quiet_from, end_ms=over)])
        yield from alert.review(_view(stored, heard, silences, over), _moment(stored, over))
        quiet_from = over
    yield from alert.end(AlertEnd.CALL_OVER, _moment(stored, quiet_from))


def _record(event: _Envelope, calls: dict[str, StoredCall]) -> None:
    kind = event.type.removeprefix("undertone.").rpartition(".v")[0]
    if kind not in _KINDS:
        return
    decoded = msgspec.json.decode(event.data, type=_KINDS[kind])
    match decoded:
        case Started():
            offset = 0
        case Summary():
            offset = decoded.duration_ms
        case _:
            offset = decoded.end_ms
    began = _time(event.time) - timedelta(milliseconds=offset)
    stored = calls.setdefault(decoded.call, StoredCall(decoded.call, decoded.line, began, event.source))
    match decoded:
        case Started():
            stored.started = decoded
        case Summary():
            stored.summary = decoded
        case UtteranceHeard():
            stored.utterances.append(decoded)
        case Metrics() if set(decoded.tones) - NOT_A_HOLD:
            stored.holds.append(Stretch(start_ms=decoded.start_ms, end_ms=decoded.end_ms))


def _ticks(start_ms: int, end_ms: int) -> range:
    first = start_ms + _TICK_MS
    return range(first, min(end_ms, start_ms + _LONGEST_WAIT_MS), _TICK_MS)


def _silences(stored: StoredCall, quiet: list[Stretch]) -> list[Stretch]:
    """Those of `quiet` that are no hold."""
    return [one for one in quiet if not any(hold.start_ms < one.end_ms and one.start_ms < hold.end_ms for hold in stored.holds)]


def _view(stored: StoredCall, heard: list[UtteranceView], silences: list[Stretch], now_ms: int, *, quiet_ms: int = 0) -> CallView:
    return CallView(
        now_ms=now_ms,
        heard=heard,
        silences=silences,
        scores=scores(heard, now_ms),
        hears_both=stored.hears_both,
        quiet_ms=quiet_ms,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _moment(stored: StoredCall, now_ms: int) -> datetime:
    return stored.started_at + timedelta(milliseconds=now_ms)
