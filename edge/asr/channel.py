"""The words of one channel of one call, at call time, from a decoder that counts what it was fed."""

import bisect
import ctypes
import json
from typing import Protocol

import numpy as np

from edge.asr.band import EmptyBand
from edge.asr.spares import Spares
from edge.values import SAMPLE_RATE, Pcm, Word

# Vosk decodes what it is given at once: other blocks give other words. 0.2 s is its own examples' size, and what it costs in delay.
BLOCK = SAMPLE_RATE // 5
# A recogniser's memory grows (250 MB to 420 MB in 4.6 minutes of one call, measured): after this much speech a pause gets a new one.
_RENEW_AFTER = 5 * 60 * SAMPLE_RATE
# One that has heard so much of earlier calls goes with its last: eight lines' recognisers would hold half a gigabyte more otherwise.
_WORN_AFTER = 2 * 60 * SAMPLE_RATE
# More than this of music or tone has spoilt the adaptation to the speaker: a new recogniser hears better than the old one.
_SPOILT_AFTER = 2 * SAMPLE_RATE
# Vosk looks ahead: the last frames of a closed utterance come out with the next one, and a word made of them alone is nobody's.
_SPILL = SAMPLE_RATE // 25
# Only glibc has it; other C libraries give back by themselves, or do not.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _keep: 0)


class Decoder(Protocol):
    """Vosk's recogniser (edge.asr.recogniser). Its times count from the first sample that it was ever fed."""

    fed: int

    def accept(self, pcm: Pcm) -> str | None:
        """Hear `pcm`; the result as JSON where Vosk's own endpointer has closed something."""

    def result(self) -> str:
        """Close what is open, and keep the adaptation to the speaker."""

    def rest(self) -> str:
        """Close what is open, and forget the speaker."""


def warm(decoder: Decoder, speech: Pcm) -> None:
    """Have `decoder` hear `speech` (int16, 1-D, 16 kHz), for what it does to its graph."""
    band = EmptyBand()
    for at in range(0, len(speech), BLOCK):
        decoder.accept(band.fill(speech[at : at + BLOCK]))
    decoder.rest()


class ChannelRecogniser:
    """One channel's words in one call. Feed an utterance with `accept`, close it with `result` or `drop`; at the end `finish`.

    The words depend on the samples alone, not on how they were cut into calls of `accept`.
    """

    def __init__(self, spares: Spares[Decoder]) -> None:
        self._spares = spares
        self._words: list[Word] = []
        self._waiting: list[Pcm] = []
        self._waiting_samples = 0
        # Samples given to this recogniser; those of them in the open utterance; line clock minus samples fed, as last seen.
        self._fed = 0
        self._utterance_fed = 0
        self._shift = 0
        self._decoder: Decoder | None = None
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
        if self._waiting_samples >= BLOCK:
            self._feed_blocks()

    def result(self) -> tuple[Word, ...]:
        """Close the utterance: its words in order, times on the line's clock. Keeps the adaptation to the speaker."""
        self._feed_rest()
        if self._utterance_fed:
            self._take(self._open.result())
        words = tuple(self._words)
        self._close()
        if self._fed >= _RENEW_AFTER:
            self._renew()
        return words

    def drop(self) -> None:
        """Throw away what is open: it was not speech."""
        spoilt = self._utterance_fed
        if spoilt:
            self._open.result()
        self._close()
        if spoilt > _SPOILT_AFTER:
            self._renew()

    def finish(self) -> tuple[Word, ...]:
        """The call is over: the words of what was still open. The recogniser must not be fed after it."""
        self._feed_rest()
        if self._utterance_fed:
            self._take(self._open.rest())
        words = tuple(self._words)
        self._close()
        self._let_go()
        return words

    @property
    def _open(self) -> Decoder:
        """What decodes; a recogniser that is finished has none."""
        assert self._decoder is not None  # noqa: S101 (see above)
        return self._decoder

    def _renew(self) -> None:
        self._let_go()
        self._decoder = self._spares.take()
        self._band = EmptyBand()
        self._fed = self._decoder.fed
        self._utterance_fed = self._shift = 0
        # Where on the line's clock (places) the audio that was fed from a count of samples on (fed_places) came from.
        self._fed_places: list[int] = []
        self._places: list[int] = []

    def _let_go(self) -> None:
        """Let the next call have it. One that has grown goes, its 70 to 85 MB to the system: the C library alone would keep them."""
        decoder, self._decoder = self._decoder, None
        if decoder is None:
            return
        decoder.rest()
        if not self._spares.give_back(decoder, worn=decoder.fed >= _WORN_AFTER):
            del decoder
            _trim(0)

    def _close(self) -> None:
        self._words = []
        self._waiting, self._waiting_samples = [], 0
        self._utterance_fed = 0
        # Words of a closed utterance are not asked for again: the next accept opens the map anew.
        self._fed_places, self._places = [], []

    def _feed_blocks(self) -> None:
        pcm = np.concatenate(self._waiting)
        whole = len(pcm) // BLOCK * BLOCK
        for at in range(0, whole, BLOCK):
            self._feed(pcm[at : at + BLOCK])
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
        # Vosk's own endpointer may close something. Ours is the only one that counts: keep the words and go on.
        if (closed := self._open.accept(self._band.fill(pcm))) is not None:
            self._take(closed)

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
