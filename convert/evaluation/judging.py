"""One fold after the other: trained as the shipped model is, loaded as a box loads it, and judged through its path."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from convert.evaluation.protocols import Fold, Result, describe
from convert.evaluation.score import FloatNet, figures, score, with_float
from convert.sound.corpora import Clip
from convert.sound.dataset import Cached, Prepared
from convert.sound.splits import Split
from convert.voice import prosody
from convert.voice.bundle import Made, write
from convert.voice.learning import DEFAULT, QUICK, Recipe, Training, learn, side_by_side
from convert.voice.train import calibrated_on
from edge.bundle.manifest import Bundle
from edge.bundle.signature import Trust
from edge.voice.calibration import Calibration
from edge.voice.emotion import EmotionModel

# Where int8 and float are compared; noise says nothing more about quantising.
_FLOAT_IN = ("wideband", "phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What a person asked for: the seed of folds and nets, a quick training, how many clips to test on (None: all), ..."""

    seed: int
    quick: bool
    clips: int | None
    conditions: tuple[str, ...]
    cache: Path

    @property
    def recipe(self) -> Recipe:
        """How nets are trained for it."""
        return QUICK if self.quick else DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A net as a box loads it; as it was before quantising too, where it was trained here."""

    model: EmotionModel
    calibration: Calibration
    float_net: FloatNet | None


def as_it_is(bundle: Bundle) -> Judged:
    """The net of a finished bundle. Raises ModelError where a box would refuse it."""
    model = EmotionModel(bundle)
    return Judged(model=model, calibration=msgspec.convert(bundle.manifest.calibration, Calibration), float_net=None)


def train_ahead(chosen: Sequence[Fold], parts: Sequence[Cached], prepared: Prepared, how: How) -> None:
    """The nets of several folds side by side, so that `train` finds them done; `prepared` is what `parts` hold."""
    trainings = {training.keep: training for training in (_training(fold, prepared, how) for fold in chosen)}
    side_by_side(parts, list(trainings.values()), how.recipe, how.seed)


def train(fold: Fold, prepared: Prepared, how: How) -> Judged:
    """The fold's net by the shipped recipe, as a bundle that the box's own code loads; goes on where it was broken off."""
    from convert.voice.network import logits_of, to_int8

    training = _training(fold, prepared, how)
    trainer, sample = learn(prepared, training, how.recipe, how.seed)
    net = to_int8(trainer.net, sample)
    split = Split(train=(), calibrate=_places(fold.calibrate, prepared), test=(), words=())
    with tempfile.TemporaryDirectory(prefix="undertone-fold-") as folder:
        weights = prosody.fit(prepared.only(training.places))
        calibration = calibrated_on(net, weights, prepared, split, training.keep.with_suffix(".tflite"))
        made = Made(
            name="fold", version="0.0.0", calibration=calibration, prosody=weights, metrics={}, licence="for evaluation only", provenance={}
        )
        write(Path(folder), net, made, None)
        model = EmotionModel.load(Path(folder), trust=Trust(allow_unsigned=True))
    return Judged(model=model, calibration=calibration, float_net=lambda features: logits_of(trainer.net, features))


def _training(fold: Fold, prepared: Prepared, how: How) -> Training:
    # The fold that `undertone-convert train` made for its own figures is not trained twice.
    pace = "quick" if how.quick else "full"
    name = "fold" if fold.protocol == "held-out" and not how.quick else f"{fold.protocol}-{fold.name}-{pace}".replace(" ", "-")
    return Training(title=f"{fold.protocol} {fold.name}", places=_places(fold.train, prepared), keep=how.cache / name)


def _places(chosen: Sequence[Clip], prepared: Prepared) -> tuple[int, ...]:
    place = {clip: index for index, clip in enumerate(prepared.clips)}
    return tuple(place[clip] for clip in chosen)


def judge(fold: Fold, judged: Judged, how: How) -> Iterator[Result]:
    """int8 in every condition, float in some."""
    test = drawn(fold.test, how.clips, how.seed)
    for condition in how.conditions:
        compare = judged.float_net if condition in _FLOAT_IN else None
        scored = score(judged.model, test, condition, title=f"{fold.protocol} {fold.name}: {condition}", float_net=compare)
        kinds = {"int8": scored} | ({"float": with_float(scored, judged.calibration)} if compare else {})
        for net, one in kinds.items():
            yield Result(
                protocol=fold.protocol, fold=fold.name, trained_on=fold.trained_on, tested_on=describe(test), condition=condition,
                net=net, figures=figures(one, judged.calibration.temperature),
            )  # fmt: skip


def drawn(clips: Sequence[Clip], wanted: int | None, seed: int) -> Sequence[Clip]:
    """`wanted` clips (None: all), class by class in turn, so that rare classes stay."""
    if wanted is None or wanted >= len(clips):
        return clips
    order = [clips[i] for i in np.random.default_rng(seed).permutation(len(clips))]
    turn: dict[str, int] = {}
    ranks = []
    for clip in order:
        turn[clip.label] = turn.get(clip.label, 0) + 1
        ranks.append(turn[clip.label])
    chosen = sorted(range(len(order)), key=lambda i: ranks[i])[:wanted]
    return [order[i] for i in chosen]
