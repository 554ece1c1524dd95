"""How cost grows: with the length of a call, with the rows in an outbox, with lines. Each figure per unit, so that flat is flat."""

import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.call.engines import Engines
from edge.call.line import Line
from edge.clock import now
from edge.config import Config, LineConfig, SourceConfig
from edge.models.loading import load_engines
from edge.outbox.outbox import Outbox
from edge.service.spoken_call import spoken_call
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, ClosedBy, Frame, Pcm, Role
from edge.wire.commands import CallStart
from edge.wire.events import Event, Metrics

# What grows by less than this from the smallest to the largest is called flat.
_FLAT = 1.25
_LINE = LineConfig(name="bench", source=SourceConfig(device="auto"), channels=(Role.CUSTOMER, Role.AGENT))


def _resident_mb() -> float:
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096 / 1e6


def _frames(sound: Pcm, seconds: int) -> Iterator[Frame]:
    """So many seconds of `sound`, said over and over."""
    places = itertools.cycle(range(0, sound.shape[1] - FRAME_SAMPLES, FRAME_SAMPLES))
    for start, at in zip(range(0, seconds * SAMPLE_RATE, FRAME_SAMPLES), places, strict=False):
        yield Frame(start=start, pcm=np.ascontiguousarray(sound[:, at : at + FRAME_SAMPLES]))


def calls(minutes: tuple[int, ...]) -> list[dict[str, float]]:
    """CPU seconds a minute so far, and resident memory, after so many `minutes` of one call."""
    engines, sound = load_engines(Config()), spoken_call(_LINE.channels)
    line = Line(line=_LINE, serving=lambda: (engines, Config()))
    found, began = [], time.thread_time()
    line.handle_command(CallStart(line=_LINE.name))
    for frame in _frames(sound, minutes[-1] * 60):
        list(line.process_frame(frame))
        minute = (frame.start + FRAME_SAMPLES) / SAMPLE_RATE / 60
        if minute in minutes:
            found.append({"x": minute, "cost": (time.thread_time() - began) / minute, "memory_mb": _resident_mb()})
    list(line.end(ClosedBy.COMMAND))
    return found


def lines(counts: tuple[int, ...]) -> list[dict[str, float]]:
    """CPU seconds a line and minute, and the highest resident memory, with so many lines at once, as fast as they go."""
    engines, sound = load_engines(Config()), spoken_call(_LINE.channels)
    found = []
    for count in counts:
        began = time.process_time()
        threads = [threading.Thread(target=_half_a_minute, args=(sound, engines)) for _ in range(count)]
        for thread in threads:
            thread.start()
        # Measured while all are in their calls: recognisers are let go at the end.
        memory_mb = _resident_mb()
        while any(thread.is_alive() for thread in threads):
            memory_mb = max(memory_mb, _resident_mb())
            time.sleep(0.1)
        found.append({"x": count, "cost": (time.process_time() - began) / count * 2, "memory_mb": memory_mb})
    return found


def _half_a_minute(sound: Pcm, engines: Engines) -> None:
    line = Line(line=_LINE, serving=lambda: (engines, Config()))
    line.handle_command(CallStart(line=_LINE.name))
    for frame in _frames(sound, 30):
        list(line.process_frame(frame))
    list(line.end(ClosedBy.COMMAND))


def outboxes(rows: tuple[int, ...]) -> list[dict[str, float]]:
    """Milliseconds to put, send and acknowledge one event beside so many rows that wait; and to look at the next 20."""
    found = []
    for count in rows:
        with tempfile.TemporaryDirectory() as folder:
            outbox = Outbox(Path(folder) / "outbox.sqlite", max_bytes=4_000_000_000, site="bench", device="box")
            for begin in range(0, count, 10_000):
                outbox.put([_event(n) for n in range(begin, min(count, begin + 10_000))])
            took = []
            for n in range(100):
                began = time.perf_counter()
                outbox.put([_event(count + n)])
                row = outbox.pending(20)[0]
                outbox.sent(row)
                outbox.acknowledged(row)
                took.append((time.perf_counter() - began) * 1000)
            found.append({"x": count, "cost": statistics.median(took)})
            outbox.close()
    return found


def _event(number: int) -> Event:
    data = Metrics(
        call="bench", line="bench", n=number, start_ms=0, end_ms=15_000, roles=[], silence_ms=0, overlap_ms=0,
        longest_silence_ms=0, dead_air_ms=0, lost_ms=0, tones=[], scores=None,
    )  # fmt: skip
    return Event(id=f"bench:{number}", topic="call/bench/metrics", time=now(), data=data)


def said(points: list[dict[str, float]]) -> str:
    """Flat or not: the cost of the largest against the smallest that is not nothing."""
    first, last = points[0]["cost"], points[-1]["cost"]
    grown = last / first
    return f"flat ({grown:.2f})" if grown <= _FLAT else f"grows: {grown:.2f} times from {points[0]['x']:g} to {points[-1]['x']:g}"


def main() -> None:
    """python -m tests.bench.growth NAME SIZES: one curve in a process of its own, as JSON."""
    name, sizes = sys.argv[1:]
    print(json.dumps({"calls": calls, "lines": lines, "outboxes": outboxes}[name](tuple(int(size) for size in sizes.split(",")))))


if __name__ == "__main__":
    main()
