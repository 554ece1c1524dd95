"""The kinds of model that a box has, one row each. Whatever differs between them stands here: nothing else asks which kind it is.

A row's functions import what they need when they run: `undertone model list` must not load a speech recogniser.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from edge.asr.vosk_model import find_vosk
from edge.bundle.manifest import MANIFEST, Bundle, load
from edge.bundle.signature import Trust, trust_of
from edge.bundle.store import find_bundle, require_bundle
from edge.config import Config
from edge.errors import Key, ModelError, Problem
from edge.models.comparison import Limits
from edge.models.recogniser import load_line_recognisers, load_recogniser, prove_recogniser
from edge.values import Absent, Branch, Mode, ModelKind, ModelPart
from edge.wire.device import ModelInfo

if TYPE_CHECKING:
    from edge.call.engines import Engines
    from edge.call.trial import Judged

# More than twice the weight of independent evidence (1): the branch is calibrated wrongly.
_Weight = Annotated[float, msgspec.Meta(ge=0, le=2)]
# How much of what is left above each alert threshold is taken away (below 0: added): at most half of it.
_Strictness = Annotated[float, msgspec.Meta(ge=-0.5, le=0.5)]


class Fitted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fusion manifest's `calibration`: weights and strictness of alerts, fitted on a site's own calls, and on how many."""

    voice: _Weight
    words: _Weight
    utterances: int
    calls: int
    negatives: int
    strictness: _Strictness = 0.0

    @property
    def weights(self) -> Mapping[Branch, float]:
        """By branch."""
        return {Branch.VOICE: self.voice, Branch.WORDS: self.words}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a kind gives to Engines: `parts` are its fields, `model` is the bundle, or what is known of one that is none.

    `missing` says for a branch that cannot work why.
    """

    parts: Mapping[str, Any]
    model: Bundle | ModelInfo | None = None
    missing: Mapping[str, Problem] = field(default_factory=dict)

    @property
    def info(self) -> ModelInfo | None:
        """The model as the bus is told of it."""
        return _info(self.model)


def _info(model: Bundle | ModelInfo | None) -> ModelInfo | None:
    if not isinstance(model, Bundle):
        return model
    made = model.manifest
    return ModelInfo(
        name=made.name, version=made.version, sha256=model.sha256, licence=made.licence, signed_by=model.signed_by,
        validated_on_calls=made.validated_on_calls,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """The model before the one on probation: answers the same questions. `window_ms`: as the row's, of this one."""

    judge: "Callable[[Any], Judged | Absent]"
    window_ms: Callable[[], float | None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A row.

    part             what `info` and the events of a call name it by
    prove            runs a checked bundle as its branch would, on this box; raises ModelError
    load             what serves now, for Engines; raises ModelError
    site_settings    a site's own words or weights are part of it: renewed with the configuration
    swaps            a running service takes a new one over at each line's next call; else it waits for the next start
    idle_in          the modes in which nothing asks it: there is nothing to take over
    required         there is one on every box; the others may be missing
    settings_serve   without a bundle the configuration's values serve, so that a first bundle has something to go back to
    fetched          the folder of one that may be no bundle of ours, but as its makers publish it
    probation_in     the modes in which a new one serves on probation first
    limits           how far the answers of one on probation may lie from those of the one before it
    shadow           the model in a folder (None: the default), to answer beside the new one; raises ModelError
    window_ms        processor time of the one that serves, milliseconds a window of sound, where the kind measures its own
    timed            whether each question's processor time is what counts, where it does not
    quotes_words     its exceptions may say what was said in a call
    """

    kind: ModelKind
    part: ModelPart
    prove: Callable[[Bundle, Trust], object]
    load: Callable[[Config], Loaded]
    site_settings: bool = False
    swaps: bool = True
    idle_in: frozenset[Mode] = frozenset()
    required: bool = False
    settings_serve: bool = False
    fetched: Callable[[Config], Path | None] | None = None
    probation_in: frozenset[Mode] = frozenset()
    limits: Limits | None = None
    shadow: Callable[[Path, Config], Shadow] | None = None
    window_ms: "Callable[[Engines], float | None] | None" = None
    timed: bool = False
    quotes_words: bool = True

    @property
    def serves_from(self) -> str:
        """From when on a new one serves, in words."""
        return "each line's next call on" if self.swaps else "the next start on"

    def renew(self, engines: "Engines", config: Config) -> "Engines":
        """`engines` with the one that serves now, the rest as it was. Raises ModelError."""
        if not self.swaps or Mode(config.mode) in self.idle_in:
            return engines
        loaded = self.load(config)
        return replace(engines, **loaded.parts, infos={**engines.infos, self.part: loaded.info})


# --- voice -----------------------------------------------------------------------------------------------------------


def _prove_voice(bundle: Bundle, trust: Trust) -> object:
    from edge.voice.emotion import EmotionModel

    return EmotionModel.load(bundle.folder, trust=trust)


def _load_voice(config: Config) -> Loaded:
    from edge.voice.emotion import EmotionModel

    if Mode(config.mode) is Mode.WORDS:
        return Loaded(parts={"emotion": None})
    bundle = load(require_bundle(ModelKind.VOICE, config), kind=ModelKind.VOICE, trust=trust_of(config))
    return Loaded(parts={"emotion": EmotionModel(bundle)}, model=bundle)


def _shadow_voice(folder: Path, config: Config) -> Shadow:
    from edge.voice.emotion import EmotionModel

    net = EmotionModel.load(folder, trust=trust_of(config))
    return Shadow(judge=net.read, window_ms=lambda: net.window_ms)


# --- words -----------------------------------------------------------------------------------------------------------


def _prove_words(bundle: Bundle, trust: Trust) -> object:
    from edge.words.branch import WordsJudge

    return WordsJudge.load(bundle.folder, trust=trust)


def _load_words(config: Config) -> Loaded:
    from edge.words.branch import WordsJudge
    from edge.words.surprise import service_calls

    # Read once, and not while the first caller speaks.
    service_calls()
    folder = find_bundle(ModelKind.WORDS, config)
    parts = {"judge": WordsJudge.configured(config, folder)}
    if folder is None or Mode(config.mode) is Mode.VOICE:
        return Loaded(parts=parts)
    return Loaded(parts=parts, model=load(folder, kind=ModelKind.WORDS, trust=trust_of(config)))


def _shadow_words(folder: Path, config: Config) -> Shadow:
    from edge.words.branch import WordsJudge

    judge = WordsJudge.configured(config, folder)
    return Shadow(judge=lambda question: judge.judge(*question))


# --- fusion ----------------------------------------------------------------------------------------------------------


def fitted_of(bundle: Bundle) -> Fitted:
    """What was fitted. Raises ModelError."""
    try:
        return msgspec.convert(bundle.manifest.calibration, Fitted)
    except msgspec.ValidationError as error:
        made_by = "make it with `undertone-convert calibrate`"
        raise ModelError(str(error), path=bundle.folder / MANIFEST, where=Key("calibration"), remedy=made_by) from error


def _weights(folder: Path | None, config: Config) -> Loaded:
    """What the bundle in `folder` was fitted to; without one, as the site set them."""
    if folder is None:
        set_ = {Branch.VOICE: config.fusion.voice_weight, Branch.WORDS: config.fusion.words_weight}
        return Loaded(parts={"weights": set_, "strictness": 0.0})
    bundle = load(folder, kind=ModelKind.FUSION, trust=trust_of(config))
    fitted = fitted_of(bundle)
    return Loaded(parts={"weights": fitted.weights, "strictness": fitted.strictness}, model=bundle)


def _shadow_fusion(folder: Path, config: Config) -> Shadow:
    from edge.verdict.fuse import fuse

    weights, mode = _weights(folder if folder.is_dir() else None, config).parts["weights"], Mode(config.mode)
    return Shadow(judge=lambda question: fuse(mode=mode, voice=question[0], words=question[1], weights=weights))


# --- vosk ------------------------------------------------------------------------------------------------------------


def _load_vosk(config: Config) -> Loaded:
    from edge.call.engines import LineRecogniser

    found, own = load_recogniser(config), load_line_recognisers(config)
    what = "no speech recogniser on this box: working with the voice alone"
    alone = Problem(what=what, remedy="run `undertone fetch-model`")
    missing = {"words": alone} if found is None and Mode(config.mode) is not Mode.VOICE else {}
    shared = {} if found is None else {"recogniser": found.engine, "language": found.language}
    lines = {
        line: LineRecogniser(engine=one.engine, language=one.language, info=info)
        for line, one in own.items()
        if (info := _info(one.model)) is not None
    }
    return Loaded(
        parts={"recogniser": None, "line_recognisers": lines} | shared, model=None if found is None else found.model, missing=missing
    )


# Siddiqi calls a population changed from 0.25 on. Voices that were trained anew differ on at most 12 % of the utterances in their side
# (35 % on Polish alone) and on 25 % in their emotion, one that learnt from shuffled labels on 50 % and 89 % (docs/models.md). Words
# have three labels, not seven. Voices that were trained anew shift by 0.2 nats at most (0.4 on one of four corpora alone), words by
# 0.1; weights that are fitted to a site may mean to shift: up to 0.6 in simulated ones.
ROWS: Mapping[ModelKind, ModelRow] = {
    row.kind: row
    for row in (
        ModelRow(
            kind=ModelKind.VOICE, part=ModelPart.VOICE, prove=_prove_voice, load=_load_voice, required=True, shadow=_shadow_voice,
            probation_in=frozenset({Mode.VOICE, Mode.BOTH}), limits=Limits(shift=0.5, psi=1.0, other_side=0.25, other_label=0.5),
            window_ms=lambda engines: engines.emotion.window_ms if engines.emotion else None, quotes_words=False,
        ),
        ModelRow(
            kind=ModelKind.WORDS, part=ModelPart.WORDS, prove=_prove_words, load=_load_words, shadow=_shadow_words,
            probation_in=frozenset({Mode.WORDS, Mode.BOTH}), limits=Limits(shift=0.5, psi=0.25, other_side=0.25, other_label=0.4),
            timed=True, idle_in=frozenset({Mode.VOICE}), site_settings=True,
        ),
        ModelRow(
            kind=ModelKind.VOSK, part=ModelPart.RECOGNISER, prove=lambda bundle, _: prove_recogniser(bundle.folder),
            load=_load_vosk, swaps=False, fetched=find_vosk,
        ),
        ModelRow(
            kind=ModelKind.FUSION, part=ModelPart.FUSION, prove=lambda bundle, _: fitted_of(bundle),
            load=lambda config: _weights(find_bundle(ModelKind.FUSION, config), config),
            site_settings=True, settings_serve=True, shadow=_shadow_fusion,
            probation_in=frozenset({Mode.BOTH}), limits=Limits(shift=1.0, psi=0.25, other_side=0.25, other_label=0.4),
        ),
    )
}  # fmt: skip
