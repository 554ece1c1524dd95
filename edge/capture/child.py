"""The process that touches PortAudio, because PortAudio can hang or crash when a USB device goes; also the one that plays files.

    python -m edge.capture.child list                                 inputs as JSON
    python -m edge.capture.child device IDENTITY --channels N         a device, for ever
    python -m edge.capture.child file PATH --channels N [--fast]      a recording, once

Sound goes to stdout as framed packets (edge.capture.wire), reasons go to stderr. Exit code 3: the device is not there.
"""

import argparse
import json
import os
import queue
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from edge.capture import wavfile
from edge.capture.devices import Device, Raw, find, identify
from edge.capture.losses import Losses
from edge.capture.wire import EXIT_ABSENT, Flag, Packet, pack
from edge.errors import SourceError
from edge.values import Pcm

if TYPE_CHECKING:
    import pyaudio

# 50 ms: PortAudio then keeps about 150 ms in ALSA, which a loaded small box needs; a verdict does not mind 50 ms.
_BLOCK_MS = 50
# 5 s wait here while the box is busy; what comes after that is counted as lost.
_QUEUE_BLOCKS = 5_000 // _BLOCK_MS
# How often a child without sound looks whether its parent still lives.
_PARENT_S = 1.0


def main() -> int:
    """Run one of the three; the exit code."""
    # ALSA and JACK print as they like: stdout belongs to the packets alone.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    args = _parser().parse_args()
    try:
        if args.what == "list":
            out.write(json.dumps([{f: getattr(raw, f) for f in raw.__struct_fields__} for raw in _inputs(_portaudio())]).encode())
        elif args.what == "file":
            _play(args, out)
        else:
            return _capture(args, out)
    except SourceError as error:
        print(f"undertone: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The box went away.
        os._exit(0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edge.capture.child")
    kinds = parser.add_subparsers(dest="what", required=True)
    kinds.add_parser("list")
    device, file = kinds.add_parser("device"), kinds.add_parser("file")
    device.add_argument("identity")
    device.add_argument("--rate", type=int)
    file.add_argument("path", type=Path)
    file.add_argument("--fast", action="store_true")
    for kind in (device, file):
        kind.add_argument("--channels", type=int, required=True)
    return parser


def _play(args: argparse.Namespace, out: BinaryIO) -> None:
    rate = 1000
    for block in wavfile.blocks(args.path, realtime=not args.fast, channels=args.channels):
        rate = block.rate
        out.write(pack(Packet(pcm=block.pcm, rate=rate, lost=0, ended_ns=time.monotonic_ns())))
    end = np.zeros((0, args.channels), np.int16)
    out.write(pack(Packet(pcm=end, rate=rate, lost=0, ended_ns=time.monotonic_ns(), flags=Flag.END)))


def _portaudio() -> "pyaudio.PyAudio":
    try:
        import pyaudio
    except ImportError as error:
        raise SourceError("PyAudio is not installed; pip install 'undertone[capture]' (it needs portaudio19-dev)") from error
    try:
        return pyaudio.PyAudio()
    except OSError as error:
        raise SourceError(f"the sound system cannot be used ({error}); is ALSA or PulseAudio set up for this user?") from error


def _inputs(portaudio: "pyaudio.PyAudio") -> list[Raw]:
    try:
        default = portaudio.get_default_input_device_info()["index"]
    except OSError:
        default = None
    every = (portaudio.get_device_info_by_index(index) for index in range(portaudio.get_device_count()))
    return [
        Raw(
            index=int(info["index"]),
            name=str(info["name"]),
            channels=int(info["maxInputChannels"]),
            rate=int(info["defaultSampleRate"]),
            default=info["index"] == default,
        )
        for info in every
        if info["maxInputChannels"] > 0
    ]


def _capture(args: argparse.Namespace, out: BinaryIO) -> int:
    portaudio = _portaudio()
    try:
        device = find(args.identity, identify(_inputs(portaudio)), args.channels)
    except SourceError as error:
        print(f"undertone: {error}", file=sys.stderr)
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
                raise SourceError(f"{device.identity}: the device stopped") from None
            continue
        pcm = _fold(np.frombuffer(data, np.int16).reshape(-1, opened), args.channels)
        lost = skipped + losses.account(len(pcm) + skipped, now_ns, overflow=overflow)
        flags = Flag.OVERFLOW if overflow else Flag.NONE
        out.write(pack(Packet(pcm=pcm, rate=rate, lost=lost, ended_ns=now_ns, flags=flags)))
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
        raise SourceError(f"{device.identity}: has {device.channels} channel(s), the line wants {channels}; set channels to fit it")
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
        f"{device.identity}: cannot be opened with {channels} channel(s) at {rate} Hz ({problem}); is another program using it?"
    )


def _fold(pcm: Pcm, channels: int) -> Pcm:
    """`pcm` (samples, opened) as the line's channels: the mean where the card gave more."""
    if pcm.shape[1] == channels:
        return pcm
    mean: Pcm = np.rint(pcm.mean(axis=1, keepdims=True)).astype(np.int16)
    return mean


if __name__ == "__main__":
    # PortAudio can hang when it is ended; there is nothing left that needs it.
    code = main()
    sys.stderr.flush()
    os._exit(code)
