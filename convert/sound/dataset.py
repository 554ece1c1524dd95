"""Clips to spectrograms, in several degraded copies each, worked out once and kept in a cache folder.

A cache is one folder a corpus: `meta.json` (clips in order, why some were skipped, lengths) and one `copy-NAME.npy` (float16, (all frames,
bands, planes)) a copy.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.sound import degrade
from convert.sound.corpora import Clip
from convert.workers import begin_worker
from edge.capture.wavfile import blocks, read_clip
from edge.errors import SourceError, UsageError
from edge.files.durable import replace_whole
from edge.signal.features import spectrogram
from edge.signal.resample import resample
from edge.signal.spec import SPEC
from edge.values import SAMPLE_RATE, Pcm

# A clip longer than this is cut: memory stays bounded, and a net that sees 3 s learns nothing from minutes with one label.
_LONGEST = 20 * SAMPLE_RATE
# Below 0.2 s there is no syllable to hear an emotion in.
_SHORTEST = SAMPLE_RATE // 5
_DONE = "meta.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Clips with the spectrograms of their copies: `copies[name][i]` is float16, (frames, bands, planes), of `clips[i]`."""

    clips: tuple[Clip, ...]
    copies: dict[str, list[NDArray[np.float16]]]

    def only(self, chosen: Sequence[int]) -> "Prepared":
        """The clips at the places `chosen`."""
        return replace(
            self,
            clips=tuple(self.clips[i] for i in chosen),
            copies={name: [made[i] for i in chosen] for name, made in self.copies.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """One corpus in the cache: its clips that could be used, and the folder of their spectrograms. What another process is given."""

    clips: tuple[Clip, ...]
    folder: Path


def load_pcm(clip: Clip) -> Pcm:
    """A clip's sound: int16, mono, 16 kHz, at most 20 s. Raises SourceError for what cannot be read or is too short."""
    pcm = _piece(clip.path, *clip.piece) if clip.piece else resample(*read_clip(clip.path))
    pcm = pcm[:_LONGEST]
    if len(pcm) < _SHORTEST:
        raise SourceError(
            f"{len(pcm) / SAMPLE_RATE:.2f} s is too short to train on (0.2 s at least)", path=clip.path, remedy="leave it out"
        )
    if not pcm.any():
        raise SourceError("is silent", path=clip.path, remedy="leave it out")
    return pcm


def _piece(path: Path, channel: int, start: int, end: int) -> Pcm:
    return _channel(path, channel)[start:end]


@lru_cache(maxsize=4)
def _channel(path: Path, channel: int) -> Pcm:
    """One channel of a call, at 16 kHz: its pieces are asked for one after another."""
    heard = list(blocks(path, chunk_ms=1000, pick=(channel,)))
    return resample(np.concatenate([block.pcm[:, 0] for block in heard]), heard[0].rate)


def cache(clips: Sequence[Clip], root: Path, *, copies: int, seed: int, street: Sequence[Path] = (), workers: int = 2) -> list[Cached]:
    """Spectrograms of `clips`: as they are ("wide"), through a plain G.711 line ("phone"), and `copies` random calls ("call1", ...).

    `street`: recordings of noise that some of the random calls have behind them.

    What is below `root` already is not made again. A bad clip is named on stderr and left out. Raises UsageError naming a corpus
    in which no clip could be used.
    """
    parts = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        chosen = [clip for clip in clips if clip.corpus == corpus]
        folder = root / f"{corpus}-{_key(chosen, copies, seed, street)}"
        if not (folder / _DONE).exists():
            _make(chosen, folder, copies=copies, seed=seed, street=street, workers=workers)
        meta = json.loads((folder / _DONE).read_text())
        for reason in meta["skipped"]:
            print(f"undertone-convert: warning: skipped: {reason}", file=sys.stderr)
        if not meta["kept"]:
            raise UsageError(f"not one of its {len(chosen)} clips could be used", where=f"--{corpus}", remedy="see the warnings above")
        parts.append(Cached(clips=tuple(chosen[i] for i in meta["kept"]), folder=folder))
    return parts


def load(parts: Sequence[Cached]) -> Prepared:
    """What `cache` left. The spectrograms stay on the disk until they are looked at, and processes share their memory."""
    clips: list[Clip] = []
    copies: dict[str, list[NDArray[np.float16]]] = {}
    for part in parts:
        clips += part.clips
        for name, lengths in json.loads((part.folder / _DONE).read_text())["lengths"].items():
            whole = np.asarray(np.load(part.folder / f"copy-{name}.npy", mmap_mode="r"))
            copies.setdefault(name, []).extend(np.split(whole, np.cumsum(lengths)[:-1]))
    return Prepared(clips=tuple(clips), copies=copies)


def copies_of(index: int, clip: Clip, others: Sequence[Clip], copies: int, seed: int, street: Path | None = None) -> dict[str, Pcm]:
    """The PCM of every copy of `clip`; `others` are the clips that babble is made of. Raises SourceError."""
    rng = np.random.default_rng([seed, index])
    pcm = load_pcm(clip)
    made = {"wide": pcm, "phone": degrade.g711(pcm)}
    voices = []
    for other in others if copies else ():
        # A bad clip is named in its own turn; it takes no other with it.
        with suppress(SourceError):
            voices.append(load_pcm(other))
    # Speech played backwards is as good as another voice for babble, and costs no reading.
    voices += [voice[::-1] for voice in voices]
    noise = resample(*read_clip(street)) if street else None
    for number in range(1, copies + 1):
        made[f"call{number}"] = degrade.telephone_call(pcm, voices, rng, noise)
    return made


def distinct(clips: Sequence[Clip]) -> list[Clip]:
    """`clips` without those whose files are others' byte for byte, each named on stderr: in two splits they would be a leak.

    Pieces of one recording are one another's only where they begin and end alike.
    """
    seen: dict[tuple[int, str, tuple[int, int, int] | None], Clip] = {}
    kept = []
    for clip in clips:
        if clip.path.is_file():
            key = (clip.path.stat().st_size, hashlib.sha256(clip.path.read_bytes()).hexdigest(), clip.piece)
            if key in seen:
                print(f"undertone-convert: warning: the same recording twice: {clip.path} is {seen[key].path}; left out", file=sys.stderr)
                continue
            seen[key] = clip
        kept.append(clip)
    return kept


def _key(clips: Sequence[Clip], copies: int, seed: int, street: Sequence[Path]) -> str:
    """Changes with whatever the spectrograms depend on."""
    files = ((clip.path, clip.path.stat() if clip.path.exists() else None) for clip in clips)
    text = json.dumps([[str(path), [known.st_size, known.st_mtime_ns] if known else None] for path, known in files])
    text += json.dumps([[str(path) for path in street], [clip.piece for clip in clips]])
    return hashlib.sha256(f"{text}{SPEC}{copies}{seed}{degrade.VERSION}".encode()).hexdigest()[:12]


_Job = tuple[int, Clip, tuple[Clip, ...], int, int, Path | None]


def _one(job: _Job) -> dict[str, NDArray[np.float16]] | str:
    """The spectrograms of one clip's copies, or why there are none."""
    try:
        return {name: spectrogram(pcm).astype(np.float16) for name, pcm in copies_of(*job).items()}
    except SourceError as error:
        return str(error)


def _jobs(clips: Sequence[Clip], copies: int, seed: int, street: Sequence[Path]) -> Iterator[_Job]:
    rng = np.random.default_rng(seed)
    for index, clip in enumerate(clips):
        other = clips[int(rng.integers(len(clips)))]
        yield index, clip, (other,), copies, seed, street[int(rng.integers(len(street)))] if street else None


def _make(clips: Sequence[Clip], folder: Path, *, copies: int, seed: int, street: Sequence[Path], workers: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[int] = []
    skipped: list[str] = []
    made: dict[str, list[NDArray[np.float16]]] = {}
    with ProcessPoolExecutor(workers, initializer=begin_worker) as pool:
        results = pool.map(_one, _jobs(clips, copies, seed, street), chunksize=16)
        for index, result in enumerate(tqdm(results, total=len(clips), desc=f"features {clips[0].corpus}", unit="clip", disable=None)):
            if isinstance(result, str):
                skipped.append(result)
                continue
            kept.append(index)
            for name, spectrum in result.items():
                made.setdefault(name, []).append(spectrum)
    for name, spectra in made.items():
        np.save(folder / f"copy-{name}.npy", np.concatenate(spectra))
    lengths = {name: [len(s) for s in spectra] for name, spectra in made.items()}
    replace_whole(folder / _DONE, json.dumps({"kept": kept, "skipped": skipped, "lengths": lengths}).encode())
