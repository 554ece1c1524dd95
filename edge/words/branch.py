"""The words branch: recognised words in, a calibrated judgement with its reasons out.

tokens -> agent phrases out -> overlay + VADER (+ the learned model) -> log-odds against neutral -> probabilities, cause, drivers
"""

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
# A cause is named for what may well be a complaint: the voice can still make it one.
_COMPLAINT = 0.3


class WordsJudge:
    """Judges sentences. Immutable after `load`; safe from any thread."""

    def __init__(self, *, judge: Judge, causes: Causes, keywords: Sequence[KeywordConfig] = ()) -> None:
        self._judge, self._causes = judge, causes
        self._codes = causes.airline
        self._keywords, self._spotter = tuple(keywords), KeywordSpotter(keywords)

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
        return cls(judge=Judge.load(bundle, overlay, trust=trust), causes=Causes.load(causes), keywords=keywords)

    def judge(self, words: Sequence[Word], role: Role) -> WordsReading | Absent:
        """What `words` of one utterance say, whoever speaks; agents' script phrases score nothing for any role.

        Absent: no_words; agent (nothing but script); too_short ("yes", "okay"); unclear (the recogniser guessed).
        """
        if not words:
            return Absent(reason="no_words")
        confidence = sum(word.confidence for word in words) / len(words)
        text = " ".join(word.text for word in words)
        return self._read(text, tokenize(text), confidence, words, role)

    def judge_text(self, text: str) -> WordsReading | Absent:
        """What a written sentence says, as if every word of it had been recognised for sure."""
        tokens = tokenize(text)
        # Times that say only the order: one second a word.
        words = [
            Word(text=token, start=place * SAMPLE_RATE, end=(place + 1) * SAMPLE_RATE, confidence=1.0)
            for place, token in enumerate(tokens if self._keywords else ())
        ]
        return self._read(text, tokens, 1.0, words, Role.CUSTOMER)

    def _read(self, text: str, tokens: list[str], confidence: float, words: Sequence[Word], role: Role) -> WordsReading | Absent:
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
        p_negative, p_neutral, p_positive = judged.p
        likely = p_negative >= _COMPLAINT and judged.label is not Polarity.POSITIVE
        cause = None
        if role is not Role.AGENT and (likely or judged.label is Polarity.NEGATIVE):
            cause = self._causes.judge(own, by_code(judged.causes, self._codes) if judged.causes is not None else None)
        redacted = redact(text)
        return WordsReading(
            redacted=redacted,
            words=len(tokens),
            confidence=confidence,
            label=judged.label,
            p_negative=p_negative,
            p_neutral=p_neutral,
            p_positive=p_positive,
            evidence=Evidence(
                negative=judged.llr_negative,
                positive=judged.llr_positive,
                quality=min(1.0, confidence * min(1.0, len(telling) / _FULL_WORDS)),
            ),
            cause=cause,
            drivers=_strongest(judged, tokens if redacted == text else tokenize(redacted)),
            spotted=self._spotter.spot(words) if words else (),
            signals=judged.signals,
            model=self._judge.label,
        )


def _strongest(judged: Judged, shown: Sequence[str]) -> tuple[Driver, ...]:
    """The drivers that moved most; words only where redaction left them standing."""
    told: list[Driver] = []
    for driver in sorted(judged.drivers, key=lambda driver: -abs(driver.weight)):
        if driver.word is None or driver.word in shown:
            told.append(Driver(name=driver.name, weight=round(driver.weight, 3)))
            if len(told) == _DRIVERS:
                break
    return tuple(told)
