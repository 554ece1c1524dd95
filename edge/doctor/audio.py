"""The doctor listens: a line's own source is opened and heard for a second."""

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.capture.source import Source, open_source
from edge.config import Config, LineConfig
from edge.doctor.finding import Finding, failed_by, good, look
from edge.errors import Problem
from edge.segment.common_sound import carries_the_same
from edge.service.levels import CLIPPED_SHARE, HUM_SHARE, QUIET_DBFS, Level, level
from edge.service.status import read_running
from edge.signal.resample import frames
from edge.values import FRAME_MS, SAMPLE_RATE, Block, Pcm, SourceState

_LISTEN_FRAMES = 1000 // FRAME_MS
# A little longer than a source allows its child to start, so that it is the source that says what is wrong.
_PATIENCE_S = 22.0
# The first frames of a device that was just opened hold a click or nothing.
_SETTLE_FRAMES = 100 // FRAME_MS


def listen(line: LineConfig, config: Config) -> Finding:
    """Record a second from `line` and say how loud each channel is. Raises SourceError where that can never be."""
    if line.source.device is not None and _service_hears(line, config):
        return good("the running service holds this device and hears it")
    source, trouble = open_once(line)
    giving_up = threading.Timer(_PATIENCE_S, source.close)
    giving_up.start()
    try:
        sound, rate, waited_s = _listen(source)
    finally:
        giving_up.cancel()
        source.close()
    if sound is None:
        return failed_by(trouble[0] if trouble else Problem(what=f"no sound within {_PATIENCE_S:g} s"), _remedy(line))
    levels = [level(channel) for channel in sound]
    levels_by_role = ", ".join(f"{role} {_loudness(one)}" for role, one in zip(line.channels, levels, strict=True))
    says = f"{sound.shape[1] / SAMPLE_RATE:.1f} s at {rate} Hz, first sound after {waited_s:.1f} s: {levels_by_role}"
    # A channel on which nobody speaks just now is no trouble while another one is heard.
    quiet = all(one.rms_dbfs < QUIET_DBFS for one in levels)
    for role, one in zip(line.channels, levels, strict=True):
        if wrong := _wrong(one, quiet=quiet):
            return look(says, f"{role}: {wrong}")
    if len(line.channels) > 1 and carries_the_same(sound):
        return look(f"{says}; both channels carry the same sound", "check the tap's wiring, or set channels: [mixed]: words only")
    return good(says)


def open_once(line: LineConfig) -> tuple[Source, list[Problem]]:
    """The line's source, and what goes wrong with it, which ends it: a service would go on trying; the doctor tells."""
    trouble: list[Problem] = []

    def note(state: str) -> None:
        if state in (SourceState.ABSENT, SourceState.STALLED):
            trouble.append(source.problem or Problem(what=state))
            source.close()

    source = open_source(line.source, len(line.channels), note)
    return source, trouble


def _listen(source: Source) -> tuple[Pcm | None, int, float]:
    """About a second of sound (int16, (channels, samples), None without any), the source's rate, seconds until it came."""
    began, rate, waited_s = time.monotonic(), 0, 0.0

    def noted() -> Iterator[Block]:
        nonlocal rate, waited_s
        for block in source.blocks():
            if not rate:
                rate, waited_s = block.rate, time.monotonic() - began
            yield block

    sound: list[Pcm] = []
    for frame in frames(noted()):
        if not frame.lost:
            sound.append(frame.pcm)
        if len(sound) >= _SETTLE_FRAMES + _LISTEN_FRAMES:
            source.close()
    if not sound:
        return None, rate, waited_s
    settled = sound[_SETTLE_FRAMES:] or sound
    return np.concatenate(settled[:_LISTEN_FRAMES], axis=1), rate, waited_s


def _service_hears(line: LineConfig, config: Config) -> bool:
    """Whether a service that runs now says that the line is up."""
    status = read_running(Path(config.state_dir))
    return status is not None and status.state.lines.get(line.name) is SourceState.UP


def _loudness(one: Level) -> str:
    return "silent" if one.silent else f"{one.rms_dbfs:.0f} dBFS" if one.rms_dbfs > -math.inf else "constant"


def _wrong(one: Level, *, quiet: bool) -> str | None:
    """The remedy for what is wrong with a second of one channel of a line that is `quiet` or not; None where nothing is."""
    if one.silent:
        return "nothing but zeros: no call now, or check cable, jack and mute; speak on the phone and run this again"
    if one.stuck:
        return "the same value all the time: unplug the sound card and plug it in again"
    if one.clipped >= CLIPPED_SHARE:
        return "too loud: turn the capture gain down (alsamixer, F4)"
    if one.hum >= HUM_SHARE:
        return "mains hum: use an isolating line tap or another power supply"
    if quiet:
        return "very quiet: no call now, or turn the capture gain up (alsamixer, F4); speak on the phone and run this again"
    return None


def _remedy(line: LineConfig) -> str:
    if line.source.device is None:
        return "run the command by hand and see what it says"
    return "plug the line tap in (undertone devices lists what is there); a running service holds it: systemctl stop undertone"
