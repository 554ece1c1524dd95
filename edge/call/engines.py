"""What judges a call, loaded once a box (Engines) and bound to one call (CallModels): the models cannot change under a call."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge.asr.guarded import GuardedChannel
from edge.asr.recogniser import Engine
from edge.call.baselines import Baselines
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.rule_set import RuleSet
from edge.call.trial import Trial
from edge.config import Config, LineConfig
from edge.errors import Problem
from edge.segment.crosstalk import customer_utterance
from edge.values import (
    Absence,
    Absent,
    Branch,
    Mode,
    ModelKind,
    ModelPart,
    Role,
    SpeechAudio,
    Utterance,
    Verdict,
    VoiceReading,
    Word,
    WordsReading,
)
from edge.verdict.fuse import fuse
from edge.voice.baseline import CallerBaseline, LineBaseline
from edge.voice.emotion import EmotionModel
from edge.wire.device import ModelInfo
from edge.words.branch import WordsJudge
from edge.words.intelligibility import CallIntelligibility
from edge.words.speaker import Speakers


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecogniser:
    """A line's own speech recogniser: the language that it writes (ISO 639), and the model as the bus is told of it."""

    engine: Engine
    language: str
    info: ModelInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The box's models and rules. `missing` says for each branch that cannot work why.

    `recogniser` writes `language` (ISO 639); `line_recognisers` are those that lines have for themselves, by line.
    """

    emotion: EmotionModel | None
    recogniser: Engine | None
    judge: WordsJudge
    rules: Callable[[], RuleSet]
    weights: Mapping[Branch, float]
    infos: Mapping[ModelPart, ModelInfo | None]
    language: str = "en"
    line_recognisers: Mapping[str, LineRecogniser] = field(default_factory=dict)
    missing: Mapping[str, Problem] = field(default_factory=dict)
    alert_history: AlertHistory = field(default_factory=AlertHistory)
    baselines: Baselines = field(default_factory=Baselines)
    strictness: float = 0.0
    trials: Mapping[ModelKind, Trial] = field(default_factory=dict)

    @property
    def models(self) -> dict[ModelPart, str | None]:
        """Name and version of each model, as the events of a call name it."""
        return {part: f"{info.name}-{info.version}" if info else None for part, info in self.infos.items()}

    def recogniser_of(self, line: str) -> tuple[Engine | None, str]:
        """What hears `line`, and the language that it writes."""
        own = self.line_recognisers.get(line)
        return (self.recogniser, self.language) if own is None else (own.engine, own.language)

    def models_of(self, line: str) -> dict[ModelPart, str | None]:
        """As `models`, on `line`."""
        own = self.line_recognisers.get(line)
        return self.models | ({} if own is None else {ModelPart.RECOGNISER: f"{own.info.name}-{own.info.version}"})

    @property
    def weights_fitted(self) -> bool:
        """Whether the weights were fitted on this site's calls, or set."""
        return self.infos.get(ModelPart.FUSION) is not None

    def lines_used_to(self, lines: Iterable[str]) -> dict[str, LineBaseline]:
        """What each of `lines` is used to hear, for the voice model that judges now; empty without one."""
        return {} if self.emotion is None else {line: self.baselines.of(line, self.emotion.prior) for line in lines}

    def for_call(self, line: LineConfig, config: Config) -> "CallModels":
        """These models bound to a new call on `line`."""
        return CallModels(self, line, Mode(config.mode))

    def with_trial(self, kind: ModelKind, trial: Trial | None) -> "Engines":
        """The same, the model of this kind being on probation or no longer."""
        others = {other: one for other, one in self.trials.items() if other != kind}
        return replace(self, trials=others | ({kind: trial} if trial is not None else {}))


