"""Recordings that are heard as calls: real ones, actors, complaints read out, a machine's prompts and music on hold."""

import csv
import random
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convert.sound.degrade import g711, telephoned
from edge.capture import wavfile
from edge.signal.resample import frames, resample
from edge.values import SAMPLE_RATE, Pcm, Role

KINDS = CALL, ACTED, SPOKEN, PROMPTS, MUSIC = "call", "acted", "spoken", "prompts", "music"
# Corpus, language, and what of a clip's path names its speaker.
_CORPORA = (
    ("savee", "en", "folder"),
    ("ravdess", "en", "folder"),
    ("emovo", "it", "folder"),
    ("nemo", "pl", "folder"),
    ("ased", "am", "name"),
)
_SPEAKERS, _CLIPS = 4, 8
_VOICES = (
    ("en_US_f_Allison", "en"), ("es_MX_f_Allison", "es"), ("fr_CA_f_June", "fr"), ("it_IT_m_Carlo", "it"), ("it_IT_f_Menardi", "it"),
    ("ru_RU_f_IvrvoiceRU", "ru"),
)  # fmt: skip
# Shorter prompts are digits and letters.
_PROMPT_BYTES = 24_000
_SECONDS = 90
_READERS = ("slt", "kal16", "rms", "awb", "kal")
_COMPLAINTS, _A_CALL = 40, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording that is heard as one call: int16 (channels, samples)."""

    name: str
    language: str
    kind: str
    roles: tuple[Role, ...]
    pcm: Pcm = field(repr=False)


def recordings(data: Path, prompts: Path | None) -> Iterator[Recorded]:
    """Real calls, each side of those that have two as the customer; actors; complaints; prompts and music."""
    with (data / "calls" / "calls.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            name, roles = row["path"].removesuffix(".flac"), tuple(Role(role) for role in row["channels"].split(","))
            kind = MUSIC if name.startswith("hold_") else PROMPTS if name.startswith("ivr_") else CALL
            blocks = wavfile.blocks(data / "calls" / row["path"], chunk_ms=200, realtime=False, channels=len(roles))
            pcm = np.concatenate([frame.pcm for frame in frames(blocks)], axis=1)
            yield Recorded(name=name, language="es" if name == "ivr_es" else "en", kind=kind, roles=roles, pcm=pcm)
            if len(roles) > 1:
                yield Recorded(name=f"{name} turned round", language="en", kind=CALL, roles=roles, pcm=pcm[::-1].copy())
    for corpus, language, named in _CORPORA:
        yield from _actors(data / corpus, language, named)
    yield from _complaints(data / "text" / "train.csv")
    if prompts is not None:
        yield from _machines(prompts)


def _actors(folder: Path, language: str, named: str) -> Iterator[Recorded]:
    speakers: dict[str, list[Path]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".flac", ".opus")):
        speakers.setdefault(path.parent.name if named == "folder" else path.stem.rpartition("-")[2], []).append(path)
    for speaker in sorted(speakers)[:_SPEAKERS]:
        clips = random.Random(f"{folder.name} {speaker}").sample(speakers[speaker], min(_CLIPS, len(speakers[speaker])))
        yield _joined(f"{folder.name} {speaker}", language, ACTED, [g711(resample(*wavfile.read_clip(path))) for path in clips])


def _complaints(path: Path) -> Iterator[Recorded]:
    with path.open(encoding="utf-8") as handle:
        rows = [row["text"] for row in csv.DictReader(handle) if row["label"] == "negative"]
    chosen = random.Random(18).sample(rows, _COMPLAINTS)
    for number, at in enumerate(range(0, _COMPLAINTS, _A_CALL)):
        with tempfile.TemporaryDirectory() as folder:
            clips = [_read_out(text, _READERS[number % len(_READERS)], Path(folder) / "read.wav") for text in chosen[at : at + _A_CALL]]
        yield _joined(f"complaints {number + 1}", "en", SPOKEN, clips)


def _read_out(text: str, voice: str, wav: Path) -> Pcm:
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True, capture_output=True)
    return telephoned(*wavfile.read_clip(wav))


def _machines(folder: Path) -> Iterator[Recorded]:
    for voice, language in _VOICES:
        paths = sorted(path for path in folder.glob(f"**/sounds/{voice}/*.wav") if path.stat().st_size > _PROMPT_BYTES)
        random.Random(voice).shuffle(paths)
        clips: list[Pcm] = []
        for path in paths:
            clips.append(g711(resample(*wavfile.read_clip(path))))
            if sum(map(len, clips)) > _SECONDS * SAMPLE_RATE:
                break
        if clips:
            yield _joined(f"prompts {voice}", language, PROMPTS, clips)
    for path in sorted(folder.glob("**/moh/*.wav")):
        pcm = g711(resample(*wavfile.read_clip(path)))[: _SECONDS * SAMPLE_RATE]
        yield Recorded(name=path.stem, language="-", kind=MUSIC, roles=(Role.CUSTOMER,), pcm=pcm[None])


def _joined(name: str, language: str, kind: str, clips: Iterable[Pcm]) -> Recorded:
    noise = np.random.default_rng(18).normal(0, 8, SAMPLE_RATE).astype(np.int16)
    pcm = np.concatenate([part for clip in clips for part in (clip, noise)])
    return Recorded(name=name, language=language, kind=kind, roles=(Role.CUSTOMER,), pcm=pcm[None])
