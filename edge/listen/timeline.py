"""The sound of one call on one clock, from connections that send it late, early, in bursts, or not at all.

Sound is told as soon as all channels have it. Where one has none, what the others sent waits for `_WAIT_S`; where none has any, the clock
waits for `_PATIENCE_S`. After that it goes on: what nobody has sent is lost, what one side has not sent is its silence. What comes for a
time that has been told is late, and goes; unless its stream turns out to be late for good: then the stream is moved (edge.listen.stream).
"""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from edge.values import Block, Pcm, Role

# Two directions of a call come over the same network: more apart than this they are not for long. It delays no verdict by more.
_WAIT_S = 0.2
# A hiccup of the network that is made up for within a second loses nothing, and nobody waits for anything meanwhile.
_PATIENCE_S = 1.0
# Sound may be so far ahead of the clock, a message's length beyond (the longest are of 4 s).
_ROOM_S = 8
_HEARD = frozenset({Role.CUSTOMER, Role.MIXED})


class Timeline:
    """One call. Positions are samples at `rate` from where its sound begins; moments are monotonic seconds. Owned by one thread."""

    def __init__(self, roles: tuple[Role, ...], rate: int, began: float) -> None:
        self.rate, self.told = rate, 0
        self._began, self._heard_channels = began, tuple(role in _HEARD for role in roles)
        room = _ROOM_S * rate
        self._sound = np.zeros((room, len(roles)), np.int16)
        self._have = np.zeros((room, len(roles)), np.bool_)
        self._gone = np.zeros(room, np.bool_)
        # Up to where there is anything, from `told`.
        self._filled = 0
        # When it came, and up to which position it reached.
        self._came: deque[tuple[float, int]] = deque()

    def at(self, moment: float) -> int:
        """The position that is being spoken at `moment`."""
        return round((moment - self._began) * self.rate)

    @property
    def moment(self) -> float:
        """When what is told next was spoken."""
        return self._began + self.told / self.rate

    def put(self, position: int, pcm: Pcm, channels: tuple[int, ...], moment: float) -> None:
        """`pcm` (samples, len(channels)), come at `moment`, begins at `position`; what is told already, or beyond all bounds, goes."""
        start = position - self.told
        late = min(len(pcm), max(0, -start))
        fits = pcm[late : max(late, len(self._sound) - start)]
        if not len(fits):
            return
        start += late
        for column, channel in enumerate(channels):
            self._sound[start : start + len(fits), channel] = fits[:, column]
            self._have[start : start + len(fits), channel] = True
            if self._heard_channels[channel]:
                self._gone[start : start + len(fits)] = False
        self._filled = max(self._filled, start + len(fits))
        self._came.append((moment, self.told + start + len(fits)))

    def lose(self, start: int, end: int, channels: tuple[int, ...]) -> None:
        """What `channels` had from position `start` to `end` is lost. Of an agent's channel alone that is told as silence."""
        if any(self._heard_channels[channel] for channel in channels):
            self._gone[max(0, start - self.told) : max(0, min(end - self.told, len(self._gone)))] = True

    def due(self, moment: float, together: int | None) -> Iterator[Block]:
        """What can be told at `moment`; `together`: up to where every stream has sound (None: none has begun)."""
        until = self.told if together is None else together
        while self._came and (self._came[0][0] <= moment - _WAIT_S or self._came[0][1] <= until):
            until = max(until, self._came.popleft()[1])
        if not self._filled:
            until = max(until, self.at(moment) - round(_PATIENCE_S * self.rate))
        yield from self._tell(until)

    def rest(self) -> Iterator[Block]:
        """All that is left, at the call's end."""
        yield from self._tell(self.told + self._filled)

    def _tell(self, until: int) -> Iterator[Block]:
        samples = until - self.told
        if samples <= 0:
            return
        filled = min(samples, self._filled)
        lost_before = 0
        if filled:
            lost = ~self._have[:filled].any(axis=1) | self._gone[:filled]
            edges = [0, *(np.flatnonzero(lost[1:] != lost[:-1]) + 1).tolist(), filled]
            for start, end in pairwise(edges):
                if lost[start]:
                    lost_before = end - start
                    continue
                yield Block(pcm=self._sound[start:end].copy(), rate=self.rate, lost=lost_before)
                lost_before = 0
        lost_before += samples - filled
        if lost_before:
            yield Block(pcm=self._sound[:0].copy(), rate=self.rate, lost=lost_before)
        self._forget(filled)
        self.told = until

    def _forget(self, filled: int) -> None:
        """Move what is left to the front; what is behind it is empty again."""
        left, had = self._filled - filled, self._filled
        for kept in (self._sound, self._have, self._gone):
            kept[:left] = kept[filled:had].copy()
            kept[left:had] = 0
        self._filled = left
