"""Recordings: everything libsndfile reads, of any width, rate and container, whatever the file is named."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edge.capture.container import SIZE_UNKNOWN, Stretch, stretches
from edge.capture.recording import Contents, Piped, Recording, StretchFile, contents, path_of
from edge.errors import SourceError, counted, one_line
from edge.values import Block, Pcm

# libsndfile's own words for a header that promises more than the file holds: "data : 96000 (should be 57576)".
_PROMISED = re.compile(r"(?im)^[\W_]*(?:riff|form|data|data size|riff size)\s*:\s*(\d+) \(should be (\d+)\)")
# What telephones (8 kHz, some 4) and sound cards (384 kHz) do; a header with another rate is damaged, and resampling 1 Hz fills any memory.
_RATES = range(4_000, 384_001)
# No recording has so many samples (3,000 years at 8 kHz): libsndfile says so where it does not know.
_SAMPLES_UNKNOWN = 1 << 50


def blocks(
    path: Recording, *, chunk_ms: float = 20, realtime: bool = False, channels: int | None = None, pick: tuple[int, ...] = ()
) -> Iterator[Block]:
    """The recording at `path` as blocks of `chunk_ms` (the last may be shorter), at its own rate.

    Float and 24-bit sound is rounded to int16, clipped at full scale. With `realtime` each block comes when a live source
    would have given it. `pick`: only these channels, counted from 1, in this order. A truncated file plays up to the cut, and one
    line on stderr says how much is missing. Streams that follow one another in one file are one recording.

    Raises SourceError (at the first block) where the file is missing, is not sound, is empty, has a rate at which nobody records, or
    has other than `channels` channels.
    """
    began, told = time.monotonic(), 0.0
    first: int | None = None
    for sound, again in _sounds(path):
        first = first or sound.channels
        if sound.channels != first:
            _warn(path, f"its streams have {first} and {sound.channels} channels: {sound.frames / sound.samplerate:.1f} s are left out")
            continue
        _check_channels(path, sound.channels, channels, pick)
        chunk = max(1, round(sound.samplerate * chunk_ms / 1000))
        done = 0
        for piece in _pieces(sound, chunk, path, again):
            chosen = piece[:, [number - 1 for number in pick]] if pick else piece
            for at in range(0, len(piece), chunk):
                pcm = chosen[at : at + chunk]
                done += len(pcm)
                told += len(pcm) / sound.samplerate
                if realtime:
                    # A live source hands a block over when its last sample has been heard.
                    time.sleep(max(0.0, began + told - time.monotonic()))
                yield Block(pcm=pcm, rate=sound.samplerate)
        _tell_missing(sound, path, done)


def read_clip(path: Recording, *, longest_s: float | None = None, pick: tuple[int, ...] = ()) -> tuple[Pcm, int]:
    """The whole recording as one channel (the mean of its channels, or of those of `pick`): int16, 1-D, and its rate.

    Raises SourceError, also where it is longer than `longest_s`: it is held in memory as a whole.
    """
    pieces, seconds = [], 0.0
    rate = None
    for block in blocks(path, chunk_ms=1000, pick=pick):
        rate = rate or block.rate
        seconds += len(block.pcm) / block.rate
        if longest_s is not None and seconds > longest_s:
            raise SourceError(
                f"is longer than {longest_s / 60:g} minutes, and is to be one utterance of one person",
                path=path_of(path),
                remedy="cut it (sox in.wav out.wav trim 0 20), or hear it as a call: undertone replay",
            )
        if block.rate != rate:
            raise SourceError(
                f"its streams have different rates ({rate} and {block.rate})",
                path=path_of(path),
                remedy="write it anew: sox in.ogg out.wav",
            )
        mono = block.pcm[:, 0] if block.pcm.shape[1] == 1 else np.rint(block.pcm.mean(axis=1)).astype(np.int16)
        pieces.append(mono)
    assert rate is not None  # noqa: S101 (a recording without sound was refused)
    return np.concatenate(pieces), rate


def channel_count(path: Recording) -> int:
    """How many channels the recording at `path` has. Raises SourceError."""
    for sound, _ in _sounds(path):
        return int(sound.channels)
    raise AssertionError


def seconds(path: Recording) -> float:
    """How long the recording at `path` is, as its header says; 0 where that does not say. Raises SourceError."""
    for sound, _ in _sounds(path):
        return float(sound.frames / sound.samplerate) if sound.frames < _SAMPLES_UNKNOWN else 0.0
    raise AssertionError


def write(path: Path, pcm: Pcm, rate: int) -> None:
    """Write int16 `pcm`, shape (samples,) or (samples, channels), as a 16-bit WAV whatever the name says."""
    soundfile.write(path, pcm, rate, subtype="PCM_16", format="WAV")


def _check_channels(path: Recording, has: int, wanted: int | None, pick: tuple[int, ...]) -> None:
    if pick and max(pick) > has:
        raise SourceError(f"has {counted(has, 'channel')}", path=path_of(path), remedy=f"there is no channel {max(pick)} to pick")
    if wanted is None or wanted == (len(pick) or has):
        return
    if has > 2:  # noqa: PLR2004 (stereo)
        remedy = "pick the two of customer and agent, counted from 1: --pick 1,2"
    else:
        fit = ("mixed", "customer,agent")[has - 1]
        remedy = f"give a recording with {counted(wanted, 'channel')}, or set channels to fit it (for this one: {fit})"
    raise SourceError(f"has {counted(has, 'channel')}, the line's channels are {wanted}", path=path_of(path), remedy=remedy)


class _Reopen:
    """Opens one stretch of a recording, as often as asked."""

    def __init__(self, path: Recording, data: Contents | None, stretch: Stretch | None) -> None:
        self._path, self._data, self._stretch = path, data, stretch

    def __call__(self) -> soundfile.SoundFile:
        """Raises SoundFileError, OSError, TypeError."""
        if self._data is None or self._stretch is None:
            # As the system names it: not every file name is UTF-8.
            return soundfile.SoundFile(os.fsencode(self._path) if isinstance(self._path, Path) else self._path)
        return soundfile.SoundFile(StretchFile(self._data, self._stretch))


def _sounds(path: Recording) -> Iterator[tuple[soundfile.SoundFile, _Reopen]]:
    """Every stream of the recording, opened, with the way to open it anew. Raises SourceError where the first cannot be."""
    with contents(path) as data:
        found = stretches(data) if data is not None else []
        if isinstance(path, Path) and (len(found) < 2 and not any(one.patches for one in found)):  # noqa: PLR2004 (one whole file)
            parts = [_Reopen(path, None, None)]
        else:
            parts = [_Reopen(path, data, one) for one in found]
        for number, part in enumerate(parts):
            try:
                sound = _open(path, part)
            except SourceError as error:
                if not number:
                    raise
                _warn(path, f"what follows its first {number} of {len(parts)} streams cannot be heard: {error}")
                return
            with sound:
                yield sound, part


def _open(path: Recording, part: _Reopen) -> soundfile.SoundFile:
    if isinstance(path, Path):
        if path.is_dir():
            raise SourceError("is a folder", path=path_of(path), remedy="name the recordings in it")
        if not path.exists():
            raise SourceError("no such file", path=path_of(path), remedy="check the path")
    try:
        if (isinstance(path, Piped) and not path.data) or (isinstance(path, Path) and path.is_file() and path.stat().st_size == 0):
            raise SourceError("is empty (0 bytes)", path=path_of(path), remedy="copy or record it again")
        sound = part()
    except PermissionError as error:
        raise SourceError("may not be read", path=path_of(path), remedy="give this user the right to read it") from error
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        if isinstance(path, Path) and not _readable(path):
            raise SourceError("may not be read", path=path_of(path), remedy="give this user the right to read it") from error
        raise SourceError("is not a recording that can be read", path=path_of(path), remedy="give WAV, FLAC, Ogg, MP3 or AIFF") from error
    if sound.frames == 0:
        sound.close()
        raise SourceError("holds no sound, only a header", path=path_of(path), remedy="record it again")
    if sound.samplerate not in _RATES:
        rate = sound.samplerate
        sound.close()
        raise SourceError(
            f"its header says {rate:,} samples a second, and nobody records with other than {_RATES[0]:,} to {_RATES[-1]:,}",
            path=path_of(path),
            remedy="write it anew with its true rate: sox -t raw -r 8000 -e signed -b 16 -c 2 in.wav out.wav",
        )
    return sound


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _pieces(sound: soundfile.SoundFile, chunk: int, path: Recording, again: _Reopen) -> Iterator[Pcm]:
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
        for piece in _up_to_break(again, chunk) if sound.seekable() else ():
            heard += len(piece)
            if heard > done:
                yield piece[done - heard :]
        if not max(done, heard):
            raise SourceError(f"its sound cannot be decoded ({error})", path=path_of(path), remedy="copy it again") from error


def _up_to_break(again: _Reopen, chunk: int) -> Iterator[Pcm]:
    """From the beginning, in a file opened anew: one whose codec is broken cannot always seek."""
    with again() as sound, suppress(soundfile.SoundFileError):
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


def _tell_missing(sound: soundfile.SoundFile, path: Recording, done: int) -> None:
    """One line on stderr where the header promised more than there was."""
    promised = float(sound.frames) if sound.frames < _SAMPLES_UNKNOWN else float(done)
    for wrote, holds in _PROMISED.findall(sound.extra_info):
        if SIZE_UNKNOWN > int(wrote) > int(holds) > 0:
            promised = max(promised, done * int(wrote) / int(holds))
    missing_s = (promised - done) / sound.samplerate
    # Headers that count bytes are a few samples off; what is shorter than a frame is not worth a word.
    if missing_s > 0.02:  # noqa: PLR2004
        heard_s = done / sound.samplerate
        _warn(path, f"cut short: {missing_s:.1f} s missing after {heard_s:.1f} s")


def _warn(path: Recording, says: str) -> None:
    print(f"undertone: warning: {one_line(str(path))}: {says}", file=sys.stderr)
