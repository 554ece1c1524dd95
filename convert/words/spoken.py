"""Rows spoken by synthesis, sent through G.711 and heard by Vosk: what the words model learns word errors from and is judged on.

Kept in a JSON-lines file outside the repository (it holds corpus lines): an interrupted run goes on where it was.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from convert.sound.degrade import telephoned
from convert.words.corpus import Row
from edge.asr.recogniser import Engine
from edge.capture.wavfile import read_clip
from edge.errors import UsageError

# flite's voices, whose words Vosk gets wrong about as often as it does people's on the telephone: 31 % (2,259 rows). espeak-ng's: 62 %.
VOICES = ("slt", "kal16", "kal", "kal16", "rms", "slt", "awb", "kal")


def read_spoken(path: Path) -> dict[str, list[str]]:
    """Row id -> heard words, from the cache at `path`; empty where there is none. Raises UsageError naming a line that is none of ours."""
    if not path.is_file():
        return {}
    spoken: dict[str, list[str]] = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                spoken[row["id"]] = [word for word, _ in row["heard"]]
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"is no spoken row ({error})", path=path, line=number, remedy="delete that line: its row is spoken again"
                ) from error
    return spoken


def speak_rows(rows: Sequence[Row], wanted: int, path: Path, vosk: Path) -> Iterator[int]:
    """Speak and hear rows, in an order by hash of id, until `path` holds `wanted`; yields how many it holds after each.

    Raises UsageError where the synthesiser is missing, ModelError for a Vosk model that cannot be used.
    """
    if shutil.which("flite") is None:
        raise UsageError("--speak: flite is not installed", remedy="apt-get install flite")
    known = read_spoken(path)
    engine = Engine(vosk)
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(rows, key=lambda row: _order(row.id))
    with path.open("a", encoding="utf-8") as file, tempfile.TemporaryDirectory() as folder:
        for row in ordered[:wanted]:
            if row.id not in known:
                file.write(json.dumps(_heard(row, engine, Path(folder))) + "\n")
                file.flush()
                known[row.id] = []
                yield len(known)


def _heard(row: Row, engine: Engine, folder: Path) -> Mapping[str, object]:
    """The row with the words that came out, each with its confidence."""
    voice = VOICES[int(_order(row.id)[-4:], 16) % len(VOICES)]
    wav = folder / "spoken.wav"
    subprocess.run(["flite", "-voice", voice, "-t", row.text, "-o", str(wav)], check=True)
    channel = engine.channel()
    channel.accept(0, telephoned(*read_clip(wav)))
    return {"id": row.id, "voice": voice, "heard": [(word.text, round(word.confidence, 3)) for word in channel.finish()]}


def _order(row_id: str) -> str:
    """A row's place and voice, from its id alone."""
    return hashlib.sha256(f"spoken{row_id}".encode()).hexdigest()
