"""The words branch: recognised words in, a calibrated judgement with its reasons out.

tokens -> agent phrases out -> overlay + VADER (+ the learned model) -> log-odds against neutral -> probabilities, cause, drivers
"""

import math
from collections.abc import Sequence
from pathlib import Path

from edge.bundle.signature import Trust
from edge.config import KeywordConfig
from edge.values import SAMPLE_RATE, Absent, Driver, Evidence, Polarity, Role, Word, WordsReading
from edge.words.causes import Causes
from edge.words.combine import Judge, Judged, by_code
from edge.words.keywords import KeywordSpotter
from edge.words.lexicon import Lexicon
from edge.words.redact import redact
from edge.words.tokens import BACKCHANNEL, tokenize

# Below this mean confidence more words are wrong than right (Vosk on telephone speech): what they seem to say is no evidence.
_UNCLEAR = 0.4
# Three words that say something are enough to be judged fully; one alone is worth a third.
_FULL_WORDS = 3
# A person follows a handful of reasons.
_DRIVERS = 5
# Less than this much log-odds moved nothing.
_DRIVER_FLOOR = 0.05
# A cause is named for what may well be a complaint: the voice can still make it one.
_COMPLAINT = 0.3


class WordsJudge:
    """Judges sentences. Immutable after `load`; safe from any thread."""

    def __init__(self, *, judge: Judge, causes: Causes, spotter: KeywordSpotter) -> None:
        self._judge, self._causes, self._spotter = judge, causes, spotter

    @classmethod
    def load(
        cls,
        bundle: Path | None = None,
        lexicon: Path | None = None,
        causes: Path | None = None,
        keywords: Sequence[KeywordConfig] = (),
        *,
        trust: Trust | None = None,
    ) -> "WordsJudge":
        """A judge with the learned model in the folder `bundle` (None: VADER and overlay alone) and a site's own files.

        `trust` says who may have signed the bundle (None: the shipped keys).

        Raises ConfigError for a site's file, ModelError for a bundle that is refused.
        """
        overlay = Lexicon.load(lexicon)
        return cls(judge=Judge.load(bundle, overlay, trust=trust), causes=Causes.load(causes), spotter=KeywordSpotter(keywords))

    def judge(self, words: Sequence[Word], role: Role) -> WordsReading | Absent:
        """What `words` of one utterance say, whoever speaks; agents' script phrases score nothing for any role.

        Absent: no_words; agent (nothing but script); too_short ("yes", "okay"); unclear (the recogniser guessed).
        """
        if not words:
            return Absent(reason="no_words")
        confidence = sum(word.confidence for word in words) / len(words)
        return self._read(" ".join(word.text for word in words), confidence, words, role)

    def judge_text(self, text: str) -> WordsReading | Absent:
        """What a written sentence says, as if every word of it had been recognised for sure."""
        # Times that say only the order: one second a word.
        words = [
            Word(text=token, start=place * SAMPLE_RATE, end=(place + 1) * SAMPLE_RATE, confidence=1.0)
            for place, token in enumerate(tokenize(text))
        ]
        return self._read(text, 1.0, words, Role.CUSTOMER) if words else Absent(reason="no_words")

    def prior(self) -> float:
        """The p_negative of a sentence about which nothing is known."""
        return self._judge.prior[Polarity.NEGATIVE]

    def _read(self, text: str, confidence: float, words: Sequence[Word], role: Role) -> WordsReading | Absent:
        tokens = tokenize(text)
        if not tokens:
            return Absent(reason="no_words")
        own = self._judge.lexicon.without_agent(tokens)
        if not own:
            return Absent(reason="agent")
        telling = [token for token in own if token not in BACKCHANNEL]
        if not telling:
            return Absent(reason="too_short")
        if confidence < _UNCLEAR:
            return Absent(reason="unclear")
        judged = self._judge.read(own)
        complaint = judged.label is Polarity.NEGATIVE or (
            judged.p[Polarity.NEGATIVE] >= _COMPLAINT and judged.label is not Polarity.POSITIVE
        )
        learned = by_code(judged.causes, self._causes.airline) if judged.causes is not None else None
        cause = self._causes.judge(own, learned) if complaint and role is not Role.AGENT else None
        redacted = redact(text)
        return WordsReading(
            redacted=redacted,
            words=len(words),
            confidence=confidence,
            label=judged.label,
            p_negative=judged.p[Polarity.NEGATIVE],
            p_neutral=judged.p[Polarity.NEUTRAL],
            p_positive=judged.p[Polarity.POSITIVE],
            evidence=Evidence(
                negative=judged.llr_negative,
                positive=judged.llr_positive,
                quality=min(1.0, confidence * min(1.0, len(telling) / _FULL_WORDS)),
            ),
            cause=cause,
            drivers=_strongest(judged, frozenset(tokenize(redacted))),
            spotted=self._spotter.spot(words),
            signals=judged.signals,
        )


def _strongest(judged: Judged, shown: frozenset[str]) -> tuple[Driver, ...]:
    """The drivers that moved most, learned words only where redaction left them standing."""
    kept = [
        driver
        for driver in judged.drivers
        if abs(driver.weight) >= _DRIVER_FLOOR and math.isfinite(driver.weight) and (driver.words is None or driver.words <= shown)
    ]
    kept.sort(key=lambda driver: -abs(driver.weight))
    return tuple(Driver(name=driver.name, weight=round(driver.weight, 3)) for driver in kept[:_DRIVERS])
