"""Readings, verdicts and utterances in the form that leaves the call: wire types. What rules see is made of them (edge.call.rules.view)."""

from typing import TypeVar

from edge.values import Absence, Absent, Intelligibility, Role, Utterance, Verdict, VoiceReading, WordsReading, samples_to_ms
from edge.wire.events import Text, UtteranceHeard
from edge.wire.parts import (
    CauseData,
    IntelligibilityData,
    LatencyData,
    PartData,
    SpottedData,
    TurnData,
    VerdictData,
    VoiceData,
    Wire,
    WordsData,
)

_W = TypeVar("_W", bound=Wire)


def allowed(
    role: Role, voice: VoiceReading | Absent, words: WordsReading | Absent, verdict: Verdict | None, *, agent_words: bool
) -> tuple[VoiceReading | Absent, WordsReading | Absent, Verdict | None]:
    """What may be known of a speaker: agents' and system's speech has no voice, no verdict, and words only if `agent_words`."""
    if role in (Role.CUSTOMER, Role.MIXED):
        return voice, words, verdict
    may = role is Role.AGENT and agent_words
    return Absent(reason=Absence.AGENT), words if may or isinstance(words, Absent) else Absent(reason=Absence.AGENT), None


def voice_data(reading: VoiceReading) -> VoiceData:
    """The wire form of how it was said."""
    return _in_wire_form(VoiceData, reading, probs=dict(reading.probs), **_judged(reading))


def words_data(reading: WordsReading, start: int) -> WordsData:
    """The wire form of what was said, without the words; `start` is the call's first sample."""
    spotted = [
        _in_wire_form(SpottedData, one, start_ms=samples_to_ms(max(0, one.start - start)), end_ms=samples_to_ms(max(0, one.end - start)))
        for one in reading.spotted
    ]
    cause = None if reading.cause is None else _in_wire_form(CauseData, reading.cause)
    return _in_wire_form(WordsData, reading, cause=cause, spotted=spotted, signals=list(reading.signals), **_judged(reading))


def intelligibility_data(found: Intelligibility) -> IntelligibilityData:
    """The wire form of how well an utterance was understood."""
    return _in_wire_form(IntelligibilityData, found)


def verdict_data(verdict: Verdict) -> VerdictData:
    """The wire form of the fused result, every number of its arithmetic included."""
    parts = [_in_wire_form(PartData, part) for part in verdict.parts]
    return _in_wire_form(VerdictData, verdict, log_prior=dict(verdict.log_prior), parts=parts, absent=dict(verdict.absent))


def utterance_heard(
    utterance: Utterance,
    *,
    n: int,
    about: tuple[str, str, int],
    readings: tuple[VoiceReading | Absent, WordsReading | Absent],
    verdict: Verdict | None,
    turn: TurnData,
    latency: LatencyData,
) -> UtteranceHeard:
    """The utterance's event data, the call's scores not yet in it; `about` is the call's id, the line's name, the call's first sample."""
    call, line, start = about
    voice, words = readings
    return UtteranceHeard(
        call=call,
        line=line,
        n=n,
        turn_id=f"{call}:turn:{utterance.channel}-{utterance.turn}",
        part=utterance.part,
        channel=utterance.channel,
        role=utterance.role,
        start_ms=samples_to_ms(utterance.start - start),
        end_ms=samples_to_ms(utterance.end - start),
        voiced_ms=samples_to_ms(utterance.voiced_samples),
        lost_ms=samples_to_ms(utterance.lost_samples),
        snr_db=None if utterance.snr_db is None else round(utterance.snr_db, 1),
        voice=None if isinstance(voice, Absent) else voice_data(voice),
        voice_reason=voice.reason if isinstance(voice, Absent) else None,
        words=None if isinstance(words, Absent) else words_data(words, start),
        words_reason=words.reason if isinstance(words, Absent) else None,
        intelligibility=None if words.intelligibility is None else intelligibility_data(words.intelligibility),
        verdict=None if verdict is None else verdict_data(verdict),
        turn=turn,
        scores=None,
        latency=latency,
    )


def text_data(heard: UtteranceHeard, said: WordsReading) -> Text:
    """The redacted words of an utterance."""
    return _in_wire_form(Text, heard, text=said.redacted)


def _in_wire_form(kind: type[_W], value: object, **other: object) -> _W:
    """`value` as `kind`: fields of the same name as they are, and `other` for those that differ."""
    return kind(**{name: getattr(value, name) for name in kind.__struct_fields__ if name not in other}, **other)


def _judged(reading: VoiceReading | WordsReading) -> dict[str, float]:
    """What a reading says as one number, and the evidence for it."""
    evidence = reading.evidence
    polarity = min(1.0, max(-1.0, reading.p_positive - reading.p_negative))
    return {"polarity": polarity, "llr_negative": evidence.negative, "llr_positive": evidence.positive, "quality": evidence.quality}
