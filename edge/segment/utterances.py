"""The only endpointer: from decisions on frames to utterances. Vosk's own endpoint never closes one."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from edge.segment.activity import Voicing
from edge.segment.music import is_music
from edge.values import FRAME_SAMPLES, Pcm, Role, SpeechAudio, SpeechDropped, SpeechStarted, Utterance

# 0.3 s and 0.5 s: with these Vosk's word error rate on cut speech is that of whole speech (measured, see DESIGN).
_PRE_ROLL: Final = 15
_HANGOVER: Final = 25
# 100 ms of activity within 160 ms, 60 ms of it with pitch: clicks and lip noise stay below, "no" stays above.
_ONSET_WINDOW, _ONSET_ACTIVE, _ONSET_PERIODIC = 8, 5, 3
# "No" and "yes" have about 200 ms of voice; coughs and knocks less, or no pitch.
_LEAST_ACTIVE, _LEAST_PERIODIC = 8, 4
# A monologue is cut at its quietest 200 ms after 12 s, at 20 s at the latest: a reading within 20 s, Vosk's latency bound.
_CUT_FROM, _CUT_AT, _QUIET_FRAMES = 600, 1000, 10
# Music is known after two seconds. A second of one voice may by chance be as steady as music is on average.
_MUSIC_KNOWN_AFTER, _MUSIC_LEAST = 100, 50
_QUIET_POWER: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointerFrame:
    """One frame of one channel as the endpointer gets it; `voicing.active` only where it is this speaker's own speech."""

    start: int
    pcm: Pcm = field(repr=False)
    voicing: Voicing
    level_dbfs: float
    lost: bool
    steadiness: float | None = None


def _is_speech(frames: list[EndpointerFrame]) -> bool:
    """Whether there is enough voice in `frames`, and no music."""
    active = [heard for heard in frames if heard.voicing.active]
    if len(active) < _LEAST_ACTIVE or sum(heard.voicing.periodic for heard in active) < _LEAST_PERIODIC:
        return False
    return not is_music([heard.steadiness for heard in active], least=_MUSIC_LEAST)


