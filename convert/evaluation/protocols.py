"""Who trains and who tests: the ways in which a speech-emotion net can be judged, from the flattering one to the honest ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from convert.evaluation.score import Figures
from convert.sound.corpora import Clip
from convert.sound.splits import by_speaker
from edge.errors import UsageError, counted


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one net in one condition under one protocol."""

    protocol: str
    fold: str
    trained_on: str
    tested_on: str
    condition: str
    net: str
    figures: Figures


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole evaluation.

    `given` names the corpora, "csv" for a site's own clips; `says` explains each protocol in a sentence; `recipe` is how nets were
    trained for it.
    """

    made: str
    undertone: str
    model: str
    model_sha256: str
    licence: str
    given: tuple[str, ...]
    recipe: str
    says: dict[str, str]
    results: tuple[Result, ...]


SAYS = {
    "as-is": "The given bundle itself on every clip given. Honest only for clips whose speakers it never heard.",
    "held-out": "The recipe of the shipped model without a third of the speakers; half of those calibrate, half test (of two: words).",
    "random": "TESS cut at random, as most published figures are made: both actresses are in training and test. This is the leak.",
    "tess-actress": "Trained on one TESS actress, tested on the other.",
    "ravdess-kfold": "RAVDESS actors in turn: each is judged by a net that never heard them.",
    "corpus": "Each corpus in turn is judged by a net that heard all the others and nothing of this one.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One training and its test. `train` and `calibrate` are empty where the given bundle is what is tested."""

    protocol: str
    name: str
    train: tuple[Clip, ...]
    calibrate: tuple[Clip, ...]
    test: tuple[Clip, ...]

    @property
    def trained_on(self) -> str:
        """Corpora and speakers that trained, for a person."""
        return describe(self.train) if self.train else "as its manifest says"


def folds(protocol: str, clips: Sequence[Clip], *, seed: int, parts: int) -> Iterator[Fold]:
    """The folds of `protocol` over `clips`. Raises UsageError where they lack what it needs."""
    makers = {
        "as-is": _as_is,
        "held-out": _held_out,
        "random": _random,
        "tess-actress": _actress,
        "ravdess-kfold": _kfold,
        "corpus": _corpus,
    }
    yield from makers[protocol](clips, seed, parts)


def describe(clips: Sequence[Clip]) -> str:
    """`tess (2 speakers, 2240 clips), ...`."""
    parts = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        members = [clip for clip in clips if clip.corpus == corpus]
        speakers = len({clip.speaker for clip in members})
        parts.append(f"{corpus} ({counted(speakers, 'speaker')}, {len(members)} clips)")
    return ", ".join(parts)


def _as_is(clips: Sequence[Clip], seed: int, parts: int) -> Iterator[Fold]:
    """Every clip, by corpus; nobody trains."""
    del seed, parts
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        yield Fold(protocol="as-is", name=corpus, train=(), calibrate=(), test=tuple(_of(clips, corpus)))


def _held_out(clips: Sequence[Clip], seed: int, parts: int) -> Iterator[Fold]:
    """As `undertone-convert train` divides them; one training, tested corpus by corpus."""
    del parts
    split = by_speaker(clips, seed)
    train, calibrate = tuple(clips[i] for i in split.train), tuple(clips[i] for i in split.calibrate or split.words)
    chosen = [clips[i] for i in (*split.test, *split.words)]
    for corpus in dict.fromkeys(clip.corpus for clip in chosen):
        test = tuple(clip for clip in chosen if clip.corpus == corpus)
        yield Fold(protocol="held-out", name=corpus, train=train, calibrate=calibrate, test=test)


def _random(clips: Sequence[Clip], seed: int, parts: int) -> Iterator[Fold]:
    """80 % trains, 10 % calibrates, 10 % tests, whoever speaks."""
    del parts
    tess = _of(clips, "tess")
    order = np.random.default_rng(seed).permutation(len(tess))
    train, calibrate, test = (tuple(tess[i] for i in part) for part in np.split(order, [len(tess) * 8 // 10, len(tess) * 9 // 10]))
    yield Fold(protocol="random", name="tess", train=train, calibrate=calibrate, test=test)


def _actress(clips: Sequence[Clip], seed: int, parts: int) -> Iterator[Fold]:
    """A fifth of the training actress's words calibrates; nobody else is there."""
    del parts
    tess = _of(clips, "tess")
    for speaker in sorted({clip.speaker for clip in tess}):
        own = [clip for clip in tess if clip.speaker == speaker]
        words = sorted({clip.item for clip in own})
        spared = {words[i] for i in np.random.default_rng(seed).permutation(len(words))[: len(words) // 5]}
        yield Fold(
            protocol="tess-actress",
            name=f"from {speaker.split(':')[-1]}",
            train=tuple(clip for clip in own if clip.item not in spared),
            calibrate=tuple(clip for clip in own if clip.item in spared),
            test=tuple(clip for clip in tess if clip.speaker != speaker),
        )


def _kfold(clips: Sequence[Clip], seed: int, parts: int) -> Iterator[Fold]:
    """Actors dealt into `parts` groups; the next group calibrates; the other groups and all other corpora train."""
    del seed
    ravdess = _of(clips, "ravdess")
    speakers = sorted({clip.speaker for clip in ravdess})
    if parts > len(speakers) // 2:
        raise UsageError(
            f"RAVDESS has {len(speakers)} actors here, dealt in pairs",
            where=f"--folds {parts}",
            remedy=f"give at most {len(speakers) // 2}",
        )
    # Odd numbers are men and even ones women: dealing pairs keeps the sexes even.
    group = {speaker: place // 2 % max(3, parts) for place, speaker in enumerate(speakers)}
    for number in range(max(3, parts)):
        after = (number + 1) % max(3, parts)
        yield Fold(
            protocol="ravdess-kfold",
            name=f"group {number + 1}",
            train=tuple(c for c in clips if c.corpus != "ravdess" or group[c.speaker] not in (number, after)),
            calibrate=tuple(c for c in ravdess if group[c.speaker] == after),
            test=tuple(c for c in ravdess if group[c.speaker] == number),
        )


def _corpus(clips: Sequence[Clip], seed: int, parts: int) -> Iterator[Fold]:
    """Each corpus left out; of the others, the held-out speakers calibrate."""
    del parts
    corpora = list(dict.fromkeys(clip.corpus for clip in clips))
    if len(corpora) < 2:  # noqa: PLR2004 (one to train on, one to test on)
        raise UsageError("protocol 'corpus' needs two corpora at least", remedy="give one more of --tess, --ravdess, --nemo, --ased")
    for corpus in corpora:
        others = [clip for clip in clips if clip.corpus != corpus]
        split = by_speaker(others, seed)
        yield Fold(
            protocol="corpus",
            name=f"never heard {corpus}",
            train=tuple(others[i] for i in split.train),
            calibrate=tuple(others[i] for i in (*split.calibrate, *split.test, *split.words)),
            test=tuple(clip for clip in clips if clip.corpus == corpus),
        )


def _of(clips: Sequence[Clip], corpus: str) -> list[Clip]:
    found = [clip for clip in clips if clip.corpus == corpus]
    if not found:
        raise UsageError(f"this protocol needs --{corpus} DIR", remedy="give it, or choose another --protocol")
    return found
