"""`python -m tests.kills 200`: a box whose models change all the time is killed at random instants; what it has left must be whole.

Each box is forked from this process, which has imported everything, takes one bundle after the other over its command queue, has
calls, keeps the good models and rolls back the bad ones. SIGKILL comes anywhere in one of the first three changes. Afterwards exactly one
whole, signed model serves, and the next box starts with it (or ends its probation) and has its calls judged by one model each.
"""

import itertools
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from edge.bundle import probation
from edge.bundle.installing import install
from edge.bundle.manifest import load
from edge.bundle.store import find_bundle, open_store
from edge.config import Config
from tests.boxes import SimulatedBox, chunks, config, unproven
from tests.nets import keys, tar, too_sure, voice

# Enough for a verdict after one call.
_UTTERANCES = probation.ENOUGH
# A box is killed in one of so many changes.
_CHANGES = 3


@dataclass(slots=True)
class Found:
    """What the kills found. `midst`: what each was in the midst of; `calls`: how many calls each model judged."""

    kills: int = 0
    midst: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    served: set[str] = field(default_factory=set)


def run(kills: int, folder: Path, seed: int = 11) -> Found:
    """Kill so many boxes, all with one state directory in `folder`. Raises AssertionError at the first that is not whole."""
    private, public, _ = keys(folder)
    settings = config(folder, public, calls=1)
    install(voice(folder / "first", "9.0.0", private), unproven(settings))
    chance, versions, found = random.Random(seed), itertools.count(1), Found()
    call_s = 1.0
    while found.kills < kills:
        numbers = [next(versions) for _ in range(_CHANGES + 1)]
        files = [_bundle(folder, n, private) for n in numbers]
        pid, told = _box(settings, files)
        with os.fdopen(told) as lines:
            ready = lines.readline().split()
            assert ready[:1] == ["ready"], f"the box did not start: {ready}"
            # So many changes and a part of one more, whatever the machine does besides.
            began, done = time.monotonic(), [lines.readline() for _ in range(chance.randrange(_CHANGES))]
            if done:
                call_s = (time.monotonic() - began) / len(done)
            threading.Event().wait(chance.uniform(0.0, call_s))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            told_at_last = [*done, *lines]
            assert all(line.startswith("call ") for line in told_at_last), told_at_last
            calls = [line.split()[1] for line in told_at_last]
        found.kills += 1
        found.calls.update(calls)
        found.served.add(ready[1])
        found.midst.update(_midst(settings))
        _look(settings, {"voice-9.0.0", *(f"voice-9.{n}.0" for n in range(1, numbers[-1] + 1))}, calls)
        for file in files:
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


def _box(settings: Config, files: list[Path]) -> tuple[int, int]:
    """Fork a box; its process id, and the pipe on which it tells "ready MODEL" and "call MODEL"."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        return pid, told
    os.close(told)
    try:
        with SimulatedBox(settings) as box:
            os.write(tell, f"ready {box.engines.models['voice']}\n".encode())
            for file in itertools.chain(files, itertools.repeat(files[-1])):
                for chunk in chunks(file):
                    box.upkeep.offer(chunk)
                os.write(tell, f"call {box.call(range(_UTTERANCES))}\n".encode())
    except BaseException as error:  # noqa: BLE001 (the parent reads it)
        os.write(tell, f"failed {error!r}\n".encode())
    os._exit(1)


def _midst(settings: Config) -> list[str]:
    """What the box was in the midst of when it was killed."""
    store = open_store("voice", settings)
    record = probation.read(store)
    signs = {
        "a transfer": any((Path(settings.state_dir) / "incoming").glob("*.part")),
        "unpacking": any((store.folder / "versions").glob(".*")),
        "moving a pointer": any(store.folder.glob("*.part")),
        "a verdict": record is not None and record.verdict is not None,
        "a probation": record is not None and record.verdict is None and record.candidate == store.serving().current,
        "a swap": record is not None and record.verdict is None and record.candidate != store.serving().current,
    }
    return [name for name, there in signs.items() if there] or ["nothing of this"]


def _look(settings: Config, known: set[str], calls: list[str]) -> None:
    """One whole model serves, one that was sent; every call had one of those."""
    store = open_store("voice", settings)
    folder = find_bundle("voice", settings)
    assert folder == store.path_of(store.serving().current), "it had to fall back: what the pointer names is not whole"
    assert load(folder, kind="voice", trust=store.trust).label in known
    assert set(calls) <= known, calls


def main() -> None:
    """`python -m tests.kills [N]`: figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(int(sys.argv[1]) if len(sys.argv) > 1 else 200, Path(folder))
    print(json.dumps({"kills": found.kills, "midst": dict(found.midst), "calls": sum(found.calls.values()), "models": len(found.calls)}))


if __name__ == "__main__":
    main()
