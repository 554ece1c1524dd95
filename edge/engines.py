"""What judges a call, loaded once a box (Engines) and bound to one call (Ears): the models cannot change under a call."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.bundle.store import find_bundle
from edge.call.ledger import Ledger
from edge.call.rules import RuleBook, RuleSet
from edge.config import Config, LineConfig
from edge.errors import ModelError
from edge.segment.crosstalk import customer_utterance
from edge.values import Absent, Mode, Role, SpeechAudio, Utterance, VoiceReading, WordsReading
from edge.voice.emotion import EmotionModel
from edge.words.branch import WordsJudge
from edge.words.recogniser import ChannelRecogniser, Engine
from edge.words.voskmodel import find_vosk

_log = logging.getLogger("undertone.engines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The box's models and rules. `missing` says for each branch that cannot work why, in one line."""

    emotion: EmotionModel | None
    recogniser: Engine | None
    judge: WordsJudge
    rules: Callable[[], RuleSet]
    weights: Mapping[str, float]
    models: Mapping[str, str | None]
    missing: Mapping[str, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    def ears(self, line: LineConfig, config: Config) -> "Ears":
        """These models bound to a new call on `line`."""
        return Ears(self, line, Mode(config.mode))


class Ears:
    """The models of one call: a recogniser for each channel whose words are wanted, the voice for the customer's alone."""

    def __init__(self, engines: Engines, line: LineConfig, mode: Mode) -> None:
        self.models = engines.models
        self._emotion, self._judge, self._mode = engines.emotion, engines.judge, mode
        self._recognisers: dict[int, ChannelRecogniser] = {}
        self._unheard: set[int] = set()
        if engines.recogniser is not None and mode is not Mode.VOICE:
            for channel, role in enumerate(line.channels):
                if role in (Role.CUSTOMER, Role.MIXED) or (role is Role.AGENT and line.agent_words):
                    self._recognisers[channel] = engines.recogniser.channel()

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
        return self._judge.judge(heard, utterance.role)

    def voice(self, utterance: Utterance) -> VoiceReading | Absent:
        """How `utterance` was said, if it is a customer's own; or why nothing is known of it."""
        if utterance.role is not Role.CUSTOMER:
            return Absent(reason="mixed_channel" if utterance.role is Role.MIXED else "agent")
        if self._mode is Mode.WORDS:
            return Absent(reason="mode")
        if self._emotion is None:
            return Absent(reason="no_model")
        customer = customer_utterance(utterance)
        return Absent(reason="agent") if customer is None else self._emotion.read(customer)

    def close(self) -> None:
        """The call is over: let go of the recognisers."""
        for recogniser in self._recognisers.values():
            recogniser.finish()
        self._recognisers.clear()


def load_engines(config: Config) -> Engines:
    """Everything that judges, as `config` says.

    A missing speech recogniser is not an error: the box then works with the voice alone and says so (`missing`). A model
    that is there and damaged is: ModelError.
    """
    mode = Mode(config.mode)
    missing: dict[str, str] = {}
    emotion = recogniser = None
    if mode is not Mode.WORDS:
        emotion = EmotionModel.load(find_bundle("voice", config))
    if mode is not Mode.VOICE:
        vosk = find_vosk(config)
        if vosk is None:
            missing["words"] = "no speech recogniser on this box: working with the voice alone; run `undertone fetch-model`"
        else:
            recogniser = Engine(vosk)
    if mode is Mode.WORDS and recogniser is None:
        raise ModelError("mode 'words' needs a speech recogniser and there is none; run `undertone fetch-model`")
    judge = load_judge(config)
    return Engines(
        emotion=emotion,
        recogniser=recogniser,
        judge=judge,
        rules=RuleBook(Path(config.rules) if config.rules else None).current,
        weights={"voice": config.fusion.voice_weight, "words": config.fusion.words_weight},
        models={
            "voice": None,
            "words": None,
            "recogniser": None,
        },
        missing=missing,
    )


def load_judge(config: Config) -> WordsJudge:
    """The words' judge with the site's own words, codes, routes and keywords."""
    return WordsJudge.load(
        bundle=find_bundle("words", config),
        lexicon=Path(config.lexicon) if config.lexicon else None,
        causes=Path(config.causes) if config.causes else None,
        keywords=config.keywords,
    )
