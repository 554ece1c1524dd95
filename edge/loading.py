"""What judges, brought from the disk: at the box's start, and anew where a model or the configuration changes."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, Kind, load, parse
from edge.bundle.shipped import trust_of
from edge.bundle.signature import Trust, verify
from edge.bundle.store import find_bundle
from edge.bundle.weights import fitted_of
from edge.bus.device import ModelInfo
from edge.call.rules import RuleBook
from edge.config import Config
from edge.engines import Engines
from edge.errors import ModelError
from edge.values import Mode
from edge.voice.emotion import EmotionModel
from edge.words.branch import WordsJudge
from edge.words.recogniser import Engine
from edge.words.voskmodel import MODEL_NAME, PINS, find_vosk


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
