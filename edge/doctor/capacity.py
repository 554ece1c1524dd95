"""How many lines this box can carry: measured by carrying them, with everything that a call costs but the sound card and the broker."""

import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.call.engines import Engines
from edge.call.line import Line
from edge.clock import now
from edge.config import Config, LineConfig, SourceConfig
from edge.models.loading import load_engines
from edge.service.spoken_call import spoken_call
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, ClosedBy, Frame, Pcm, Role
from edge.wire.commands import CallStart

# One line alone, as fast as it goes: long enough for a dozen utterances, and without the call's slow end.
_ALONE_S = 45
# Then together, at the speed of real calls; two tries of this fit into two minutes with the rest.
_TOGETHER_S = 30
# Above this share of its cores a box has no room for a burst (all customers speaking at once), for the broker and for the system.
_ROOM = 0.7
# A line that is later than this gives up its words (edge.service.live): what is carried stays well below.
_LATE_S = 1.0
# A try that is this late has failed: its end is not waited for.
_HOPELESS_S = 3.0
# More load than this before it begins is somebody else's.
_BUSY = 0.3
FILE = "capacity.json"
# How many times as long one core of a Raspberry Pi takes as one core of a server or PC of these years: single-core Geekbench 6 is
# roughly 300 on a Pi 4, 800 on a Pi 5 and 1600 there (recalled, not looked up). An estimate and never a measurement.
_PI = {"Raspberry Pi 4": 1600 / 300, "Raspberry Pi 5": 1600 / 800}
_PI_CORES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What was measured: `lines` can be carried; one costs `share` of a core; the latest frame came `late_s` late."""

    lines: int
    channels: int
    share: float
    late_s: float
    cores: int


def measured(state_dir: Path) -> int | None:
    """How many lines an earlier measurement on this box found; None where there was none."""
    try:
        return int(json.loads((state_dir / FILE).read_bytes())["lines"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(capacity: Capacity, state_dir: Path) -> None:
    """Write the measurement where `measured` finds it. Raises OSError."""
    kept = {"lines": capacity.lines, "channels": capacity.channels, "share_of_a_core": round(capacity.share, 3), "measured_at": now()}
    (state_dir / FILE).write_text(json.dumps(kept) + "\n", encoding="utf-8")


def estimates(capacity: Capacity) -> list[str]:
    """What a Pi 4 and a Pi 5 should carry, each with its arithmetic in one line."""
    lines = []
    for name, slower in _PI.items():
        carried = math.floor(_PI_CORES * _ROOM / (capacity.share * slower))
        sum_of_it = f"{_PI_CORES} cores x {_ROOM} / ({capacity.share:.3f} of a core here x {slower:.1f} times as slow)"
        lines.append(f"estimate, not measured: a {name} should carry {carried} such line(s): {sum_of_it}")
    return lines


def measure(config: Config, at_most: int, report: Callable[[str], None]) -> Capacity:
    """Measure with the configured models and the channels of the configured lines (none: two). `tell` gets a line a step."""
    engines = load_engines(config)
    line = max(config.lines, key=lambda one: len(one.channels), default=_example())
    sound = spoken_call(line.channels)[:, : _ALONE_S * SAMPLE_RATE]
    cores = len(os.sched_getaffinity(0))
    busy = os.getloadavg()[0]
    if busy > _BUSY * cores:
        report(f"warning: other programs keep {busy:.1f} of {cores} cores busy; end them and measure again for a figure to rely on")
    share = _alone(line, config, engines, sound)
    lines = max(1, min(at_most, math.floor(cores * _ROOM / share)))
    report(f"one line of {len(line.channels)} channels costs {share:.2f} of a core; this box has {cores}: trying {lines} together")
    while True:
        late_s = _together(lines, line, config, engines, sound)
        report(f"{lines} line(s) for {_TOGETHER_S} s: {late_s:.2f} s late at worst")
        if late_s <= _LATE_S or lines == 1:
            carried = lines if late_s <= _LATE_S else 0
            return Capacity(lines=carried, channels=len(line.channels), share=share, late_s=late_s, cores=cores)
        lines = max(1, lines * 2 // 3)


def _example() -> LineConfig:
    return LineConfig(name="bench", source=SourceConfig(device="auto"), channels=(Role.CUSTOMER, Role.AGENT))


def _alone(line: LineConfig, config: Config, engines: Engines, sound: Pcm) -> float:
    """CPU seconds a second of sound, over a whole call."""
    call_line = Line(line=line, serving=lambda: (engines, config))
    began = time.process_time()
    call_line.handle_command(CallStart(line=line.name))
    for frame in _frames(sound):
        list(call_line.process_frame(frame))
    list(call_line.end(ClosedBy.COMMAND))
    return (time.process_time() - began) / (len(sound[0]) / SAMPLE_RATE)


def _together(lines: int, line: LineConfig, config: Config, engines: Engines, sound: Pcm) -> float:
    """Seconds that the latest frame of any of `lines` concurrent calls was late."""
    late_s = [0.0] * lines
    begin = time.monotonic() + 0.5

    def carry(number: int) -> None:
        call_line = Line(line=line, serving=lambda: (engines, config))
        call_line.handle_command(CallStart(line=line.name))
        # Each call at another point of the dialogue, as calls are.
        shifted = np.roll(sound, -number * SAMPLE_RATE * 2, axis=1)[:, : _TOGETHER_S * SAMPLE_RATE]
        for frame in _frames(shifted):
            due = begin + (frame.start + FRAME_SAMPLES) / SAMPLE_RATE
            time.sleep(max(0.0, due - time.monotonic()))
            list(call_line.process_frame(frame))
            late_s[number] = max(late_s[number], time.monotonic() - due)
            if max(late_s) > _HOPELESS_S:
                break
        list(call_line.end(ClosedBy.COMMAND))

    threads = [threading.Thread(target=carry, args=(number,)) for number in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(late_s)


def _frames(sound: Pcm) -> Iterator[Frame]:
    for start in range(0, sound.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        yield Frame(start=start, pcm=np.ascontiguousarray(sound[:, start : start + FRAME_SAMPLES]))
