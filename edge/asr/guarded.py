"""A channel's recogniser that may fail in the middle of a call: that utterance has no words, the next one gets a new recogniser."""

import logging
from collections.abc import Callable
from typing import TypeVar

from edge.asr.channel import ChannelRecogniser
from edge.values import Pcm, Word

_log = logging.getLogger("undertone.words")

_T = TypeVar("_T")


class GuardedChannel:
    """As ChannelRecogniser. `make` makes one. Kaldi may also end the whole process; then systemd starts the box again."""

    def __init__(self, make: Callable[[], ChannelRecogniser]) -> None:
        self._make = make
        self._recogniser: ChannelRecogniser | None = make()

    def accept(self, start: int, pcm: Pcm) -> None:
        """See ChannelRecogniser."""
        if self._recogniser is not None:
            self._guard(lambda recogniser: recogniser.accept(start, pcm))

    def result(self) -> tuple[Word, ...] | None:
        """Close the utterance: its words, None where the recogniser failed in it."""
        return self._closed(lambda recogniser: recogniser.result())

    def drop(self) -> None:
        """See ChannelRecogniser."""
        self._closed(lambda recogniser: recogniser.drop())

    def finish(self) -> None:
        """The call is over; what was still open is nobody's any more."""
        self._guard(lambda recogniser: recogniser.finish())
        self._recogniser = None

    def _closed(self, work: Callable[[ChannelRecogniser], _T]) -> _T | None:
        """`work`, and a recogniser for the next utterance whatever became of this one."""
        found = self._guard(work)
        if self._recogniser is None:
            try:
                self._recogniser = self._make()
            except Exception as error:  # noqa: BLE001 (Vosk raises bare Exception)
                _log.error("words.not_begun error=%s", error)
        return found

    def _guard(self, work: Callable[[ChannelRecogniser], _T]) -> _T | None:
        if self._recogniser is None:
            return None
        try:
            return work(self._recogniser)
        except Exception as error:  # noqa: BLE001 (Vosk raises bare Exception)
            # What it says is about its own insides, never about words.
            _log.error("words.failed error=%s", error)
            self._recogniser = None
            return None
