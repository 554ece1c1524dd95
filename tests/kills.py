"""`python -m tests.kills 200`: a box whose models change all the time is killed at random instants; what it has left must be whole.

Each box is forked from this process, which has imported everything, takes one bundle after the other over its command queue, has
calls meanwhile, keeps the good models and rolls back the bad ones. The kills go round the stages of a change, and within a stage
SIGKILL comes at an instant drawn from as long as that stage took last. Afterwards exactly one whole, signed model serves, a verdict
that was written is carried out by the next start, and that box has its calls judged by one model each.
"""

import argparse
import itertools
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import edge.models.install
import edge.models.manager
from edge.bundle.manifest import load
from edge.bundle.store import find_bundle, open_store
from edge.config import Config
from edge.models import probation
from edge.models.comparison import ENOUGH
from edge.models.install import install
from edge.wire.events import Event
from tests.boxes import SimulatedBox, chunks, config, unproven
from tests.nets import keys, tar, too_sure, voice

# Enough for a verdict after one call.
_UTTERANCES = ENOUGH
# A box is killed in its first or its second change.
_CHANGES = 2
# transfer: chunks come; unpacking: up to the last proof; swap: from the rename to the new engines and the word to the bus;
# probation: calls; verdict: from the decision to the end of its record.
STAGES = ("transfer", "unpacking", "swap", "probation", "verdict")
# What a thread may oversleep; so long before the instant it is waited for awake.
_OVERSLEPT_S = 0.005


@dataclass(slots=True)
class Found:
    """What the kills found. `aimed`, `hit`: stages that were drawn, and that the box was in; `left`: what its disk shows of it.

    `calls`: how many calls each model judged.
    """

    kills: int = 0
    aimed: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    carried_out: int = 0


def run(kills: int, folder: Path, seed: int = 11) -> Found:
    """Kill so many boxes, all with one state directory in `folder`. Raises AssertionError at the first that is not whole."""
    private, public, _ = keys(folder)
    settings = config(folder, public, calls=1)
    install(voice(folder / "first", "9.0.0", private), unproven(settings))
    chance, versions, found = random.Random(seed), itertools.count(1), Found()
    took: dict[str, float] = {}
    must_serve: str | None = None
    for stage in itertools.islice(itertools.cycle(STAGES), kills):
        numbers = [next(versions) for _ in range(_CHANGES + 1)]
        files = {f"9.{n}.0": _bundle(folder, n, private) for n in numbers}
        box = _Box(settings, files)
        ready = box.next()
        assert ready[0] == "ready", f"the box did not start: {ready}"
        assert must_serve in (None, ready[1]), f"the verdict for {must_serve} was not carried out: {ready[1]} serves"
        found.carried_out += must_serve is not None
        calls = box.killed_in(stage, chance.randrange(_CHANGES), took, chance)
        found.kills += 1
        found.aimed[stage] += 1
        found.hit[box.stage] += 1
        found.calls.update(calls)
        found.left.update(_left(settings))
        _look(settings, {"voice-9.0.0", *(f"voice-9.{n}.0" for n in range(1, numbers[-1] + 1))}, calls)
        must_serve = _decided(settings)
        for file in files.values():
            file.unlink()
    return found


def _bundle(folder: Path, number: int, private: Path) -> Path:
    """The n-th version; every third is calibrated wrong."""
    made = folder / f"v{number}"
    packed = tar(voice(made, f"9.{number}.0", private, change=too_sure if number % 3 == 2 else None))
    for file in made.iterdir():
        file.unlink()
    made.rmdir()
    return packed


class _Box:
    """A forked box: it tells where it is ("at STAGE TIME"), and waits there for a byte before it goes on."""

    def __init__(self, settings: Config, files: Mapping[str, Path]) -> None:
        (told, tell), (wait, self._go) = os.pipe(), os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(told)
            os.close(self._go)
            _live(settings, files, tell, wait)
        os.close(tell)
        os.close(wait)
        self._lines: IO[str] = os.fdopen(told)
        self.stage = "start"

    def next(self) -> list[str]:
        """What it tells next, in words."""
        return self._lines.readline().split() or ["died"]

    def killed_in(self, stage: str, change: int, took: dict[str, float], chance: random.Random) -> list[str]:
        """Let it live until it has been `change` times in this stage, and kill it there; the models of its calls.

        `took`: how long each stage took last, seconds. One that is not known yet is waited for.
        """
        calls: list[str] = []
        began = 0.0
        while True:
            match self.next():
                case ["call", model]:
                    calls.append(model)
                case ["at", name, at]:
                    took[self.stage], began, self.stage = float(at) - began, float(at), name
                    if name == stage and change <= 0 and stage in took:
                        break
                    change -= name == stage
                    os.write(self._go, b"g")
                case told:
                    raise AssertionError(f"the box failed: {told}")
        instant = time.monotonic() + chance.uniform(0.0, took[stage])
        os.write(self._go, b"g")
        threading.Event().wait(max(instant - time.monotonic() - _OVERSLEPT_S, 0.0))
        while time.monotonic() < instant:
            pass
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._go)
        with self._lines:
            for line in map(str.split, self._lines):
                if line[:1] == ["call"]:
                    calls += line[1:]
                elif line[:1] == ["at"]:
                    self.stage = line[1]  # the stage was over sooner than last time
                else:
                    raise AssertionError(f"the box failed: {line}")
        return calls


