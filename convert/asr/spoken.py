"""Held-out sentences spoken by synthesis, through a telephone, and heard with one language model and another."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.asr.text import Sentence
from convert.sound.degrade import telephoned
from edge.asr.recogniser import Engine
from edge.capture.wavfile import read_clip
from edge.errors import UsageError
from edge.values import Pcm

# flite's voices and one of espeak-ng's, whose words are hard to hear: each says its part.
_VOICES = ("slt", "kal16", "rms", "awb", "espeak")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordErrors:
    """Substitutions, insertions and deletions among `words` spoken words."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """0..1, and more where words are made up."""
        return self.errors / max(1, self.words)


def word_errors(sentences: Sequence[Sentence], models: Sequence[Path], told: Callable[[], None]) -> list[WordErrors]:
    """Of each model folder, on the same sound. Raises UsageError where a synthesiser is missing."""
    for program in ("flite", "espeak-ng"):
        if shutil.which(program) is None:
            raise UsageError(f"{program} is not installed", where="--speak", remedy=f"apt-get install {program}, or give --speak 0")
    engines = [Engine(model) for model in models]
    wrong = [0] * len(models)
    with tempfile.TemporaryDirectory() as folder:
        for sentence in sentences:
            sound = spoken(" ".join(sentence.words), Path(folder))
            for number, engine in enumerate(engines):
                channel = engine.channel()
                channel.accept(0, sound)
                wrong[number] += distance(sentence.words, [word.text for word in channel.finish()])
            told()
    total = sum(len(sentence.words) for sentence in sentences)
    return [WordErrors(errors=errors, words=total) for errors in wrong]


def spoken(text: str, folder: Path) -> Pcm:
    """`text` in a voice that goes by the text, as the endpointer hands it over from a G.711 line: int16, mono, 16 kHz."""
    voice = _VOICES[int(hashlib.sha256(f"voice {text}".encode()).hexdigest()[:4], 16) % len(_VOICES)]
    wav = folder / "spoken.wav"
    command = ["espeak-ng", "-w", str(wav), text] if voice == "espeak" else ["flite", "-voice", voice, "-t", text, "-o", str(wav)]
    subprocess.run(command, check=True, capture_output=True)
    return telephoned(*read_clip(wav))


def distance(spoken: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to change, put in or leave out (Levenshtein 1966)."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(spoken, 1):
        before, row[0] = row[0], at
        for to, other in enumerate(heard, 1):
            before, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, before + (word != other))
    return row[-1]
