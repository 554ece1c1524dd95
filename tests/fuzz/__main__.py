"""Damaged input by the million, at everything that takes input from outside: `python -m tests.fuzz --inputs 1000000`.

Of each input: no crash, no hang (5 s of CPU, 2 minutes of waiting), no exception but edge.errors, and those in one line. What breaks
this is kept under `--keep`, with the command that does it again. The same `--seed` makes the same inputs.

python -m tests.fuzz --inputs 1000000                       all targets, by their shares
python -m tests.fuzz --target wav --inputs 20000            one of them
python -m tests.fuzz --target wav --only 1234 --seed 7      one input again, with its traceback
"""

import argparse
import json
import mmap
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from edge.errors import UndertoneError
from tests.fuzz.targets import Target, targets

_CPU_S, _WALL_S = 5.0, 120.0
# Beyond so many a target is broken, and each further one costs a minute of reading.
_ENOUGH = 20
# A box has 1 to 8 GB; an input of some kB that takes more than this would end it.
_MEMORY = 4_000_000_000
_REPORT_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Input `number` of `target` did what it must not."""

    target: str
    number: int
    what: str


class Late(BaseException):
    """An input took too long. Not an Exception, so that nothing on the way swallows it."""


def make(name: str, target: Target, number: int, seed: int) -> bytes:
    """Input `number` of a target."""
    return target.make(random.Random(f"{seed} {name} {number}"))


def broken(target: Target, data: bytes) -> str | None:
    """What is wrong with how the target takes `data`; None where nothing is."""
    signal.setitimer(signal.ITIMER_PROF, _CPU_S)
    try:
        target.try_one(data)
    except UndertoneError as error:
        return f"two lines for the user: {error}" if "\n" in str(error) else None
    except (Exception, Late):  # noqa: BLE001 (whatever it is, it is what was looked for)
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _late(*_: object) -> None:
    raise Late


def work(name: str, first: int, last: int, seed: int, at: Path) -> None:
    """In a process of its own: try inputs first..last, say on stdout how far it is and what it found. `at` holds the present number."""
    signal.signal(signal.SIGPROF, _late)
    # A warning on stderr is for nobody.
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with tempfile.TemporaryDirectory(dir=_fast()) as folder, at.open("r+b") as file, mmap.mmap(file.fileno(), 8) as place:
        target = targets(Path(folder))[name]
        told = time.monotonic()
        for number in range(first, last + 1):
            place[:] = struct.pack("<q", number)
            found = broken(target, make(name, target, number, seed))
            if found is not None:
                print(json.dumps({"number": number, "what": found}), flush=True)
            if time.monotonic() - told > _REPORT_S or number == last:
                told = time.monotonic()
                print(json.dumps({"number": number}), flush=True)


def fuzz(name: str, inputs: int, seed: int, log: Path) -> Iterator[int | Finding]:
    """Numbers as far as it has come, and what was found. A worker that dies or hangs is a finding; the next one goes on behind it."""
    first = 1
    while first <= inputs:
        with tempfile.NamedTemporaryFile(dir=_fast()) as at, log.open("wb") as err:
            at.write(bytes(8))
            at.flush()
            command = [
                sys.executable,
                "-m",
                "tests.fuzz",
                "--target",
                name,
                "--seed",
                str(seed),
                "--worker",
                str(first),
                str(inputs),
                at.name,
            ]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err) as worker:
                killed = yield from _follow(name, worker, Path(at.name))
            (reached,) = struct.unpack("<q", Path(at.name).read_bytes())
        if worker.returncode == 0:
            return
        if not reached:
            sys.exit(f"{name}: the worker cannot begin:\n{log.read_text()}")
        how = "hung" if killed else f"died with {worker.returncode}: {log.read_text()[-2000:]}"
        yield Finding(target=name, number=reached, what=how)
        first = reached + 1


def _follow(name: str, worker: "subprocess.Popen[bytes]", at: Path) -> Iterator[int | Finding]:
    """Its numbers and findings; returns whether it had to be killed because nothing moved."""
    import selectors

    assert worker.stdout is not None
    moved, last, rest = time.monotonic(), b"", b""
    with selectors.DefaultSelector() as ready:
        ready.register(worker.stdout, selectors.EVENT_READ)
        while True:
            if ready.select(1.0):
                data = worker.stdout.read1()
                if not data:
                    return False
                *lines, rest = (rest + data).split(b"\n")
                for said in map(json.loads, lines):
                    yield Finding(target=name, number=said["number"], what=said["what"]) if "what" in said else said["number"]
            if (now_at := at.read_bytes()) != last:
                moved, last = time.monotonic(), now_at
            elif time.monotonic() - moved > _WALL_S:
                worker.kill()
                return True


def _fast() -> str | None:
    """Memory instead of a disk, where there is one: a million files."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--target", help="only this one")
    parser.add_argument("--only", type=int, help="try this one input of --target and show what happens")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder for what is found, and for fuzz.json")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.target, int(args.worker[0]), int(args.worker[1]), args.seed, Path(args.worker[2]))
        return 0
    with tempfile.TemporaryDirectory(dir=_fast()) as folder:
        known = targets(Path(folder))
        if args.only:
            signal.signal(signal.SIGPROF, _late)
            data = make(args.target, known[args.target], args.only, args.seed)
            sys.stdout.write(f"{data[:2000]!r} ({len(data)} bytes)\n{broken(known[args.target], data) or 'good'}\n")
            return 0
        shares = {name: target.share for name, target in known.items() if args.target in (None, name)}
    return _all(shares, args.inputs, args.seed, args.keep)


def _all(shares: dict[str, int], inputs: int, seed: int, keep: Path) -> int:
    keep.mkdir(parents=True, exist_ok=True)
    began, found, counts, seconds = time.monotonic(), [], {}, {}
    with tqdm(total=inputs, unit="input", smoothing=0.05, mininterval=1.0) as bar:
        for name, share in shares.items():
            wanted = -(-inputs * share // sum(shares.values()))
            bar.set_description(name)
            done, since = 0, time.monotonic()
            for said in fuzz(name, wanted, seed, keep / f"{name}.stderr"):
                if isinstance(said, Finding):
                    found.append(said)
                    if sum(finding.target == name for finding in found) >= _ENOUGH:
                        bar.write(f"{name}: {_ENOUGH} findings; the rest of its inputs are left out")
                        break
                    (keep / f"{name}-{said.number}.txt").write_text(said.what, errors="backslashreplace")
                    again = f"python -m tests.fuzz --target {name} --only {said.number} --seed {seed}"
                    bar.write(f"{again}\n    {said.what.strip().splitlines()[-1][:300]}")
                else:
                    bar.update(said - done)
                    done = said
            counts[name], seconds[name] = done, time.monotonic() - since
    took = time.monotonic() - began
    result = {
        "inputs": sum(counts.values()),
        "seed": seed,
        "seconds": round(took, 1),
        "targets": counts,
        "findings": [asdict(f) for f in found],
    }
    (keep / "fuzz.json").write_text(json.dumps(result, indent=2) + "\n")
    print("| target | inputs | inputs a second |\n|---|---|---|")
    for name, count in counts.items():
        print(f"| {name} | {count:,} | {count / max(seconds[name], 1e-9):,.0f} |")
    print(f"\n{result['inputs']:,} inputs in {took:.0f} s, seed {seed}: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
