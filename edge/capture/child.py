"""The process that touches PortAudio, because PortAudio can hang or crash when a USB device goes; also the one that plays files.

    python -m edge.capture.child list                                 inputs as JSON
    python -m edge.capture.child device IDENTITY --channels N         a device, for ever
    python -m edge.capture.child file PATH --channels N [--fast]      a recording, once
    python -m edge.capture.child tone IDENTITY --hertz F --seconds S  a tone out of a device

Sound goes to stdout as framed packets (edge.capture.framing), reasons go to stderr. Exit code 3: the device is not there.

Capturing imports little (no numpy, which is half of a second on a small box): a line is deaf for as long as a new child takes to start.
"""

import argparse
import os
import queue
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from edge.capture.devices import Device, Raw, find, identify
from edge.capture.framing import EXIT_ABSENT, PLAYING, SAMPLE_BYTES, Flag, framed
from edge.capture.last_words import say
from edge.capture.losses import Losses
from edge.capture.secrecy import no_core_dumps
from edge.errors import SourceError

if TYPE_CHECKING:
    import pyaudio

# 50 ms: PortAudio then keeps about 150 ms in ALSA, which a loaded small box needs; a verdict does not mind 50 ms.
_BLOCK_MS = 50
# 5 s wait here while the box is busy; what comes after that is counted as lost.
_QUEUE_BLOCKS = 5_000 // _BLOCK_MS
# -20 dBFS RMS: an ordinary telephone level.
_TONE_PEAK = 4634
# How often a child without sound looks whether its parent still lives.
_PARENT_S = 1.0


