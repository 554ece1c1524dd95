"""How a voice net is trained: the recipe, epoch by epoch, nets side by side. What was broken off goes on where it was."""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from convert.dataset import Prepared
from edge.signal.spec import SPEC

if TYPE_CHECKING:
    from convert.network import Trainer
    from edge.signal.features import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long, how fast, in how many random calls each clip is heard. An epoch is `size` windows drawn anew, whatever the corpora hold."""

    epochs: int
    size: int
    batch: int = 64
    rate: float = 2e-3
    copies: int = 4


# What two cores do in 70 minutes, features and judging included (52 s an epoch of both nets, measured); 90 were asked.
DEFAULT = Recipe(epochs=64, size=8192)
QUICK = Recipe(epochs=3, size=2048, copies=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One net to train: on the clips at `places`, with its checkpoint at `keep`."""

    title: str
    places: tuple[int, ...]
    keep: Path


def side_by_side(prepared: Prepared, trainings: Sequence[Training], recipe: Recipe, seed: int) -> None:
    """Train several nets at once, so that `learn` finds them done; a single one is left to it.

    A net this small hardly gains by a second core; two nets with one core each take 0.7 of the time of one after the other (measured).
    """
    if len(trainings) < 2:  # noqa: PLR2004
        return
    cores = os.cpu_count() or 1
    workers = min(cores, len(trainings))
    work = partial(_apart, load=prepared.whole, recipe=recipe, seed=seed, threads=cores // workers)
    # Spawned, for TensorFlow does not survive a fork, and one net each, for it sets its threads once.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _end_on_interrupt, max_tasks_per_child=1) as pool:
        for _ in pool.map(work, trainings, range(len(trainings))):
            pass


def learn(
    prepared: Prepared, training: Training, recipe: Recipe, seed: int, *, threads: int = 2, row: int = 0
) -> "tuple[Trainer, Features]":
    """The trained net and windows to quantise it by. Progress goes to stderr: a bar in line `row`, or a line an epoch in a log."""
    from convert.augment import Sampler
    from convert.network import MEMBERS, Trainer

    chosen = prepared.only(training.places)
    sampler = Sampler(chosen)
    steps = recipe.size // recipe.batch
    trainer = Trainer(steps=recipe.epochs * steps, rate=recipe.rate, seed=seed, threads=threads)
    identity = f"{recipe} {MEMBERS} {SPEC} {seed} {len(chosen.clips)} {sorted({c.speaker for c in chosen.clips})}"
    done = 0
    note = training.keep.with_suffix(".json")
    if note.exists() and (noted := json.loads(note.read_text()))["identity"] == identity:
        done = int(noted["done"])
        trainer.resume(training.keep)
    if done < recipe.epochs:
        with tqdm(
            total=recipe.epochs * steps, initial=done * steps, desc=training.title, unit="step", position=row, disable=None, mininterval=1
        ) as bar:
            for epoch in range(done, recipe.epochs):
                batch = sampler.epoch(recipe.size, np.random.default_rng([seed, epoch]))
                loss = trainer.epoch(batch.features, batch.targets, batch=recipe.batch, after_step=bar.update)
                trainer.save(training.keep)
                note.write_text(json.dumps({"identity": identity, "done": epoch + 1}))
                bar.set_postfix_str(f"epoch {epoch + 1}/{recipe.epochs}, loss {loss:.3f}")
                if bar.disable:
                    print(f"{training.title}: {epoch + 1}/{recipe.epochs}, loss {loss:.3f}", file=sys.stderr, flush=True)
    return trainer, sampler.representative(400, np.random.default_rng([seed, 9999]))


def _apart(training: Training, row: int, *, load: Callable[[], Prepared], recipe: Recipe, seed: int, threads: int) -> None:
    """`learn` in a process of its own."""
    learn(load(), training, recipe, seed, threads=threads, row=row)


def _end_on_interrupt() -> None:
    """Ctrl-C ends a worker at once and without a page of traceback; what it had done an epoch ago is kept."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
