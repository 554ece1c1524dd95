"""What judges a call, loaded once a box (Engines) and bound to one call (Ears): the models cannot change under a call."""

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, Kind, load, parse
from edge.bundle.shadow import Trial
from edge.bundle.shipped import trust_of
from edge.bundle.signature import Trust, verify
from edge.bundle.store import find_bundle
from edge.bundle.weights import fitted_of
from edge.bus.device import ModelInfo
from edge.call.ledger import Ledger
from edge.call.rules import RuleBook, RuleSet
from edge.config import Config, LineConfig
from edge.errors import ModelError
from edge.segment.crosstalk import customer_utterance
from edge.values import Absent, Mode, Role, SpeechAudio, Utterance, Verdict, VoiceReading, WordsReading
from edge.verdict.fuse import fuse
from edge.voice.emotion import EmotionModel
from edge.words.branch import WordsJudge
from edge.words.guarded import GuardedChannel
from edge.words.recogniser import Engine
from edge.words.voskmodel import MODEL_NAME, PINS, find_vosk


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


def load_engines(config: Config) -> Engines:
    """Everything that judges, as `config` says.

    A missing speech recogniser is not an error: the box then works with the voice alone and says so (`missing`). A model
    that is there and damaged is: ModelError.
    """
    mode = Mode(config.mode)
    missing: dict[str, str] = {}
    infos: dict[str, ModelInfo | None] = {"voice": None, "words": None, "recogniser": None, "fusion": None}
    emotion = None
    with ThreadPoolExecutor(1) as beside:
        # Half of a start is hashing and loading the recogniser's 71 MB, which needs no interpreter lock.
        recognising = beside.submit(_recogniser, config, mode)
        if mode is not Mode.WORDS:
            emotion, infos["voice"] = _voice(config)
        if mode is not Mode.VOICE:
            infos["words"] = _words_info(config)
        judge = load_judge(config)
        recogniser, infos["recogniser"] = recognising.result()
    if recogniser is None and mode is not Mode.VOICE:
        missing["words"] = "no speech recogniser on this box: working with the voice alone; run `undertone fetch-model`"
    weights, strictness, infos["fusion"] = fusion(find_bundle("fusion", config), config)
    return Engines(
        emotion=emotion,
        recogniser=recogniser,
        judge=judge,
        rules=RuleBook(Path(config.rules) if config.rules else None).current,
        weights=weights,
        strictness=strictness,
        infos=infos,
        missing=missing,
    )


def renewed(engines: Engines, kind: Kind, config: Config) -> Engines:
    """`engines` with the `kind` of model that serves now, the rest as it was. A new recogniser waits for the next start.

    Raises ModelError.
    """
    mode = Mode(config.mode)
    match kind:
        case "voice" if mode is not Mode.WORDS:
            emotion, info = _voice(config)
            return replace(engines, emotion=emotion, infos={**engines.infos, "voice": info})
        case "words" if mode is not Mode.VOICE:
            return replace(engines, judge=load_judge(config), infos={**engines.infos, "words": _words_info(config)})
        case "fusion":
            weights, strictness, fitted_info = fusion(find_bundle("fusion", config), config)
            return replace(engines, weights=weights, strictness=strictness, infos={**engines.infos, "fusion": fitted_info})
    return engines


def _recogniser(config: Config, mode: Mode) -> tuple[Engine | None, ModelInfo | None]:
    """The speech recogniser, where this mode needs one and the box has one."""
    vosk = None if mode is Mode.VOICE else find_vosk(config)
    if vosk is not None:
        return Engine(vosk), _vosk_info(vosk, trust_of(config))
    if mode is Mode.WORDS:
        raise ModelError("mode 'words' needs a speech recogniser and there is none; run `undertone fetch-model`")
    return None, None


def _voice(config: Config) -> tuple[EmotionModel, ModelInfo]:
    """The voice model that serves."""
    bundle = load(find_bundle("voice", config), kind="voice", trust=trust_of(config))
    return EmotionModel(bundle), _info(bundle)


def _words_info(config: Config) -> ModelInfo | None:
    """The words model that serves; None where there is none."""
    folder = find_bundle("words", config)
    return _info(load(folder, kind="words", trust=trust_of(config))) if folder else None


def fusion(folder: Path | None, config: Config) -> tuple[Mapping[str, float], float, ModelInfo | None]:
    """The weights by branch and the strictness of alerts that the bundle in `folder` was fitted to; without one, as the site set them."""
    if folder is None:
        return {"voice": config.fusion.voice_weight, "words": config.fusion.words_weight}, 0.0, None
    bundle = load(folder, kind="fusion", trust=trust_of(config))
    fitted = fitted_of(bundle)
    return fitted.weights, fitted.strictness, _info(bundle)


def load_judge(config: Config, folder: Path | None = None) -> WordsJudge:
    """The words' judge with the site's own words, codes, routes and keywords; with the model in `folder`, else the one that serves."""
    return WordsJudge.load(
        bundle=folder or find_bundle("words", config),
        lexicon=Path(config.lexicon) if config.lexicon else None,
        causes=Path(config.causes) if config.causes else None,
        keywords=config.keywords,
        trust=trust_of(config),
    )


def _info(bundle: Bundle) -> ModelInfo:
    """A bundle as the bus is told of it."""
    manifest = bundle.manifest
    return ModelInfo(
        name=manifest.name,
        version=manifest.version,
        sha256=bundle.sha256,
        licence=manifest.licence,
        signed_by=bundle.signed_by,
        validated_on_calls=manifest.validated_on_calls,
    )


def _vosk_info(folder: Path, trust: Trust) -> ModelInfo:
    """The recogniser's model: a bundle's own name, else named by its acoustic model's hash, whatever its folder is called."""
    if (folder / MANIFEST).is_file():
        raw = (folder / MANIFEST).read_bytes()
        # One that the configuration names may be anybody's.
        signed_by = verify(raw, folder / SIGNATURE, replace(trust, allow_unsigned=True))
        manifest = parse(raw, folder / MANIFEST)
        return _info(Bundle(folder=folder, manifest=manifest, sha256=hashlib.sha256(raw).hexdigest(), signed_by=signed_by))
    acoustic = hashlib.sha256((folder / "am" / "final.mdl").read_bytes()).hexdigest()
    known = acoustic == PINS["am/final.mdl"].sha256
    name, _, version = MODEL_NAME.rpartition("-") if known else (folder.name, "", "")
    return ModelInfo(
        name=name,
        version=version,
        sha256=acoustic,
        licence="Apache-2.0" if known else "unknown",
        signed_by=None,
        validated_on_calls=False,
    )