class CallModels:
    """The models of one call: a recogniser for each channel whose words are wanted, the voice for the customer's alone."""

    def __init__(self, engines: Engines, line: LineConfig, mode: Mode) -> None:
        self.models = engines.models_of(line.trunk)
        self._emotion, self._judge, self._mode = engines.emotion, engines.judge, mode
        self._weights, self._trials = engines.weights, engines.trials
        self._line, self._baselines = line.trunk, engines.baselines
        self._caller: CallerBaseline | None = None
        if self._emotion is not None:
            self._caller = CallerBaseline(line=self._baselines.of(line.trunk, self._emotion.prior), prior=self._emotion.prior)
        self._recognisers: dict[int, GuardedChannel] = {}
        self._unheard: set[int] = set()
        self._intelligible = CallIntelligibility()
        self._speakers = Speakers()
        recogniser, language = engines.recogniser_of(line.trunk)
        # What nobody here can judge, or rid of names, is not written down in the first place.
        self._known_language = language == engines.judge.language
        if recogniser is not None and mode is not Mode.VOICE and self._known_language:
            self._recognisers = {channel: GuardedChannel(recogniser.channel) for channel in line.recognised}

    def accept(self, audio: SpeechAudio, *, overloaded: bool) -> None:
        """Feed a channel's recogniser while the speech goes on; an overloaded box gives up words before voice."""
        recogniser = self._recognisers.get(audio.channel)
        if recogniser is None:
            return
        if overloaded:
            self._unheard.add(audio.channel)
            return
        recogniser.accept(audio.start, audio.pcm)

    def drop(self, channel: int) -> None:
        """What was open on `channel` was not speech: throw it away."""
        self._unheard.discard(channel)
        if channel in self._recognisers:
            self._recognisers[channel].drop()

    def words(self, utterance: Utterance) -> WordsReading | Absent:
        """What was said in `utterance`, which this closes in the recogniser; or why nothing is known of it."""
        if self._mode is Mode.VOICE:
            return Absent(reason=Absence.MODE)
        recogniser = self._recognisers.get(utterance.channel)
        if recogniser is None:
            reason = Absence.NO_MODEL if self._known_language else Absence.LANGUAGE
            return Absent(reason=Absence.AGENT if utterance.role is Role.AGENT else reason)
        heard = recogniser.result()
        if utterance.channel in self._unheard:
            self._unheard.discard(utterance.channel)
            return Absent(reason=Absence.OVERLOAD)
        if heard is None:
            return Absent(reason=Absence.FAILED)
        understood = self._intelligible.judge(heard, utterance) if utterance.role is not Role.AGENT else None
        if understood is not None and not understood.understood:
            return Absent(reason=Absence.NOT_UNDERSTOOD, intelligibility=understood)
        trial, question = self._trials.get(ModelKind.WORDS), (heard, utterance.role, self._p_agent(utterance, heard))
        said = self._judge.judge(*question) if trial is None else trial.ask(lambda asked: self._judge.judge(*asked), question)
        return replace(said, intelligibility=understood)

    def _p_agent(self, utterance: Utterance, heard: Sequence[Word]) -> float:
        """How likely an agent said what was `heard`: on a mixed line alone is it asked."""
        if utterance.role is not Role.MIXED:
            return 0.0
        odds = self._judge.agent_odds(heard)
        return 0.0 if odds is None else self._speakers.heard(odds, turn=utterance.turn)

    def voice(self, utterance: Utterance) -> VoiceReading | Absent:
        """How `utterance` was said, against the caller and the line, if it is a customer's own; or why nothing is known of it."""
        if utterance.role is not Role.CUSTOMER:
            return Absent(reason=Absence.MIXED_CHANNEL if utterance.role is Role.MIXED else Absence.AGENT)
        if self._mode is Mode.WORDS:
            return Absent(reason=Absence.MODE)
        if self._emotion is None or self._caller is None:
            return Absent(reason=Absence.NO_MODEL)
        customer = customer_utterance(utterance)
        if customer is None:
            return Absent(reason=Absence.AGENT)
        trial = self._trials.get(ModelKind.VOICE)
        # A model on probation is compared by what it says of the utterance alone.
        reading = self._emotion.read(customer) if trial is None else trial.ask(self._emotion.read, customer)
        return self._caller.judge(reading)

    def verdict(self, voice: VoiceReading | Absent, words: WordsReading | Absent) -> Verdict:
        """Both readings of an utterance together, with the weights that this call is bound to."""
        began = time.thread_time()
        verdict = fuse(mode=self._mode, voice=voice, words=words, weights=self._weights)
        if (trial := self._trials.get(ModelKind.FUSION)) is not None:
            trial.answered((voice, words), verdict, time.thread_time() - began)
        return verdict

    def close(self) -> None:
        """The call is over: let go of the recognisers, and let the line get used to what was heard."""
        for recogniser in self._recognisers.values():
            recogniser.finish()
        self._recognisers.clear()
        if self._caller is not None:
            self._baselines.call_over(self._line, self._caller.prior, self._caller.heard)
        for trial in self._trials.values():
            trial.call_over()
