"""Readings, verdicts and utterances in the forms that leave the call: wire types, and what rules see."""

from edge.bus.events import Text, UtteranceHeard
from edge.bus.parts import CauseData, LatencyData, PartData, ScoresData, SpottedData, TurnData, VerdictData, VoiceData, WordsData
from edge.call.picture import Heard, Judgement
from edge.values import Absent, Role, Utterance, Verdict, VoiceReading, WordsReading, samples_to_ms


def allowed(
    role: Role, voice: VoiceReading | Absent, words: WordsReading | Absent, verdict: Verdict | None, *, agent_words: bool
) -> tuple[VoiceReading | Absent, WordsReading | Absent, Verdict | None]:
    """What may be known of a speaker: agents' and system's speech has no voice, no verdict, and words only if `agent_words`."""
    if role in (Role.CUSTOMER, Role.MIXED):
        return voice, words, verdict
    may = role is Role.AGENT and agent_words
    return Absent(reason="agent"), words if may or isinstance(words, Absent) else Absent(reason="agent"), None


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


def verdict_data(verdict: Verdict) -> VerdictData:
    """The wire form of the fused result, every number of its arithmetic included."""
    return VerdictData(
        mode=verdict.mode.value,
        label=verdict.label.value if verdict.label else None,
        p_negative=verdict.p_negative,
        p_neutral=verdict.p_neutral,
        p_positive=verdict.p_positive,
        polarity=verdict.polarity,
        log_prior=dict(verdict.log_prior),
        llr_clip=verdict.llr_clip,
        parts=[
            PartData(
                branch="voice" if part.branch == "voice" else "words",
                weight=part.weight,
                quality=part.quality,
                llr_negative=part.llr_negative,
                llr_positive=part.llr_positive,
            )
            for part in verdict.parts
        ],
        conflict=verdict.conflict,
        reason=verdict.reason,
    )


def utterance_heard(
    seen: Heard,
    utterance: Utterance,
    *,
    about: tuple[str, str, int],
    readings: tuple[VoiceReading | Absent, WordsReading | Absent],
    verdict: VerdictData | None,
    turn: TurnData,
    scores: ScoresData | None,
    latency: LatencyData,
) -> UtteranceHeard:
    """The utterance's event data; `about` is the call's id, the line's name, and the call's first sample."""
    call, line, start = about
    voice, words = readings
    return UtteranceHeard(
        call=call,
        line=line,
        n=seen.n,
        turn_id=f"{call}:turn:{utterance.channel}-{utterance.turn}",
        part=utterance.part,
        channel=utterance.channel,
        role=utterance.role.value,
        start_ms=seen.start_ms,
        end_ms=seen.end_ms,
        voiced_ms=samples_to_ms(utterance.voiced_samples),
        lost_ms=samples_to_ms(utterance.lost_samples),
        snr_db=None if utterance.snr_db is None else round(utterance.snr_db, 1),
        voice=None if isinstance(voice, Absent) else voice_data(voice),
        voice_reason=voice.reason if isinstance(voice, Absent) else None,
        words=None if isinstance(words, Absent) else words_data(words, start),
        words_reason=words.reason if isinstance(words, Absent) else None,
        verdict=verdict,
        turn=turn,
        scores=scores,
        latency=latency,
    )


def text_data(seen: Heard, role: Role, said: WordsReading, *, about: tuple[str, str]) -> Text:
    """The redacted words of an utterance; `about` is the call's id and the line's name."""
    call, line = about
    return Text(call=call, line=line, n=seen.n, role=role.value, start_ms=seen.start_ms, end_ms=seen.end_ms, text=said.redacted)


def heard(
    *,
    n: int,
    utterance: Utterance,
    start: int,
    voice: VoiceReading | None,
    words: WordsReading | None,
    verdict: VerdictData | None,
    turn: TurnData,
) -> Heard:
    """What rules see of an utterance; `start` is the call's first sample."""
    cause = words.cause if words else None
    return Heard(
        n=n,
        side="agent" if utterance.role is Role.AGENT else "customer",
        start_ms=samples_to_ms(utterance.start - start),
        end_ms=samples_to_ms(utterance.end - start),
        fused=fused_judgement(verdict),
        labelled=verdict is not None and verdict.label is not None,
        voice=_judgement(voice, voice_alone=True),
        words=_judgement(words, voice_alone=False),
        cause=cause.code if cause else None,
        cause_p=cause.p if cause else 0.0,
        cause_route=cause.route if cause else None,
        keywords=tuple((one.keyword, one.confidence) for one in words.spotted) if words else (),
        signals=words.signals if words else (),
        words_per_minute=turn.words_per_minute,
        loudness_db=turn.level_vs_baseline_db,
        broke_in=utterance.interrupted,
        quote=words.redacted if words else None,
    )


def fused_judgement(verdict: VerdictData | None) -> Judgement | None:
    """A verdict that has a label, as rules see it; its quality is the weighted sum of its parts', at most 1."""
    if verdict is None or verdict.label is None or verdict.p_negative is None or verdict.polarity is None:
        return None
    return Judgement(
        p_negative=verdict.p_negative,
        polarity=verdict.polarity,
        quality=min(1.0, sum(part.weight * part.quality for part in verdict.parts)),
        voice_alone=all(part.branch == "voice" for part in verdict.parts),
    )


def _judgement(reading: VoiceReading | WordsReading | None, *, voice_alone: bool) -> Judgement | None:
    if reading is None:
        return None
    return Judgement(p_negative=reading.p_negative, polarity=_polarity(reading), quality=reading.evidence.quality, voice_alone=voice_alone)


def _polarity(reading: VoiceReading | WordsReading) -> float:
    return min(1.0, max(-1.0, reading.p_positive - reading.p_negative))
