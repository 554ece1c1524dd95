"""Recordings: everything libsndfile reads, of any width, rate and container, whatever the file is named."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.values import Block, Pcm

# libsndfile's own words for a header that promises more than the file holds: "data : 96000 (should be 57576)".
_PROMISED = re.compile(r"(?im)^[\W_]*(?:riff|form|data|data size|riff size)\s*:\s*(\d+) \(should be (\d+)\)")
# A program that wrote to a pipe could not go back to fill the size in, and left one of these: the file is whole.
_SIZE_UNKNOWN = 0x7FFF_FF00


def blocks(path: Path, *, chunk_ms: float = 20, realtime: bool = False, channels: int | None = None) -> Iterator[Block]:
    """The recording at `path` as blocks of `chunk_ms` (the last may be shorter), at its own rate.

    Float and 24-bit sound is rounded to int16, clipped at full scale. With `realtime` each block comes when a live source
    would have given it. A truncated file plays up to the cut, and one line on stderr says how much is missing.

    Raises SourceError (at the first block) where the file is missing, is not sound, is empty, or has other than
    `channels` channels.
    """
    with _open(path) as sound:
        if channels is not None and sound.channels != channels:
            wanted = "customer,agent" if sound.channels == 2 else "mixed"  # noqa: PLR2004 (stereo)
            raise SourceError(
                f"{path}: has {_count(sound.channels)}, the line's channels are {channels}; "
                f"give a recording with {_count(channels)}, or set channels to fit it (for this one: {wanted})"
            )
        chunk = max(1, round(sound.samplerate * chunk_ms / 1000))
        began, done = time.monotonic(), 0
        for piece in _pieces(sound, chunk, path):
            for at in range(0, len(piece), chunk):
                pcm = piece[at : at + chunk]
                done += len(pcm)
                if realtime:
                    # A live source hands a block over when its last sample has been heard.
                    time.sleep(max(0.0, began + done / sound.samplerate - time.monotonic()))
                yield Block(pcm=pcm, rate=sound.samplerate)
        _tell_missing(sound, path, done)


def read_clip(path: Path) -> tuple[Pcm, int]:
    """The whole recording as one channel (the mean of its channels): int16, 1-D, and its rate. Raises SourceError."""
    pieces = list(blocks(path, chunk_ms=1000))
    pcm = np.concatenate([piece.pcm for piece in pieces])
    if pcm.shape[1] == 1:
        return pcm[:, 0], pieces[0].rate
    return np.rint(pcm.mean(axis=1)).astype(np.int16), pieces[0].rate


def channel_count(path: Path) -> int:
    """How many channels the recording at `path` has. Raises SourceError."""
    with _open(path) as sound:
        return int(sound.channels)


def write(path: Path, pcm: Pcm, rate: int) -> None:
    """Write int16 `pcm`, shape (samples,) or (samples, channels), as a 16-bit WAV whatever the name says."""
    soundfile.write(path, pcm, rate, subtype="PCM_16", format="WAV")


def _open(path: Path) -> soundfile.SoundFile:
    if path.is_dir():
        raise SourceError(f"{path}: is a folder; name the recordings in it")
    if not path.exists():
        raise SourceError(f"{path}: no such file; check the path")
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{path}: is empty (0 bytes); copy or record it again")
        sound = soundfile.SoundFile(path)
    except PermissionError as error:
        raise SourceError(f"{path}: may not be read; give this user the right to read it") from error
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        if not _readable(path):
            raise SourceError(f"{path}: may not be read; give this user the right to read it") from error
        raise SourceError(f"{path}: is not a recording that can be read; give WAV, FLAC, Ogg, MP3 or AIFF") from error
    if sound.frames == 0:
        sound.close()
        raise SourceError(f"{path}: holds no sound, only a header; record it again")
    return sound


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _pieces(sound: soundfile.SoundFile, chunk: int, path: Path) -> Iterator[Pcm]:
    """The recording in whole chunks, about a second at a time: a call of libsndfile costs as much as the sound in 20 ms of it.

    Where a cut file breaks its codec, chunk by chunk up to the break.
    """
    samples, done = chunk * max(1, sound.samplerate // chunk), 0
    try:
        while len(piece := _read(sound, samples)):
            done += len(piece)
            yield piece
    except soundfile.SoundFileError as error:
        heard = 0
        for piece in _up_to_break(path, chunk) if sound.seekable() else ():
            heard += len(piece)
            if heard > done:
                yield piece[done - heard :]
        if not max(done, heard):
            raise SourceError(f"{path}: its sound cannot be decoded ({error}); copy it again") from error


def _up_to_break(path: Path, chunk: int) -> Iterator[Pcm]:
    """From the beginning, in a file opened anew: one whose codec is broken cannot always seek."""
    with _open(path) as sound, suppress(soundfile.SoundFileError):
        while len(piece := _read(sound, chunk)):
            yield piece


def _read(sound: soundfile.SoundFile, samples: int) -> Pcm:
    """The next int16 (<= samples, channels); empty at the end. Raises SoundFileError."""
    raw: NDArray[np.float32] = sound.read(samples, dtype="float32", always_2d=True)
    # float32 holds every int16 exactly, so 16-bit files come through bit for bit. A float file may hold NaN.
    # It may also hold numbers so large that scaling them overflows.
    bounded = np.nan_to_num(np.clip(raw, -1.0, 1.0), nan=0.0)
    pcm: Pcm = np.clip(np.rint(bounded * 32768.0), -32768, 32767).astype(np.int16)
    return pcm


def _tell_missing(sound: soundfile.SoundFile, path: Path, done: int) -> None:
    """One line on stderr where the header promised more than there was."""
    promised = float(sound.frames)
    for wrote, holds in _PROMISED.findall(sound.extra_info):
        if _SIZE_UNKNOWN > int(wrote) > int(holds) > 0:
            promised = max(promised, done * int(wrote) / int(holds))
    missing_s = (promised - done) / sound.samplerate
    # Headers that count bytes are a few samples off; what is shorter than a frame is not worth a word.
    if missing_s > 0.02:  # noqa: PLR2004
        heard_s = done / sound.samplerate
        print(f"undertone: warning: {path}: cut short: {missing_s:.1f} s missing after {heard_s:.1f} s", file=sys.stderr)


def _count(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