class _Telling(SimulatedBox):
    """A box that says when it serves a new model."""

    def __init__(self, settings: Config, at: Callable[[str], None]) -> None:
        super().__init__(settings)
        self._at = at

    def _put(self, events: Sequence[Event]) -> None:
        super()._put(events)
        if any(event.data.action == "probation" for event in events):
            self._at("probation")


def _live(settings: Config, files: Mapping[str, Path], tell: int, wait: int) -> None:
    """The box itself; never returns."""
    turn, ready, over = threading.Lock(), threading.Event(), threading.Event()
    tempfile.tempdir = settings.state_dir

    def at(stage: str) -> None:
        with turn:
            if ready.is_set():
                os.write(tell, f"at {stage} {time.monotonic()}\n".encode())
                os.read(wait, 1)

    def concluded() -> None:
        at("rest")
        over.set()

    try:
        edge.models.manager.install = _around(edge.models.manager.install, before=lambda: at("unpacking"))
        edge.models.install.prove_folder = _around(edge.models.install.prove_folder, after=lambda: at("swap"))
        with _Telling(settings, at) as box:
            box.manager._conclude = _around(box.manager._conclude, before=lambda: at("verdict"), after=concluded)
            os.write(tell, f"ready {box.engines.models['voice']}\n".encode())
            ready.set()
            for version, file in files.items():
                at("transfer")
                for chunk in chunks(file):
                    box.manager.offer(chunk)
                # The first call goes on over the swap, the second is the new model's.
                os.write(tell, f"call {box.call(range(_UTTERANCES))}\n".encode())
                box.until("probation", version)
                over.clear()
                os.write(tell, f"call {box.call(range(_UTTERANCES))}\n".encode())
                assert over.wait(60), "no verdict"
    except BaseException as error:  # noqa: BLE001 (the parent reads it)
        os.write(tell, f"failed {error!r}\n".encode())
    os._exit(1)


def _around(run, *, before=lambda: None, after=lambda: None):
    """`run` with something before it, and after it unless it fails."""

    def wrapped(*given, **named):
        before()
        result = run(*given, **named)
        after()
        return result

    return wrapped


def _left(settings: Config) -> list[str]:
    """What the disk of the killed box shows of what it was doing."""
    store = open_store("voice", settings)
    record = probation.read(store)
    signs = {
        "a part of a file": any((Path(settings.state_dir) / "incoming").glob("*.part")),
        "a half unpacked bundle": any((store.folder / "versions").glob(".*")),
        "a half moved pointer": any(store.folder.glob("*.part")),
        "a verdict that is not carried out": record is not None and record.verdict is not None,
        "a probation": record is not None and record.verdict is None and record.candidate == store.serving().current,
        "a probation before its model": record is not None and record.verdict is None and record.candidate != store.serving().current,
    }
    return [name for name, there in signs.items() if there] or ["nothing"]


def _look(settings: Config, known: set[str], calls: list[str]) -> None:
    """One whole model serves, one that was sent; every call had one of those."""
    store = open_store("voice", settings)
    folder = find_bundle("voice", settings)
    assert folder == store.path_of(store.serving().current), "it had to fall back: what the pointer names is not whole"
    assert load(folder, kind="voice", trust=store.trust).label in known
    assert set(calls) <= known, calls


def _decided(settings: Config) -> str | None:
    """The model that must serve after the next start, where a verdict was written."""
    record = probation.read(open_store("voice", settings))
    if record is None or record.verdict is None:
        return None
    return f"voice-{record.version if record.verdict == 'kept' else record.previous_version}"


def main() -> None:
    """Figures as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kills", nargs="?", type=int, default=200, help="how many (default 200)")
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder:
        found = run(kills, Path(folder))
    figures = {"kills": found.kills, "aimed": found.aimed, "hit": found.hit, "left": found.left, "verdicts_carried_out": found.carried_out}
    print(json.dumps(figures | {"calls": sum(found.calls.values()), "models": len(found.calls)}))


if __name__ == "__main__":
    main()
