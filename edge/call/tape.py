"""Stored events as calls that rules can be tried on: "what would have fired last week?". The judge is the live one.

An utterance in an event has its pre-roll and hangover, so a silence between two of them is about 0.8 s shorter than live.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from edge.bus.events import Alert, Metrics, Started, UtteranceHeard
from edge.call.alerts import About, Alerts
from edge.call.ledger import Ledger
from edge.call.picture import Heard, Judgement, Picture, Stretch
from edge.call.record import fused_judgement
from edge.call.rules import RuleSet
from edge.call.scores import Scored, scores
from edge.call.turns import NOT_A_HOLD

# Silence is looked at every second, as live, but no longer than any rule of sense waits for.
_TICK_MS = 1_000
_LONGEST_WAIT_MS = 300_000


_KINDS: dict[str, type[Started] | type[UtteranceHeard] | type[Metrics]] = {kind.kind: kind for kind in (Started, UtteranceHeard, Metrics)}


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    time: str
    data: msgspec.Raw


@dataclass(slots=True)
class Tape:
    """One call as its events tell it."""

    call: str
    line: str
    first_seen: datetime
    started: Started | None = None
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


def read_tapes(lines: Iterable[bytes]) -> list[Tape]:
    """The calls in JSON-lines of CloudEvents (as `undertone replay --json` prints), in order of start.

    Other kinds of event are passed over. Raises ValueError naming the line and what is wrong.
    """
    tapes: dict[str, Tape] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _record(msgspec.json.decode(line, type=_Envelope), tapes)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
    return sorted(tapes.values(), key=lambda tape: tape.started_at)


def play(tape: Tape, rules: RuleSet, ledger: Ledger) -> Iterator[Alert]:
    """Every snapshot that `rules` would have published during the call, in order."""
    about = About(
        call=tape.call,
        line=tape.line,
        desk=tape.started.desk if tape.started else None,
        started_at=tape.started.started_at if tape.started else "",
        customer_ref=tape.started.customer_ref if tape.started else None,
        queue=tape.started.queue if tape.started else None,
    )
    alerts = Alerts(about=about, rules=rules, ledger=ledger, quotes=False)
    heard: list[Heard] = []
    silences: list[Stretch] = []
    quiet_from = 0
    for utterance in sorted(tape.utterances, key=lambda one: one.end_ms):
        for now in _ticks(quiet_from, utterance.start_ms):
            going_on = _silences(tape, [Stretch(start_ms=quiet_from, end_ms=now)])
            yield from alerts.review(_picture(tape, heard, [*silences, *going_on], now), _moment(tape, now))
        if utterance.start_ms > quiet_from:
            silences += _silences(tape, [Stretch(start_ms=quiet_from, end_ms=utterance.start_ms)])
        quiet_from = max(quiet_from, utterance.end_ms)
        heard.append(_heard(utterance))
        yield from alerts.review(_picture(tape, heard, silences, quiet_from), _moment(tape, quiet_from))
    yield from alerts.end("call_over", _moment(tape, quiet_from))


def _record(event: _Envelope, tapes: dict[str, Tape]) -> None:
    kind = event.type.removeprefix("undertone.").rpartition(".v")[0]
    if kind not in _KINDS:
        return
    decoded = msgspec.json.decode(event.data, type=_KINDS[kind])
    offset = 0 if isinstance(decoded, Started) else decoded.end_ms
    tape = tapes.setdefault(decoded.call, Tape(decoded.call, decoded.line, _time(event.time) - timedelta(milliseconds=offset)))
    match decoded:
        case Started():
            tape.started = decoded
        case UtteranceHeard():
            tape.utterances.append(decoded)
        case Metrics() if set(decoded.tones) - NOT_A_HOLD:
            tape.holds.append(Stretch(start_ms=decoded.start_ms, end_ms=decoded.end_ms))


def _ticks(start_ms: int, end_ms: int) -> range:
    first = start_ms + _TICK_MS
    return range(first, min(end_ms, start_ms + _LONGEST_WAIT_MS), _TICK_MS)


def _silences(tape: Tape, quiet: list[Stretch]) -> list[Stretch]:
    """Those of `quiet` that are no hold."""
    return [one for one in quiet if not any(hold.start_ms < one.end_ms and one.start_ms < hold.end_ms for hold in tape.holds)]


def _picture(tape: Tape, heard: list[Heard], silences: list[Stretch], now_ms: int) -> Picture:
    scored = [Scored(start_ms=one.start_ms, end_ms=one.end_ms, polarity=one.fused.polarity) for one in heard if one.labelled and one.fused]
    return Picture(now_ms=now_ms, heard=heard, silences=silences, scores=scores(scored, now_ms), hears_both=tape.hears_both)


def _heard(event: UtteranceHeard) -> Heard:
    words, voice = event.words, event.voice
    cause = words.cause if words else None
    return Heard(
        n=event.n,
        side="agent" if event.role == "agent" else "customer",
        start_ms=event.start_ms,
        end_ms=event.end_ms,
        fused=fused_judgement(event.verdict),
        labelled=event.verdict is not None and event.verdict.label is not None,
        voice=Judgement(p_negative=voice.p_negative, polarity=voice.polarity, quality=voice.quality, voice_alone=True) if voice else None,
        words=Judgement(p_negative=words.p_negative, polarity=words.polarity, quality=words.quality) if words else None,
        cause=cause.code if cause else None,
        cause_p=cause.p if cause else 0.0,
        cause_route=cause.route if cause else None,
        keywords=tuple((one.keyword, one.confidence) for one in words.spotted) if words else (),
        signals=tuple(words.signals) if words else (),
        words_per_minute=event.turn.words_per_minute,
        loudness_db=event.turn.level_vs_baseline_db,
        broke_in=event.turn.interrupted,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _moment(tape: Tape, now_ms: int) -> datetime:
    return tape.started_at + timedelta(milliseconds=now_ms)
