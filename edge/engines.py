"""What judges a call, loaded once a box (Engines) and bound to one call (Ears): the models cannot change under a call."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge.bundle.manifest import Kind
from edge.bundle.shadow import Trial
from edge.bus.device import ModelInfo
from edge.call.ledger import Ledger
from edge.call.rules import RuleSet
from edge.config import Config, LineConfig
from edge.segment.crosstalk import customer_utterance
from edge.values import Absent, Mode, Role, SpeechAudio, Utterance, Verdict, VoiceReading, WordsReading
from edge.verdict.fuse import fuse
from edge.voice.emotion import EmotionModel
from edge.words.branch import WordsJudge
from edge.words.guarded import GuardedChannel
from edge.words.recogniser import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The box's models and rules. `missing` says for each branch that cannot work why, in one line."""

    emotion: EmotionModel | None
    recogniser: Engine | None
    judge: WordsJudge
    rules: Callable[[], RuleSet]
    weights: Mapping[str, float]
    infos: Mapping[str, ModelInfo | None]
    missing: Mapping[str, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    strictness: float = 0.0
    trials: Mapping[Kind, Trial] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, str | None]:
        """Name and version of each model, as the events of a call name it."""
        return {role: f"{info.name}-{info.version}" if info else None for role, info in self.infos.items()}

    @property
    def weights_fitted(self) -> bool:
        """Whether the weights were fitted on this site's calls, or set."""
        return self.infos.get("fusion") is not None

    def ears(self, line: LineConfig, config: Config) -> "Ears":
        """These models bound to a new call on `line`."""
        return Ears(self, line, Mode(config.mode))

    def with_trial(self, kind: Kind, trial: Trial | None) -> "Engines":
        """The same, the model of this kind being on probation or no longer."""
        others = {other: one for other, one in self.trials.items() if other != kind}
        return replace(self, trials=others | ({kind: trial} if trial is not None else {}))


class Ears:
    """The models of one call: a recogniser for each channel whose words are wanted, the voice for the customer's alone."""

    def __init__(self, engines: Engines, line: LineConfig, mode: Mode) -> None:
        self.models = engines.models
        self._emotion, self._judge, self._mode = engines.emotion, engines.judge, mode
        self._weights, self._trials = engines.weights, engines.trials
        self._recognisers: dict[int, GuardedChannel] = {}
        self._unheard: set[int] = set()
        if engines.recogniser is not None and mode is not Mode.VOICE:
            self._recognisers = {channel: GuardedChannel(engines.recogniser.channel) for channel in line.recognised}

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
            return Absent(reason="mode")
        recogniser = self._recognisers.get(utterance.channel)
        if recogniser is None:
            return Absent(reason="agent" if utterance.role is Role.AGENT else "no_model")
        heard = recogniser.result()
        if utterance.channel in self._unheard:
            self._unheard.discard(utterance.channel)
            return Absent(reason="overload")
        if heard is None:
            return Absent(reason="failed")
        trial, question = self._trials.get("words"), (heard, utterance.role)
        return self._judge.judge(*question) if trial is None else trial.ask(lambda asked: self._judge.judge(*asked), question)

    def voice(self, utterance: Utterance) -> VoiceReading | Absent:
        """How `utterance` was said, if it is a customer's own; or why nothing is known of it."""
        if utterance.role is not Role.CUSTOMER:
            return Absent(reason="mixed_channel" if utterance.role is Role.MIXED else "agent")
        if self._mode is Mode.WORDS:
            return Absent(reason="mode")
        if self._emotion is None:
            return Absent(reason="no_model")
        customer = customer_utterance(utterance)
        if customer is None:
            return Absent(reason="agent")
        trial = self._trials.get("voice")
        return self._emotion.read(customer) if trial is None else trial.ask(self._emotion.read, customer)

    def verdict(self, voice: VoiceReading | Absent, words: WordsReading | Absent) -> Verdict:
        """Both readings of an utterance together, with the weights that this call is bound to."""
        began = time.thread_time()
        verdict = fuse(mode=self._mode, voice=voice, words=words, weights=self._weights)
        if (trial := self._trials.get("fusion")) is not None:
            trial.told((voice, words), verdict, time.thread_time() - began)
        return verdict

    def close(self) -> None:
        """The call is over: let go of the recognisers."""
        for recogniser in self._recognisers.values():
            recogniser.finish()
        self._recognisers.clear()
        for trial in self._trials.values():
            trial.call_over()