def main() -> int:
    """Run one of the four; the exit code."""
    no_core_dumps()
    # ALSA and JACK print as they like: stdout belongs to the packets alone.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    args = _parser().parse_args()
    try:
        if args.what == "list":
            _list(out)
        elif args.what == "file":
            _play(args, out)
        elif args.what == "tone":
            _tone(args)
        else:
            return _capture(args, out)
    except SourceError as error:
        say(error)
        return 1
    except BrokenPipeError:
        # The box went away.
        os._exit(0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edge.capture.child")
    kinds = parser.add_subparsers(dest="what", required=True)
    kinds.add_parser("list")
    device, file, tone = kinds.add_parser("device"), kinds.add_parser("file"), kinds.add_parser("tone")
    for kind in (device, tone):
        kind.add_argument("identity")
    for name in ("--hertz", "--seconds"):
        tone.add_argument(name, type=float, required=True)
    device.add_argument("--rate", type=int)
    file.add_argument("path", type=Path)
    file.add_argument("--fast", action="store_true")
    for kind in (device, file):
        kind.add_argument("--channels", type=int, required=True)
    return parser


def _list(out: BinaryIO) -> None:
    import json

    out.write(json.dumps([asdict(raw) for raw in _devices(_portaudio(), "Input")]).encode())


def _play(args: argparse.Namespace, out: BinaryIO) -> None:
    from edge.capture import wavfile

    rate = 1000
    for block in wavfile.blocks(args.path, realtime=not args.fast, channels=args.channels):
        rate = block.rate
        sound = block.pcm.astype("<i2", copy=False).tobytes()
        out.write(framed(sound, channels=args.channels, rate=rate, lost=0, ended_ns=time.monotonic_ns()))
    out.write(framed(b"", channels=args.channels, rate=rate, lost=0, ended_ns=time.monotonic_ns(), flags=Flag.END))


def _portaudio() -> "pyaudio.PyAudio":
    try:
        import pyaudio
    except ImportError as error:
        raise SourceError("PyAudio is not installed", remedy="pip install 'undertone[capture]' (it needs portaudio19-dev)") from error
    try:
        return pyaudio.PyAudio()
    except OSError as error:
        raise SourceError(f"the sound system cannot be used ({error})", remedy="is ALSA or PulseAudio set up for this user?") from error


def _devices(portaudio: "pyaudio.PyAudio", way: Literal["Input", "Output"]) -> list[Raw]:
    """What can be recorded from, or played into."""
    try:
        default = portaudio.get_default_input_device_info() if way == "Input" else portaudio.get_default_output_device_info()
    except OSError:
        default = {"index": None}
    every = (portaudio.get_device_info_by_index(index) for index in range(portaudio.get_device_count()))
    return [
        Raw(
            index=int(info["index"]),
            name=str(info["name"]),
            channels=int(info[f"max{way}Channels"]),
            rate=int(info["defaultSampleRate"]),
            default=info["index"] == default["index"],
        )
        for info in every
        if info[f"max{way}Channels"] > 0
    ]


def _tone(args: argparse.Namespace) -> None:
    """Play a tone of -20 dBFS, on every channel of the output that has the identity."""
    portaudio = _portaudio()
    device = find(args.identity, identify(_devices(portaudio, "Output")), 1)
    import numpy as np
    import pyaudio

    channels = min(2, device.channels)
    time_s = np.arange(round(args.seconds * device.rate)) / device.rate
    sound = np.rint(_TONE_PEAK * np.sin(2 * np.pi * args.hertz * time_s)).astype("<i2")
    try:
        stream = portaudio.open(
            format=pyaudio.paInt16,
            channels=channels,
            rate=device.rate,
            output=True,
            output_device_index=device.index,
            # Half a second: nobody waits for a tone, and a loaded box plays it without holes.
            frames_per_buffer=device.rate // 2,
        )
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot be played into ({error})", where=device.identity, remedy="is another program using it?") from error
    print(f"undertone: {PLAYING} {device.identity}", file=sys.stderr, flush=True)
    stream.write(np.repeat(sound, channels).tobytes())
    stream.stop_stream()


def _capture(args: argparse.Namespace, out: BinaryIO) -> int:
    portaudio = _portaudio()
    try:
        device = find(args.identity, identify(_devices(portaudio, "Input")), args.channels)
    except SourceError as error:
        say(error)
        return EXIT_ABSENT
    rate = args.rate or device.rate
    ready: queue.Queue[tuple[bytes, int, bool, int]] = queue.Queue(_QUEUE_BLOCKS)
    missed = 0

    def heard(data: bytes, samples: int, _times: object, status: int) -> tuple[None, int]:
        # Runs in PortAudio's thread, under its deadline: copy, and nothing else. PyAudio gives `data` as a copy already.
        nonlocal missed
        try:
            # paInputOverflow is 2, paContinue is 0 (portaudio.h).
            ready.put_nowait((data, time.monotonic_ns(), bool(status & 2), missed))
            missed = 0
        except queue.Full:
            missed += samples
        return None, 0

    stream, opened = _open(portaudio, device, args.channels, rate, heard)
    print(f"undertone: capturing {device.identity} at {rate} Hz, {opened} channel(s)", file=sys.stderr, flush=True)
    losses, parent = Losses(rate), os.getppid()
    while os.getppid() == parent:
        try:
            data, now_ns, overflow, skipped = ready.get(timeout=_PARENT_S)
        except queue.Empty:
            if not stream.is_active():
                raise SourceError("the device stopped", where=device.identity) from None
            continue
        samples = len(data) // (SAMPLE_BYTES * opened)
        lost = skipped + losses.account(samples + skipped, now_ns, overflow=overflow)
        flags = Flag.OVERFLOW if overflow else Flag.NONE
        sound = data if opened == args.channels else _mean(data, opened)
        out.write(framed(sound, channels=args.channels, rate=rate, lost=lost, ended_ns=now_ns, flags=flags))
    return 0


def _open(
    portaudio: "pyaudio.PyAudio",
    device: Device,
    channels: int,
    rate: int,
    heard: object,
) -> tuple["pyaudio.Stream", int]:
    """The running stream and the channels it was opened with: a card that has only stereo serves a mono line too."""
    if device.channels < channels:
        raise SourceError(
            f"has {device.channels} channel(s), the line wants {channels}", where=device.identity, remedy="set channels to fit it"
        )
    import pyaudio

    problem: Exception | None = None
    for count in dict.fromkeys((channels, min(2, device.channels))):
        try:
            stream = portaudio.open(
                format=pyaudio.paInt16,
                channels=count,
                rate=rate,
                input=True,
                input_device_index=device.index,
                frames_per_buffer=rate * _BLOCK_MS // 1000,
                stream_callback=heard,
            )
        except (OSError, ValueError) as error:
            problem = error
        else:
            return stream, count
    raise SourceError(
        f"cannot be opened with {channels} channel(s) at {rate} Hz ({problem})",
        where=device.identity,
        remedy="is another program using it?",
    )


def _mean(data: bytes, channels: int) -> bytes:
    """The mean of all channels, for a mono line on a card that has only stereo."""
    import numpy as np

    mean = np.rint(np.frombuffer(data, np.int16).reshape(-1, channels).mean(axis=1))
    sound: bytes = mean.astype(np.int16).tobytes()
    return sound


if __name__ == "__main__":
    # PortAudio can hang when it is ended; there is nothing left that needs it.
    code = main()
    sys.stderr.flush()
    os._exit(code)
