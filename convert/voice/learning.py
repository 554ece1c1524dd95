"""How a voice net is trained: the recipe, epoch by epoch, nets side by side. What was broken off goes on where it was."""

import hashlib
import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from convert.sound.corpora import Clip
from convert.sound.dataset import Cached, Prepared, load
from convert.voice.members import MEMBERS
from convert.workers import begin_worker
from edge.errors import ModelError
from edge.files.durable import replace_whole
from edge.signal.spec import SPEC

if TYPE_CHECKING:
    from convert.voice.network import Trainer
    from edge.signal.features import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long, how fast, in how many random calls each clip is heard. An epoch is `size` windows drawn anew, whatever the corpora hold.

    `start`: the TFLite file of a net of these members that is taught further; None: a new one.
    """

    epochs: int
    size: int
    batch: int = 64
    rate: float = 2e-3
    copies: int = 4
    start: Path | None = None


# What two cores do in 73 minutes, features and judging included (52 s an epoch of both nets, measured); 90 were asked.
DEFAULT = Recipe(epochs=64, size=8192)
QUICK = Recipe(epochs=3, size=2048, copies=0)
# What a net knows already it need not learn again: an eighth of the windows, at a quarter of the rate.
FURTHER = Recipe(epochs=16, size=4096, rate=5e-4, copies=1)


# Windows by which a net's ranges are found for int8; a training of fewer needs no more.
_QUANTISED_BY = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One net to train: on the clips at `places`, with its checkpoint at `keep`."""

    title: str
    places: tuple[int, ...]
    keep: Path


def side_by_side(parts: Sequence[Cached], trainings: Sequence[Training], recipe: Recipe, seed: int) -> None:
    """Train several nets at once, on places of the clips of `parts`, so that `learn` finds them done; a single one is left to it.

    A net this small hardly gains by a second core; two nets with one core each take 0.7 of the time of one after the other (measured).
    Raises ModelError where a process died.
    """
    if len(trainings) < 2:  # noqa: PLR2004
        return
    clips = [clip for part in parts for clip in part.clips]
    due = [one for one in trainings if _done(one, recipe, seed, [clips[i] for i in one.places]) < recipe.epochs]
    if not due:
        return
    # Spawned, for TensorFlow does not survive a fork, and one net each, for it sets its threads once.
    context = multiprocessing.get_context("spawn")
    workers = min(len(os.sched_getaffinity(0)), len(due))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(context.RLock(),), max_tasks_per_child=1) as pool:
        work = [pool.submit(_apart, parts, training, recipe, seed, row) for row, training in enumerate(due)]
        try:
            for done in wait(work, return_when=FIRST_EXCEPTION).done:
                done.result()
        except BaseException as error:
            # Nobody waits for an hour's work that nobody will use.
            for process in list(pool._processes.values()):  # noqa: SLF001 (no public way before Python 3.14)
                process.terminate()
            if isinstance(error, BrokenProcessPool):
                raise ModelError(
                    "a training was ended from outside, for want of memory perhaps", remedy="give the same command again"
                ) from error
            raise


def learn(
    prepared: Prepared, training: Training, recipe: Recipe, seed: int, *, threads: int = 2, row: int = 0
) -> "tuple[Trainer, Features]":
    """The trained net and windows to quantise it by. Progress goes to stderr: a bar in line `row`, or a line an epoch in a log."""
    from convert.voice.augment import Sampler
    from convert.voice.network import Trainer

    chosen = prepared.only(training.places)
    sampler = Sampler(chosen)
    steps = recipe.size // recipe.batch
    trainer = Trainer(steps=recipe.epochs * steps, rate=recipe.rate, seed=seed, threads=threads, start=recipe.start)
    done = _done(training, recipe, seed, chosen.clips)
    if done:
        trainer.resume(_checkpoint(training, done))
    if done < recipe.epochs:
        with tqdm(
            total=recipe.epochs * steps, initial=done * steps, desc=training.title, unit="step", position=row, disable=None, mininterval=1
        ) as bar:
            for epoch in range(done, recipe.epochs):
                batch = sampler.epoch(recipe.size, np.random.default_rng([seed, epoch]))
                loss = trainer.epoch(batch.features, batch.targets, batch=recipe.batch, after_step=bar.update)
                trainer.save(_checkpoint(training, epoch + 1))
                note = {"identity": _identity(recipe, seed, chosen.clips), "done": epoch + 1}
                replace_whole(training.keep.with_suffix(".json"), json.dumps(note).encode())
                bar.set_postfix_str(f"epoch {epoch + 1}/{recipe.epochs}, loss {loss:.3f}")
                if bar.disable:
                    print(f"{training.title}: {epoch + 1}/{recipe.epochs}, loss {loss:.3f}", file=sys.stderr, flush=True)
    return trainer, sampler.representative(min(_QUANTISED_BY, recipe.size), np.random.default_rng([seed, 9999]))


def _done(training: Training, recipe: Recipe, seed: int, clips: Sequence[Clip]) -> int:
    """How many epochs of this very training are done."""
    note = training.keep.with_suffix(".json")
    noted = json.loads(note.read_text()) if note.exists() else {}
    return int(noted["done"]) if noted.get("identity") == _identity(recipe, seed, clips) else 0


def _identity(recipe: Recipe, seed: int, clips: Sequence[Clip]) -> str:
    """Another one where anything that a net learns by is another: recipe, net, features, or one label."""
    learnt = [(str(clip.path), clip.label, clip.speaker) for clip in clips]
    start = hashlib.sha256(recipe.start.read_bytes()).hexdigest() if recipe.start else ""
    return hashlib.sha256(f"{recipe} {start} {MEMBERS} {SPEC} {seed} {learnt}".encode()).hexdigest()


def _checkpoint(training: Training, done: int) -> Path:
    """Two in turn: whatever ends a process while it writes one, the note names the other."""
    return training.keep.with_name(f"{training.keep.name}-{done % 2}")


def _apart(parts: Sequence[Cached], training: Training, recipe: Recipe, seed: int, row: int) -> None:
    """`learn` in a process of its own, on one core."""
    learn(load(parts), training, recipe, seed, threads=1, row=row)


def _begin(drawing: object) -> None:
    """A worker draws its bar when no other draws."""
    tqdm.set_lock(drawing)
    begin_worker()
