"""Vosk: the words in a channel's speech, at call time. Nothing else in the box knows Vosk."""

import bisect
import ctypes
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge.errors import ModelError
from edge.values import SAMPLE_RATE, Pcm, Word
from edge.words.band import EmptyBand
from edge.words.kernels import chosen_kernels


@contextmanager
def _without_its_downloader() -> Iterator[None]:
    """Places for what Vosk imports and only its downloader and subtitles use: a tenth of a start."""
    places = {name: ModuleType(name) for name in ("requests", "srt", "tqdm") if name not in sys.modules}
    for place in places.values():
        # `from tqdm import tqdm`
        place.__dict__["tqdm"] = None
    sys.modules.update(places)
    try:
        yield
    finally:
        for name in places:
            del sys.modules[name]


with chosen_kernels(), _without_its_downloader():
    import vosk

# Vosk decodes what it is given at once: other blocks give other words. 0.2 s is its own examples' size, and what it costs in delay.
_BLOCK = SAMPLE_RATE // 5
# A recogniser's memory grows (250 MB to 420 MB in 4.6 minutes of one call, measured): after this much speech a pause gets a new one.
_RENEW_AFTER = 5 * 60 * SAMPLE_RATE
# More than this of music or tone has spoilt the adaptation to the speaker: a new recogniser hears better than the old one.
_SPOILT_AFTER = 2 * SAMPLE_RATE
# Vosk looks ahead: the last frames of a closed utterance come out with the next one, and a word made of them alone is nobody's.
_SPILL = SAMPLE_RATE // 25

# The shipped model's beam, and the one it gets: a third less CPU (45.2 to 29.2 s and 28.9 to 19.2 s for eight and five minutes of
# drawn calls' speech in the telephone band) for 0.4 points of WER on their 1578 words; on 78 clear acted clips 0.9 points (4 words of
# 468), and nothing saved. What any other model's makers chose is left as it is.
_BEAM, _NARROWER = "--beam=10.0", "--beam=8.0"

# Only glibc has it; other C libraries give back by themselves, or do not.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _keep: 0)


class Engine:
    """The Vosk model, one a box. `channel()` may be called from any thread; each channel belongs to one thread."""

    def __init__(self, model_dir: Path) -> None:
        vosk.SetLogLevel(-1)
        if not (model_dir / "am").is_dir() or not (model_dir / "conf").is_dir():
            raise ModelError(f"{model_dir}: not a Vosk model (no am/ and conf/ in it); run `undertone fetch-model`")
        try:
            with tempfile.TemporaryDirectory(prefix="undertone-vosk-") as folder:
                # Always a path: `lang=` would go online.
                self._model = vosk.Model(model_path=str(_for_a_box(model_dir, Path(folder))))
        except Exception as error:  # Vosk raises bare Exception
            raise ModelError(f"{model_dir}: Vosk cannot load this model ({error}); run `undertone fetch-model` again") from error

    def channel(self) -> "ChannelRecogniser":
        """A recogniser for one channel of one call."""
        return ChannelRecogniser(self._model)


def _for_a_box(model_dir: Path, folder: Path) -> Path:
    """`model_dir` as seen from `folder`, by links, with Kaldi's dither off, and a narrower beam for the model that it was measured with.

    Dither comes from the process's random numbers: the same call would have other words and times on another day (edge.words.band
    has the same noise every time).
    The files of the model itself are pinned by their sha256, so they stay.
    """
    for part in model_dir.resolve().iterdir():
        if part.name != "conf":
            (folder / part.name).symlink_to(part)
    (folder / "conf").mkdir()
    for part in (model_dir / "conf").resolve().iterdir():
        text = part.read_text(encoding="utf-8")
        more = "\n--dither=0\n" if part.name == "mfcc.conf" and "--dither" not in text else ""
        (folder / "conf" / part.name).write_text(text.replace(_BEAM, _NARROWER) + more, encoding="utf-8")
    return folder


