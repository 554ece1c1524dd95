"""A whole model trained, n-grams and net, and what it makes of texts: the net as the box runs it."""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.words.corpus import CAUSES, LABELS
from convert.words.fit import Floats
from convert.words.net_tables import Net, quantise_net, unquantised
from convert.words.network import begin, exported, tune
from convert.words.noise import WordErrors
from convert.words.sets import Lesson
from convert.words.table import Features
from convert.words.train import Material, Reader, train
from edge.tflite.interpreter import SequenceNet
from edge.words.model import POLARITIES
from edge.words.net import HEADS, WIDTH, SentenceNet, vocabulary

# What the net says of one text, its heads one after the other.
NET_WIDTH = sum(HEADS.values())
_HEARD = 0.5
# A sentence is learnt as a recogniser may mishear it this often; our own few are heard so many times an epoch.
_MISHEARD, _OURS_TIMES = 0.35, 2
# A net that is tuned again on more sentences of ours goes slower, and hears this share of the others, not to forget them.
_PACE_AGAIN, _REHEARSED = 1 / 3, 0.2
_POSITIVE = LABELS.index("positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetRecipe:
    """`published`: the folder of the net that training begins from; `kept`: where trained nets lie and are taken up from again.

    `again`: so many more epochs for one that lies there, at a third of the pace, on what there is to learn today.
    """

    published: Path
    kept: Path | None
    epochs: int
    again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """`table` of n-grams (convert.words.train); the quantised net, if any, and its `layers` as the box has them, a TFLite file."""

    table: Floats
    net: Net | None = None
    layers: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Raw scores of texts: `linear` (texts, 2 + causes) of n-grams, `net` (texts, NET_WIDTH), 0 without a net."""

    linear: Floats
    net: Floats

    def __len__(self) -> int:
        return len(self.linear)

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Scores":
        return Scores(linear=self.linear[rows], net=self.net[rows])

    @property
    def negative(self) -> Floats:
        """Log-odds of negative against neutral, (texts, 2): the n-grams', the net's."""
        return np.stack([self.linear[:, 0], self.net[:, 0] - self.net[:, 1]], axis=1)

    @property
    def positive(self) -> Floats:
        """Those of positive."""
        return np.stack([self.linear[:, 1], self.net[:, 2] - self.net[:, 1]], axis=1)

    @property
    def causes(self) -> Floats:
        """Scores of CAUSES, (texts, 2, causes)."""
        return np.stack([self.linear[:, POLARITIES:], self.net[:, 3 : 3 + len(CAUSES)]], axis=1)


def stacked(parts: Sequence[Scores]) -> Scores:
    """`parts` one after the other."""
    return Scores(linear=np.concatenate([part.linear for part in parts]), net=np.concatenate([part.net for part in parts]))


def learn(
    given: Material, chosen: NDArray[np.int64], reader: Reader, recipe: NetRecipe | None, *,
    seed: int, name: str, say: Callable[[str], None],
) -> Trained:  # fmt: skip
    """A model that learnt from the rows `chosen` and everything beside them; `name` is what its net is kept as."""
    table = train(given, chosen, reader, seed=seed)
    if recipe is None:
        return Trained(table=table)
    net = _net(given, chosen, reader, recipe, seed=seed, name=name, say=say)
    return Trained(table=table, net=net, layers=exported(net))


def scores(trained: Trained, features: Features, sentences: Sequence[Sequence[str]]) -> Scores:
    """What `trained` says of tokenized `sentences`, whose features are given, row by row."""
    linear = np.asarray(features.sparse @ trained.table)
    found = np.zeros((len(sentences), NET_WIDTH))
    if trained.net is not None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "net.tflite")
            file.write_bytes(trained.layers)
            net = SentenceNet(trained.net, SequenceNet(file, width=WIDTH, outputs=WIDTH))
        for row, tokens in enumerate(sentences):
            read = net.read(tokens)
            found[row] = np.concatenate([read.polarity, read.cause, read.matter])
    return Scores(linear=linear, net=found)


def _net(
    given: Material, chosen: NDArray[np.int64], reader: Reader, recipe: NetRecipe, *, seed: int, name: str, say: Callable[[str], None]
) -> Net:
    kept = None if recipe.kept is None else recipe.kept / f"{name}.npz"
    before: Net | None = None
    if kept is not None and kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            before = {table: file[table] for table in file.files}
        if not recipe.again:
            return before
    errors = WordErrors([(given.rows[int(at)].text.split(), given.spoken[int(at)]) for at in chosen if int(at) in given.spoken])
    corpus = _corpus(given, chosen, reader)
    if before is None:
        weights, pieces = begin(recipe.published, [one.tokens for one in (*corpus, *given.lessons)], len(CAUSES), seed)
    else:
        weights, pieces = unquantised(before), vocabulary(before)

    def heard(epoch: int) -> list[Lesson]:
        """Everything once (again: a part of what it knows already), our own more often, some of it as it may be misheard."""
        chance = random.Random(seed * 100 + epoch + (0 if before is None else 50))  # noqa: S311 (not a secret)
        ours = [lesson for lesson in given.lessons if lesson.weight > 1]
        others = [*corpus, *(lesson for lesson in given.lessons if lesson.weight <= 1)]
        if before is not None:
            others = chance.sample(others, round(_REHEARSED * len(others)))
        round_ = [*others, *(ours * _OURS_TIMES)]
        return [_misheard(lesson, errors, chance) if chance.random() < _MISHEARD else lesson for lesson in round_]

    epochs, pace = (recipe.epochs, 1.0) if before is None else (recipe.again, _PACE_AGAIN)
    net = quantise_net(tune(weights, pieces, heard, epochs=epochs, pace=pace, seed=seed, say=say), pieces)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, **net)  # type: ignore[arg-type] # numpy's stub takes the names for its own flags
    return net


def _corpus(given: Material, chosen: NDArray[np.int64], reader: Reader) -> list[Lesson]:
    """Rows as lessons, and what they were heard as, which counts half."""
    learnt = []
    for at in chosen.tolist():
        label, cause = int(given.labels[at]), int(given.causes[at])
        matter = 1 if cause >= 0 else 0 if label == _POSITIVE else -1
        texts = [(given.rows[at].text, 1.0), *([(" ".join(given.spoken[at]), _HEARD)] if at in given.spoken else [])]
        for text, weight in texts:
            if tokens := reader.own(text):
                learnt.append(Lesson(tokens=tokens, label=label, cause=cause, matter=matter, weight=weight))
    return learnt


def _misheard(lesson: Lesson, errors: WordErrors, chance: random.Random) -> Lesson:
    tokens = errors.corrupt(lesson.tokens, chance) or lesson.tokens
    return Lesson(tokens=tokens, label=lesson.label, cause=lesson.cause, matter=lesson.matter, weight=lesson.weight)
