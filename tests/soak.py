"""Hours of calls through the service itself, as fast as it goes, and whether it grows: `make soak`.

The real `undertone run` with four two-channel lines hears a day's mix from a recording that is made here: calls of one to ten minutes
(the demo's call, said again and again within a call) and as much idle time of half a minute to four minutes between them, with
the noise of a line. It publishes to a real mosquitto. Every second its resident memory, descriptors and threads are read from /proc.

python -m tests.soak --hours 8                 8 h of sound in all, so 2 h on each of the four lines, as fast as it can be judged
python -m tests.soak --hours 4 --speed 2       twice real time; what the machine cannot keep up with is dropped, and counted
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from edge.asr.vosk_model import find_vosk
from edge.capture import wavfile
from edge.config import Config
from tests.broker import Broker
from tests.service import Service

_CALL = Path(__file__).parent / "demo" / "call.wav"
_LINES, _RATE, _FRAMES_PER_S = 4, 8000, 50
_IDLE_S, _MOST_TIMES = (30, 240), 8
# Models, caches and the allocator's pools are filled by then.
_WARM_UP, _ENDING = 0.3, 0.97
# Recognisers are let go at a call's end, so memory goes up and down with the calls (280 to 650 MB): a line through all of it
# says how many lines were talking. What a leak raises is the peaks, and in a tenth of a long run is one.
_PARTS = 10
_SLOPE = 0.02
_START_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look at the box: hours of audio that one line has heard, resident MB, open files, threads."""

    heard_h: float
    memory_mb: float
    files: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`slope`: growth of the peaks of resident memory after the warm-up, as a share of their mean, over what is left of the run."""

    hours_a_line: float
    lines: int
    speed: float
    calls: int
    slope: float
    slope_per_hour: float
    memory_mb: float
    files_grown: int
    threads_grown: int
    dropped_ms: int
    missing_frames: int
    seconds: float

    @property
    def good(self) -> bool:
        grown = self.slope >= _SLOPE or self.files_grown > 0 or self.threads_grown > 0
        return not grown and not self.dropped_ms and not self.missing_frames


def day(path: Path, hours: float, seed: int) -> int:
    """Write a day's mix of so many hours (two channels, 8 kHz, G.711) to `path`; how many calls it holds."""
    chance, noise = random.Random(seed), np.random.default_rng(seed).normal(0, 20, (60 * _RATE, 2)).astype(np.int16)
    call = np.concatenate([block.pcm for block in wavfile.blocks(_CALL)])
    rate = next(iter(wavfile.blocks(_CALL))).rate
    call = call[:: rate // _RATE] if rate % _RATE == 0 else call
    left, calls = round(hours * 3600 * _RATE), 0
    with soundfile.SoundFile(path, "w", _RATE, 2, subtype="ULAW", format="WAV") as out:
        while left > 0:
            calls += 1
            parts = [call] * chance.randint(1, _MOST_TIMES)
            idle = min(chance.randint(*_IDLE_S), round(hours * 3600 / 4) + 7) * _RATE
            parts += [noise[: min(len(noise), idle - at)] for at in range(0, idle, len(noise))]
            for part in parts:
                out.write(part[:left])
                left -= len(part[:left])
    return calls


def soak(folder: Path, *, hours_a_line: float, speed: float, seed: int, bar: bool = True) -> tuple[Outcome, list[Sample]]:
    """Run the service over a day of so many hours, the same on each line, and watch it."""
    calls, began = day(folder / "day.wav", hours_a_line, seed), time.monotonic()
    wanted = round(hours_a_line * 3600 * _FRAMES_PER_S)
    with Broker(folder) as broker:
        box = Service(folder, _configuration(folder, broker.url, speed))
        box.start()
        try:
            samples, frames, dropped = _watch(box, hours_a_line, wanted, bar=bar)
        finally:
            box.process.kill()
            box.wait()
    heard = sum(wanted - frames.get(f"line-{n}", 0) for n in range(1, _LINES + 1)) if not speed else 0
    return _judge(samples, hours_a_line, speed, calls, dropped, heard, time.monotonic() - began), samples


def slope(samples: Sequence[Sample]) -> tuple[float, float]:
    """Growth of memory by a straight line through the peak of each tenth, as a share of their mean: over the span, in an hour of audio."""
    hours, memory = np.array([one.heard_h for one in samples]), np.array([one.memory_mb for one in samples])
    if len(samples) < 3 or hours[-1] <= hours[0]:
        return 0.0, 0.0
    part = np.minimum((hours - hours[0]) / (hours[-1] - hours[0]) * _PARTS, _PARTS - 1).astype(int)
    seen = np.unique(part)
    peaks = np.array([memory[part == one].max() for one in seen])
    over = float(np.polyfit(seen / _PARTS, peaks, 1)[0] / peaks.mean())
    return over, over / float(hours[-1] - hours[0])


def _judge(samples: list[Sample], hours_a_line: float, speed: float, calls: int, dropped_ms: int, missing: int, seconds: float) -> Outcome:
    # At the end lines end one after the other, and let go of what they had.
    warm = [one for one in samples if hours_a_line * _WARM_UP <= one.heard_h <= hours_a_line * _ENDING] or samples
    early, late = warm[: max(1, len(warm) // 4)], warm[-max(1, len(warm) // 4) :]
    over, per_hour = slope(warm)
    return Outcome(
        hours_a_line=hours_a_line,
        lines=_LINES,
        speed=speed,
        calls=calls * _LINES,
        slope=over,
        slope_per_hour=per_hour,
        memory_mb=float(np.median([one.memory_mb for one in warm])),
        files_grown=int(np.median([one.files for one in late]) - np.median([one.files for one in early])),
        threads_grown=int(np.median([one.threads for one in late]) - np.median([one.threads for one in early])),
        dropped_ms=dropped_ms,
        missing_frames=missing,
        seconds=seconds,
    )


def _configuration(folder: Path, url: str, speed: float) -> str:
    vosk = find_vosk(Config())
    if speed:
        source = "{command: " + json.dumps([sys.executable, "-m", "tests.stream", str(folder / "day.wav"), str(speed)]) + "}"
    else:
        source = f"{{file: '{folder / 'day.wav'}', realtime: false}}"
    said = f"source: {source}, channels: [customer, agent], idle_s: 15"
    lines = "".join(f"  - {{name: line-{n}, {said}}}\n" for n in range(1, _LINES + 1))
    return (
        f"mqtt: {{url: '{url}'}}\nmodels: {{vosk: {json.dumps(vosk and str(vosk))}}}\nmode: {'both' if vosk else 'voice'}\nlines:\n{lines}"
    )


def _watch(box: Service, hours: float, wanted: int, *, bar: bool) -> tuple[list[Sample], dict[str, int], int]:
    samples: list[Sample] = []
    frames: dict[str, int] = {}
    dropped, give_up = 0, time.monotonic() + _START_S
    with tqdm(total=round(hours * _LINES * 60), unit="min", disable=not bar, mininterval=1.0) as progress:
        while box.process.poll() is None:
            time.sleep(1.0 if hours > 0.5 else 0.1)
            status, look = box.status, _look(box.process.pid)
            if not status or look is None:
                assert samples or time.monotonic() < give_up, "the box does not begin:\n" + "\n".join(box.log[-20:])
                continue
            frames, dropped = status["health"]["frames"], sum(status["health"]["dropped_ms"].values())
            heard = sum(frames.values()) / _LINES / _FRAMES_PER_S / 3600
            samples.append(Sample(heard_h=heard, memory_mb=look[0], files=look[1], threads=look[2]))
            progress.update(round(heard * _LINES * 60) - progress.n)
            progress.set_postfix_str(f"{look[0]:.0f} MB, {look[1]} files, {dropped} ms dropped")
            if min(frames.values()) >= wanted:
                break
    assert box.process.poll() in (None, 0), "the box died:\n" + "\n".join(box.log[-20:])
    # What it wrote last, after its lines had ended.
    last = box.status["health"]
    return samples, last["frames"], sum(last["dropped_ms"].values())


def _look(pid: int) -> tuple[float, int, int] | None:
    """Resident MB, open files, threads; None once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    found = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith(("VmRSS", "Threads"))}
    return (int(found["VmRSS"]) / 1000, files, int(found["Threads"])) if "VmRSS" in found else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0, help="of sound in all, shared out among the lines")
    parser.add_argument("--speed", type=float, default=0.0, help="times real time; 0: as fast as it goes")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path("build/soak"), help="folder for soak.json: the outcome and every sample")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome, samples = soak(Path(folder), hours_a_line=args.hours / _LINES, speed=args.speed, seed=args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    saved = {**asdict(outcome), "samples": [asdict(one) for one in samples]}
    (args.out / "soak.json").write_text(json.dumps(saved) + "\n", encoding="utf-8")
    print(
        f"{args.hours:g} h of sound, {outcome.hours_a_line:g} h on each of {outcome.lines} two-channel lines, {outcome.calls} calls,"
        f" in {outcome.seconds / 60:.0f} min ({args.hours * 3600 / outcome.seconds:.1f} times real time)\n"
        f"resident {outcome.memory_mb:.0f} MB, slope of its peaks {100 * outcome.slope:+.2f} % after the warm-up"
        f" ({100 * outcome.slope_per_hour:+.2f} % an hour of a line; bound {100 * _SLOPE:g} %)\n"
        f"descriptors {outcome.files_grown:+d}, threads {outcome.threads_grown:+d}, dropped {outcome.dropped_ms} ms,"
        f" frames missing {outcome.missing_frames}: {'good' if outcome.good else 'NOT GOOD'}"
    )
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