class ChannelRecogniser:
    """One channel's words in one call. Feed an utterance with `accept`, close it with `result` or `drop`; at the end `finish`.

    The words depend on the samples alone, not on how they were cut into calls of `accept`.
    """

    def __init__(self, model: "vosk.Model") -> None:
        self._model = model
        self._words: list[Word] = []
        self._waiting: list[Pcm] = []
        self._waiting_samples = 0
        # Samples given to this recogniser; those of them in the open utterance; line clock minus samples fed, as last seen.
        self._fed = 0
        self._utterance_fed = 0
        self._shift = 0
        # Vosk has no types.
        self._recogniser: Any = None
        self._renew()

    def accept(self, start: int, pcm: Pcm) -> None:
        """More of the open utterance: int16, 1-D, 16 kHz, whose first sample is `start` on the line's clock. Gaps are allowed."""
        if not len(pcm):
            return
        received = self._fed + self._waiting_samples
        if not self._places or start - received != self._shift:
            self._fed_places.append(received)
            self._places.append(start)
            self._shift = start - received
        self._waiting.append(pcm)
        self._waiting_samples += len(pcm)
        if self._waiting_samples >= _BLOCK:
            self._feed_blocks()

    def result(self) -> tuple[Word, ...]:
        """Close the utterance: its words in order, times on the line's clock. Keeps the adaptation to the speaker."""
        self._feed_rest()
        if self._utterance_fed:
            self._take(self._recogniser.Result())
        words = tuple(self._words)
        self._close()
        if self._fed >= _RENEW_AFTER:
            self._renew()
        return words

    def drop(self) -> None:
        """Throw away what is open: it was not speech."""
        spoilt = self._utterance_fed
        if spoilt:
            self._recogniser.Result()
        self._close()
        if spoilt > _SPOILT_AFTER:
            self._renew()

    def finish(self) -> tuple[Word, ...]:
        """The call is over: the words of what was still open. The recogniser must not be fed after it."""
        self._feed_rest()
        if self._utterance_fed:
            self._take(self._recogniser.FinalResult())
        words = tuple(self._words)
        self._close()
        self._let_go()
        return words

    def _renew(self) -> None:
        self._let_go()
        self._recogniser = vosk.KaldiRecognizer(self._model, SAMPLE_RATE)
        self._recogniser.SetWords(enable_words=True)
        self._band = EmptyBand()
        self._fed = self._utterance_fed = self._shift = 0
        # Where on the line's clock (places) the audio that was fed from a count of samples on (fed_places) came from.
        self._fed_places: list[int] = []
        self._places: list[int] = []

    def _let_go(self) -> None:
        """Give the recogniser's 70 to 85 MB back to the system: the C library alone would keep them until the next call."""
        if self._recogniser is not None:
            self._recogniser = None
            _trim(0)

    def _close(self) -> None:
        self._words = []
        self._waiting, self._waiting_samples = [], 0
        self._utterance_fed = 0
        # Words of a closed utterance are not asked for again: the next accept opens the map anew.
        self._fed_places, self._places = [], []

    def _feed_blocks(self) -> None:
        pcm = np.concatenate(self._waiting)
        whole = len(pcm) // _BLOCK * _BLOCK
        for at in range(0, whole, _BLOCK):
            self._feed(pcm[at : at + _BLOCK])
        rest = pcm[whole:]
        self._waiting, self._waiting_samples = ([rest] if len(rest) else []), len(rest)

    def _feed_rest(self) -> None:
        if self._waiting:
            pcm = np.concatenate(self._waiting)
            self._waiting, self._waiting_samples = [], 0
            self._feed(pcm)

    def _feed(self, pcm: Pcm) -> None:
        self._fed += len(pcm)
        self._utterance_fed += len(pcm)
        # True: Vosk's own endpointer has closed something. Ours is the only one that counts: keep the words and go on.
        if self._recogniser.AcceptWaveform(self._band.fill(pcm).astype("<i2", copy=False).tobytes()):
            self._take(self._recogniser.Result())

    def _take(self, answer: str) -> None:
        first = self._fed_places[0] + _SPILL
        for word in json.loads(answer).get("result", ()):
            if word["end"] * SAMPLE_RATE <= first:
                continue
            start = self._place(round(word["start"] * SAMPLE_RATE))
            # The end belongs to the piece that holds the last sample, or a word before a gap would end behind it.
            end = self._place(max(0, round(word["end"] * SAMPLE_RATE) - 1)) + 1
            self._words.append(Word(text=word["word"], start=start, end=max(start, end), confidence=min(1.0, max(0.0, word["conf"]))))

    def _place(self, fed: int) -> int:
        """The line's sample of the `fed`-th sample that this recogniser was given."""
        fed = min(max(fed, self._fed_places[0]), self._fed - 1)
        piece = bisect.bisect_right(self._fed_places, fed) - 1
        return self._places[piece] + fed - self._fed_places[piece]
