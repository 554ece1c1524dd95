"""The words branch: recognised words in, a calibrated judgement with its reasons out.

tokens -> agent phrases out -> overlay + VADER (+ the learned model) -> log-odds against neutral -> probabilities, cause, drivers
"""

from collections.abc import Sequence
from pathlib import Path

from edge.bundle.signature import Trust, trust_of
from edge.config import Config, KeywordConfig
from edge.phrases.causes import Causes
from edge.phrases.groups import PhraseGroups
from edge.phrases.keywords import KeywordSpotter
from edge.phrases.lexicon import Lexicon
from edge.phrases.tokens import BACKCHANNEL, tokenize
from edge.redaction.redact import redact
from edge.values import SAMPLE_RATE, Absence, Absent, Cause, Driver, Evidence, Polarity, Role, Word, WordsReading
from edge.words.combine import Judge, Judged, by_code
from edge.words.speaker import AGENT, share_of_customer

# Three words that say something are enough to be judged fully; one alone is worth a third.
_FULL_WORDS = 3
# Where it is likelier an agent's than a customer's, nothing that was said is the customer's matter.
_LIKELIER = 0.5
# Told whoever says it: danger to somebody.
_WHOEVER = frozenset(("vulnerable",))
# What an agent says has no mood, whatever danger it tells of.
_NOBODYS = Judged(p=(0.0, 1.0, 0.0), label=Polarity.NEUTRAL, llr_negative=0.0, llr_positive=0.0, causes=None, drivers=(), signals=())
# A person follows a handful of reasons.
_DRIVERS = 5
# A cause is named for what may well be a complaint: the voice can still make it one.
_COMPLAINT = 0.3
# And for a matter told calmly, from this probability on that something which went wrong is told ...
_MATTER = 0.5
# ... but for codes that are a mood and no matter: who speaks calmly of a solicitor or of leaving threatens nobody.
_MOODS = frozenset(("retention", "legal_or_regulator", "staff_conduct", "other", "unclear"))


class WordsJudge:
    """Judges sentences. Immutable after `load`; safe from any thread."""

    def __init__(self, *, judge: Judge, causes: Causes, keywords: Sequence[KeywordConfig] = ()) -> None:
        self._judge, self._causes = judge, causes
        self._codes = causes.airline
        self._keywords, self._spotter = tuple(keywords), KeywordSpotter(keywords)
        self._groups = PhraseGroups.load()

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

    @classmethod
    def configured(cls, config: Config, bundle: Path | None) -> "WordsJudge":
        """The same as `load`, with the site's own words, codes, routes, keywords and keys as `config` names them."""
        return cls.load(
            bundle=bundle,
            lexicon=Path(config.lexicon) if config.lexicon else None,
            causes=Path(config.causes) if config.causes else None,
            keywords=config.keywords,
            trust=trust_of(config),
        )

    @property
    def language(self) -> str:
        """What it knows, ISO 639."""
        return self._judge.language

    def agent_odds(self, words: Sequence[Word]) -> float | None:
        """Log-odds, by the words of one utterance alone, that an agent speaks; None where nothing was said or no model knows."""
        tokens = tokenize(" ".join(word.text for word in words))
        return self._judge.agent_odds(tokens) if tokens else None

    def judge(self, words: Sequence[Word], role: Role, p_agent: float = 0.0) -> WordsReading | Absent:
        """What `words` of one utterance say, whoever speaks; agents' script phrases score nothing for any role.

        `p_agent` is how likely an agent said them, where both sides are on one channel: from AGENT on nothing is judged, and below it
        they count the less the likelier it is; where it is likelier than not, no cause, keyword or signal of theirs is the customer's.
        Danger to somebody (group `vulnerable`) is told whoever speaks of it.

        Absent: no_words; agent (nothing but script, or an agent's words); too_short ("yes", "okay"). Whether they were understood at
        all is judged before (edge.words.intelligibility).
        """
        if not words:
            return Absent(reason=Absence.NO_WORDS)
        confidence = sum(word.confidence for word in words) / len(words)
        text = " ".join(word.text for word in words)
        return self._read(text, tokenize(text), confidence, words, role, p_agent)

    def judge_text(self, text: str) -> WordsReading | Absent:
        """What a written sentence says, as if every word of it had been recognised for sure."""
        tokens = tokenize(text)
        # Times that say only the order: one second a word.
        words = [
            Word(text=token, start=place * SAMPLE_RATE, end=(place + 1) * SAMPLE_RATE, confidence=1.0)
            for place, token in enumerate(tokens if self._keywords else ())
        ]
        return self._read(text, tokens, 1.0, words, Role.CUSTOMER)

    def _read(
        self, text: str, tokens: list[str], confidence: float, words: Sequence[Word], role: Role, p_agent: float = 0.0
    ) -> WordsReading | Absent:
        if not tokens:
            return Absent(reason=Absence.NO_WORDS)
        own = self._judge.lexicon.without_agent(tokens)
        if not own:
            return Absent(reason=Absence.AGENT)
        telling = [token for token in own if token not in BACKCHANNEL]
        if not telling:
            return Absent(reason=Absence.TOO_SHORT)
        groups = self._groups.heard(own)
        if p_agent > _LIKELIER:
            groups = tuple(group for group in groups if group in _WHOEVER)
        if p_agent >= AGENT and not groups:
            return Absent(reason=Absence.AGENT)
        judged = self._judge.read(own) if p_agent < AGENT else _NOBODYS
        p_negative, p_neutral, p_positive = judged.p
        not_theirs = role is Role.AGENT or p_agent > _LIKELIER
        cause = None if not_theirs else self._cause(own, judged)
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
                quality=min(1.0, confidence * min(1.0, len(telling) / _FULL_WORDS)) * share_of_customer(p_agent),
            ),
            cause=cause,
            drivers=_strongest(judged, tokens if redacted == text else tokenize(redacted)),
            spotted=self._spotter.spot(words) if words and p_agent <= _LIKELIER else (),
            signals=(*(judged.signals if p_agent <= _LIKELIER else ()), *groups),
            model=self._judge.label,
        )

    def _cause(self, own: Sequence[str], judged: Judged) -> Cause | None:
        """What a complaint, or a matter told calmly, is about; None where neither is told."""
        complaint = judged.label is Polarity.NEGATIVE or (judged.p[0] >= _COMPLAINT and judged.label is not Polarity.POSITIVE)
        told = judged.label is Polarity.NEUTRAL and (judged.matter or 0.0) >= _MATTER
        if not complaint and not told:
            return None
        cause = self._causes.judge(own, by_code(judged.causes, self._codes) if judged.causes is not None else None)
        return None if cause is None or (cause.code in _MOODS and not complaint) else cause


def _strongest(judged: Judged, shown: Sequence[str]) -> tuple[Driver, ...]:
    """The drivers that moved most; words only where redaction left them standing."""
    told: list[Driver] = []
    for driver in sorted(judged.drivers, key=lambda driver: -abs(driver.weight)):
        if driver.word is None or driver.word in shown:
            told.append(Driver(name=driver.name, weight=round(driver.weight, 3)))
            if len(told) == _DRIVERS:
                break
    return tuple(told)