class Endpointer:
    """Cuts one channel into utterances. A frame is in at most one utterance, and in it once."""

    def __init__(self, channel: int, role: Role) -> None:
        self._channel, self._role = channel, role
        self._recent: deque[EndpointerFrame] = deque(maxlen=_PRE_ROLL + _ONSET_WINDOW)
        self._open: list[EndpointerFrame] = []
        self._handed = 0
        self._since_active = 0
        self._turn, self._part = -1, 0
        self._cut = 0

    @property
    def is_open(self) -> bool:
        """Whether somebody is speaking, hangover included."""
        return bool(self._open)

    def update(self, heard: EndpointerFrame) -> Iterator[SpeechStarted | SpeechAudio | SpeechDropped | Utterance]:
        """Take one frame; say what became known by it."""
        if not self._open:
            self._recent.append(heard)
            # Only a frame with voice can be the one that completes an onset.
            if heard.voicing.active and self._has_onset():
                yield from self._start()
            return
        self._open.append(heard)
        self._since_active = 0 if heard.voicing.active else self._since_active + 1
        if self._since_active >= _HANGOVER:
            yield from self.close()
            return
        yield from self._monologue()

    def close(self) -> Iterator[SpeechAudio | SpeechDropped | Utterance]:
        """End what is open, here and now: an utterance, or a drop if there was too little voice in it."""
        if not self._open:
            return
        yield from self._hand_over(len(self._open))
        frames, part = self._open, self._part
        self._forget()
        if _is_speech(frames):
            yield self._utterance(frames, part)
        else:
            yield SpeechDropped(channel=self._channel)

    def retract(self, frames: int) -> None:
        """The last `frames` were no voice but a tone, which is known only now."""
        for memory in (self._open, self._recent):
            for place in range(max(0, len(memory) - frames), len(memory)):
                memory[place] = replace(memory[place], voicing=memory[place].voicing.silent())
        if self._open:
            self._since_active = next((n for n, heard in enumerate(reversed(self._open)) if heard.voicing.active), len(self._open))

    def music(self) -> Iterator[SpeechAudio | SpeechDropped | Utterance]:
        """The last two seconds were music: an utterance if there was speech before them, else a drop."""
        before = len(self._open) - _MUSIC_KNOWN_AFTER
        if before <= 0 or not _is_speech(self._open[:before]):
            was_open = self.is_open
            self._forget()
            if was_open:
                yield SpeechDropped(channel=self._channel)
            return
        self.retract(_MUSIC_KNOWN_AFTER)
        yield from self.close()

    def _forget(self) -> None:
        # An empty memory keeps the next pre-roll from reaching into this hangover: no sample is handed over twice.
        self._recent.clear()
        self._open, self._handed, self._part, self._cut = [], 0, 0, 0

    def _has_onset(self) -> bool:
        window = list(self._recent)[-_ONSET_WINDOW:]
        active = sum(heard.voicing.active for heard in window)
        return active >= _ONSET_ACTIVE and sum(heard.voicing.periodic for heard in window) >= _ONSET_PERIODIC

    def _start(self) -> Iterator[SpeechStarted | SpeechAudio]:
        recent = list(self._recent)
        fresh = max(0, len(recent) - _ONSET_WINDOW)
        onset = next(i for i in range(fresh, len(recent)) if recent[i].voicing.active)
        self._open = recent[max(0, onset - _PRE_ROLL) :]
        self._recent.clear()
        self._handed, self._part, self._since_active, self._cut = 0, 0, 0, 0
        self._turn += 1
        yield SpeechStarted(channel=self._channel, role=self._role, start=self._open[0].start)
        yield from self._hand_over(len(self._open))

    def _monologue(self) -> Iterator[SpeechStarted | SpeechAudio | Utterance]:
        """Hand audio over; after 12 s hold back what lies behind the best cut so far, since it may be the next part's."""
        length = len(self._open)
        if length < _CUT_FROM + _QUIET_FRAMES:
            if length <= _CUT_FROM + _QUIET_FRAMES // 2:
                yield from self._hand_over(length)
            return
        quiet = self._open[-_QUIET_FRAMES:]
        if self._cut == 0 or self._power(quiet) < self._power(self._around_cut()):
            self._cut = length - _QUIET_FRAMES // 2
            yield from self._hand_over(self._cut)
        paused = not any(heard.voicing.active for heard in self._around_cut())
        if length >= _CUT_AT or paused:
            yield from self._cut_here()

    def _around_cut(self) -> list[EndpointerFrame]:
        return self._open[self._cut - _QUIET_FRAMES // 2 : self._cut + _QUIET_FRAMES // 2]

    def _cut_here(self) -> Iterator[SpeechStarted | SpeechAudio | Utterance]:
        first, rest = self._open[: self._cut], self._open[self._cut :]
        yield self._utterance(first, self._part)
        self._open, self._handed, self._cut = rest, 0, 0
        self._part += 1
        yield SpeechStarted(channel=self._channel, role=self._role, start=rest[0].start)
        yield from self._hand_over(len(rest))

    def _hand_over(self, until: int) -> Iterator[SpeechAudio]:
        for heard in self._open[self._handed : until]:
            yield SpeechAudio(channel=self._channel, start=heard.start, pcm=heard.pcm)
        self._handed = max(self._handed, until)

    @staticmethod
    def _power(frames: list[EndpointerFrame]) -> float:
        return float(np.mean([10.0 ** (heard.level_dbfs / 10.0) for heard in frames]))

    def _utterance(self, frames: list[EndpointerFrame], part: int) -> Utterance:
        voiced = np.array([heard.voicing.active for heard in frames], np.bool_)
        speech = [heard for heard in frames if heard.voicing.active]
        level = 10.0 * np.log10(self._power(speech) + _QUIET_POWER) if speech else -np.inf
        snr = float(level - min(heard.voicing.floor_dbfs for heard in frames)) if speech else None
        end = frames[-1].start + FRAME_SAMPLES
        return Utterance(
            channel=self._channel,
            role=self._role,
            start=frames[0].start,
            end=end,
            speech_end=speech[-1].start + FRAME_SAMPLES if speech else end,
            pcm=np.concatenate([heard.pcm for heard in frames]),
            voiced=voiced,
            turn=max(0, self._turn),
            part=part,
            lost_samples=sum(heard.lost for heard in frames) * FRAME_SAMPLES,
            level_dbfs=float(level),
            snr_db=snr,
        )
