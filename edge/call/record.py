"""Readings, verdicts and utterances in the form that leaves the call: wire types. What rules see is made of them (edge.call.rules.view)."""

from edge.values import Absence, Absent, Intelligibility, Role, Utterance, Verdict, VoiceReading, WordsReading, samples_to_ms
from edge.wire.events import Text, UtteranceHeard
from edge.wire.parts import CauseData, IntelligibilityData, LatencyData, PartData, SpottedData, TurnData, VerdictData, VoiceData, WordsData


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
    return VoiceData(
        label=reading.label,
        probs=dict(reading.probs),
        p_negative=reading.p_negative,
        p_neutral=reading.p_neutral,
        p_positive=reading.p_positive,
        polarity=_polarity(reading),
        llr_negative=reading.evidence.negative,
        llr_positive=reading.evidence.positive,
        quality=reading.evidence.quality,
        voiced_ms=reading.voiced_ms,
        windows=reading.windows,
        clipping=reading.clipping,
        baseline=reading.baseline,
        difference=reading.difference,
        louder=reading.louder,
        baseline_positive=reading.baseline_positive,
        difference_positive=reading.difference_positive,
        model=reading.model,
    )


def words_data(reading: WordsReading, start: int) -> WordsData:
    """The wire form of what was said, without the words; `start` is the call's first sample."""
    cause = reading.cause
    return WordsData(
        words=reading.words,
        confidence=reading.confidence,
        p_negative=reading.p_negative,
        p_neutral=reading.p_neutral,
        p_positive=reading.p_positive,
        polarity=_polarity(reading),
        llr_negative=reading.evidence.negative,
        llr_positive=reading.evidence.positive,
        quality=reading.evidence.quality,
        cause=None if cause is None else CauseData(code=cause.code, p=cause.p, alternative=cause.alternative, route=cause.route),
        spotted=[
            SpottedData(
                keyword=one.keyword,
                confidence=one.confidence,
                start_ms=samples_to_ms(max(0, one.start - start)),
                end_ms=samples_to_ms(max(0, one.end - start)),
            )
            for one in reading.spotted
        ],
        signals=list(reading.signals),
        model=reading.model,
    )


def intelligibility_data(found: Intelligibility) -> IntelligibilityData:
    """The wire form of how well an utterance was understood."""
    return IntelligibilityData(**{name: getattr(found, name) for name in IntelligibilityData.__struct_fields__})


def verdict_data(verdict: Verdict) -> VerdictData:
    """The wire form of the fused result, every number of its arithmetic included."""
    return VerdictData(
        mode=verdict.mode,
        label=verdict.label,
        p_negative=verdict.p_negative,
        p_neutral=verdict.p_neutral,
        p_positive=verdict.p_positive,
        polarity=verdict.polarity,
        log_prior=dict(verdict.log_prior),
        llr_clip=verdict.llr_clip,
        parts=[
            PartData(
                branch=part.branch,
                weight=part.weight,
                quality=part.quality,
                llr_negative=part.llr_negative,
                llr_positive=part.llr_positive,
            )
            for part in verdict.parts
        ],
        conflict=verdict.conflict,
        reason=verdict.reason,
        absent=dict(verdict.absent),
    )


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
    return Text(
        call=heard.call,
        line=heard.line,
        n=heard.n,
        role=heard.role,
        start_ms=heard.start_ms,
        end_ms=heard.end_ms,
        text=said.redacted,
    )


def _polarity(reading: VoiceReading | WordsReading) -> float:
    return min(1.0, max(-1.0, reading.p_positive - reading.p_negative))
