"""Clips to spectrograms, in several degraded copies each, worked out once and kept in a cache folder.

A cache is one folder a corpus: `meta.json` (clips in order, lengths) and one `copy-NAME.npy` (float16, (all frames, bands, planes)) a copy.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert import degrade
from convert.corpora import Clip
from edge.capture.wavfile import read_clip
from edge.errors import SourceError
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
    """Clips with the spectrograms of their copies: `copies[name][i]` is float16, (frames, bands, planes), of `clips[i]`.

    `whole` reads all of it from the cache again: what another process is given instead of gigabytes.
    """

    clips: tuple[Clip, ...]
    copies: dict[str, list[NDArray[np.float16]]]
    whole: "Callable[[], Prepared]"

    def only(self, chosen: Sequence[int]) -> "Prepared":
        """The clips at the places `chosen`."""
        return replace(
            self,
            clips=tuple(self.clips[i] for i in chosen),
            copies={name: [made[i] for i in chosen] for name, made in self.copies.items()},
        )


def load_pcm(clip: Clip) -> Pcm:
    """A clip's sound: int16, mono, 16 kHz, at most 20 s. Raises SourceError for what cannot be read or is too short."""
    pcm, rate = read_clip(clip.path)
    pcm = resample(pcm, rate)[:_LONGEST]
    if len(pcm) < _SHORTEST:
        raise SourceError(f"{clip.path}: {len(pcm) / SAMPLE_RATE:.2f} s is too short to train on (0.2 s at least); leave it out")
    if not pcm.any():
        raise SourceError(f"{clip.path}: is silent; leave it out")
    return pcm


def prepare(clips: Sequence[Clip], cache: Path, *, copies: int, seed: int, workers: int = 2) -> Prepared:
    """Spectrograms of `clips`: as they are ("wide"), through a plain G.711 line ("phone"), and `copies` random calls ("call1", ...).

    What the cache holds already is not made again. A bad clip is named on stderr and left out.
    """
    parts = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        chosen = [clip for clip in clips if clip.corpus == corpus]
        folder = cache / f"{corpus}-{_key(chosen, copies, seed)}"
        if not (folder / _DONE).exists():
            _make(chosen, folder, copies=copies, seed=seed, workers=workers)
        parts.append(_load(chosen, folder))
    names = list(parts[0][1])
    return Prepared(
        clips=tuple(clip for part in parts for clip in part[0]),
        copies={name: [made for part in parts for made in part[1][name]] for name in names},
        whole=partial(prepare, clips, cache, copies=copies, seed=seed),
    )


def copies_of(index: int, clip: Clip, others: Sequence[Clip], copies: int, seed: int) -> dict[str, Pcm]:
    """The PCM of every copy of `clip`; `others` are the clips that babble is made of. Raises SourceError."""
    rng = np.random.default_rng([seed, index])
    pcm = load_pcm(clip)
    made = {"wide": pcm, "phone": degrade.g711(pcm)}
    voices = [load_pcm(other) for other in others] if copies else []
    # Speech played backwards is as good as another voice for babble, and costs no reading.
    voices += [voice[::-1] for voice in voices]
    for number in range(1, copies + 1):
        made[f"call{number}"] = degrade.telephone_call(pcm, voices, rng)
    return made


def duplicates(clips: Sequence[Clip]) -> list[tuple[Clip, Clip]]:
    """Pairs of clips whose files are the same byte for byte: in two splits they would be a leak."""
    seen: dict[tuple[int, str], Clip] = {}
    found = []
    for clip in clips:
        if not clip.path.is_file():
            continue
        key = (clip.path.stat().st_size, hashlib.sha256(clip.path.read_bytes()).hexdigest())
        if key in seen:
            found.append((seen[key], clip))
        else:
            seen[key] = clip
    return found


def _key(clips: Sequence[Clip], copies: int, seed: int) -> str:
    """Changes with whatever the spectrograms depend on."""
    text = json.dumps([[str(c.path), c.path.stat().st_size if c.path.exists() else 0] for c in clips])
    return hashlib.sha256(f"{text}{SPEC}{copies}{seed}{degrade.VERSION}".encode()).hexdigest()[:12]


def _one(job: tuple[int, Clip, tuple[Clip, ...], int, int]) -> dict[str, NDArray[np.float16]] | str:
    """The spectrograms of one clip's copies, or why there are none."""
    try:
        return {name: spectrogram(pcm).astype(np.float16) for name, pcm in copies_of(*job).items()}
    except SourceError as error:
        return str(error)


def _jobs(clips: Sequence[Clip], copies: int, seed: int) -> Iterator[tuple[int, Clip, tuple[Clip, ...], int, int]]:
    rng = np.random.default_rng(seed)
    for index, clip in enumerate(clips):
        yield index, clip, (clips[int(rng.integers(len(clips)))],), copies, seed


def _make(clips: Sequence[Clip], folder: Path, *, copies: int, seed: int, workers: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[int] = []
    made: dict[str, list[NDArray[np.float16]]] = {}
    with ProcessPoolExecutor(workers) as pool:
        results = pool.map(_one, _jobs(clips, copies, seed), chunksize=16)
        for index, result in enumerate(tqdm(results, total=len(clips), desc=f"features {clips[0].corpus}", unit="clip")):
            if isinstance(result, str):
                print(f"undertone-convert: warning: skipped: {result}", file=sys.stderr)
                continue
            kept.append(index)
            for name, spectrum in result.items():
                made.setdefault(name, []).append(spectrum)
    for name, spectra in made.items():
        np.save(folder / f"copy-{name}.npy", np.concatenate(spectra))
    lengths = {name: [len(s) for s in spectra] for name, spectra in made.items()}
    (folder / _DONE).write_text(json.dumps({"kept": kept, "lengths": lengths}))


def _load(clips: Sequence[Clip], folder: Path) -> tuple[list[Clip], dict[str, list[NDArray[np.float16]]]]:
    """The clips that could be used, and their copies."""
    meta = json.loads((folder / _DONE).read_text())
    copies = {}
    for name, lengths in meta["lengths"].items():
        whole = np.load(folder / f"copy-{name}.npy")
        copies[name] = np.split(whole, np.cumsum(lengths)[:-1])
    return [clips[i] for i in meta["kept"]], copies
