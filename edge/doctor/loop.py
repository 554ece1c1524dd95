"""The loop test of a line: a tone out of the box must come back in on it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from edge.capture.framing import PLAYING
from edge.capture.last_words import last_words
from edge.capture.source import Source
from edge.config import LineConfig
from edge.doctor.audio import open_once
from edge.doctor.finding import Finding, failed, failed_by, good, skipped
from edge.errors import Problem
from edge.signal.resample import frames
from edge.values import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, Pcm

# The test tone of telephony: not 1,000 Hz, which divides 8 kHz (ITU-T O.133 and O.41 measure with 1,004 to 1,020 Hz).
_HERTZ = 1004.0
# It is ended once it was heard.
_TONE_S = 60.0
# Windows of 200 ms: 5 Hz fine, so mains and speech stay out of it.
_WINDOW = 200 // FRAME_MS
# Before the tone, to know what the line sounds like without it; then a minute at most for a cold sound system to play at all.
_BEFORE, _PATIENCE = 5 * _WINDOW, 300 * _WINDOW
# Once it plays it is on the line within this, or not at all.
_BACK_WINDOWS = 25
# As many windows in a row: nobody whistles so straight.
_IN_A_ROW = 4
# The tone must hold this share of a window's energy, and be so much louder than the line was at that frequency.
_SHARE, _ABOVE_DB = 0.5, 20.0
_LOUD_DBFS = -60.0


def loop(line: LineConfig, output: str | None = None) -> Finding:
    """Play into `output` (None: the line's own device) and listen on `line`. Raises SourceError."""
    if line.source.device is None:
        return skipped("only a line with a device can be played into")
    source, trouble = open_once(line)
    player: subprocess.Popen[bytes] | None = None
    try:
        windows = _windows(source)
        before = [_tone(channel)[0] for channel in next(windows, np.zeros((len(line.channels), FRAME_SAMPLES), np.int16))]
        player = _player(output or line.source.device)
        runs, said, left = [0] * len(line.channels), b"", _BACK_WINDOWS
        for window in windows:
            levels = [_tone(channel) for channel in window]
            present = [
                share >= _SHARE and dbfs > max(was + _ABOVE_DB, _LOUD_DBFS) for (dbfs, share), was in zip(levels, before, strict=True)
            ]
            runs = [run + 1 if there else 0 for run, there in zip(runs, present, strict=True)]
            if max(runs) >= _IN_A_ROW:
                levels_by_role = ", ".join(
                    f"{role} {dbfs:.0f} dBFS" for role, (dbfs, _), run in zip(line.channels, levels, runs, strict=True) if run
                )
                return good(f"a tone of {_HERTZ:.0f} Hz out of this box came back: {levels_by_role}")
            ended, said = player.poll(), said + (player.stderr.read() or b"" if player.stderr else b"")
            if ended:
                problem = last_words(said.decode(errors="replace")) or Problem(what=f"the player ended with exit code {ended}")
                return failed_by(problem.within("no tone could be played"), "name another output: --output IDENTITY")
            left -= PLAYING.encode() in said
            if left == 0:
                break
    finally:
        source.close()
        if player is not None:
            player.kill()
            player.communicate()
    if trouble:
        return failed_by(trouble[0], "plug the line tap in (undertone devices lists what is there)")
    return failed(
        f"a tone of {_HERTZ:.0f} Hz out of this box did not come back on the line",
        "is the output wired to this line, and not muted (alsamixer)? another output: --output IDENTITY",
    )


def _windows(source: Source) -> Iterator[Pcm]:
    """First a second of the line as it is, then 200 ms at a time, int16 (channels, samples); ends when patience does."""
    frames_so_far: list[Pcm] = []
    wanted = _BEFORE
    for total, frame in enumerate(frames(source.blocks()), start=1):
        frames_so_far.append(frame.pcm)
        if len(frames_so_far) == wanted:
            yield np.concatenate(frames_so_far, axis=1)
            frames_so_far, wanted = [], _WINDOW
        if total >= _PATIENCE:
            source.close()


def _tone(pcm: Pcm) -> tuple[float, float]:
    """The tone in one channel: its RMS level in dBFS, and its share of the energy, 0..1."""
    sound = pcm.astype(np.float64)
    turns = np.exp(-2j * np.pi * _HERTZ * np.arange(len(sound)) / SAMPLE_RATE)
    rms = abs(np.dot(sound, turns)) * np.sqrt(2) / len(sound)
    total = float(np.mean(sound**2))
    return 20 * float(np.log10(max(rms, 1e-3) / 32768)), float(rms**2 / total) if total else 0.0


def _player(output: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "edge.capture.child", "tone", output, "--hertz", str(_HERTZ), "--seconds", str(_TONE_S)]
    player = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if player.stderr is not None:
        os.set_blocking(player.stderr.fileno(), False)
    return player
