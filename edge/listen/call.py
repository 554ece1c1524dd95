"""The sound of one call that comes over the network, as a Source: its connections are read, put on one clock, and answered."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from edge.errors import Problem
from edge.listen.connection import Connection
from edge.listen.messages import End, Hello, ProtocolError, Refusal, Sound
from edge.listen.stream import Stream
from edge.listen.tally import Tally
from edge.listen.timeline import Timeline
from edge.values import Block, ClosedBy, Role, SourceState

# What came is looked at so often: two packets at a time cost half of what each costs alone, and a verdict does not mind 40 ms.
_TICK_S = 0.04
_SILENCE_HZ = 8000
# Nobody answers faster than a clock that stood still (a suspended box) makes it seem.
_MOST_SILENCE_S = 0.5

_Heard = Hello | Sound | End


@dataclass(slots=True, eq=False)
class _Leg:
    """One connection of the call. `stream` is there from its first sound on."""

    connection: Connection
    first: Iterable[_Heard]
    stream: Stream | None = None


class ConnectedCall:
    """A Source: one call, over once its connections are. `join` and `holds` are for any thread, the rest as Source says."""

    def __init__(
        self, *, roles: tuple[Role, ...], idle_s: float, stall_s: float, tally: Tally, linger: Callable[[Connection], None]
    ) -> None:
        """`linger` gets each connection that is over, to be closed without haste."""
        self.state, self.closed_by = SourceState.STARTING, ClosedBy.HANG_UP
        self._roles, self._idle_s, self._stall_s = roles, idle_s, stall_s
        self._tally, self._linger = tally, linger
        # Over `_joining`, what `_legs` are, and the end: whoever joins is taken up, or told that it is too late.
        self._lock = threading.Lock()
        self._joining: deque[_Leg] = deque()
        self._legs: list[_Leg] = []
        self._timeline: Timeline | None = None
        self._began = self._heard_at = time.monotonic()
        self._answered_at = self._began
        self._stopping = self._over = self._sounded = False

    @property
    def problem(self) -> Problem | None:
        """That nothing comes, where it is so."""
        silent_s = time.monotonic() - self._heard_at
        if self._over or silent_s < self._stall_s:
            return None
        return Problem(what=f"the switchboard sends nothing for {self._stall_s:g} s", remedy="is the call on hold? Does it still send?")

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self._over

    def join(self, connection: Connection, first: Sequence[_Heard]) -> bool:
        """Another connection of the call, and what it has said so far; False where the call is over: it is not taken then."""
        with self._lock:
            if not self._over:
                self._joining.append(_Leg(connection=connection, first=first))
            return not self._over

    def holds(self, connection: Connection) -> bool:
        """Whether it is one of the call's, and not broken as far as is known."""
        with self._lock:
            return any(leg.connection is connection for leg in (*self._legs, *self._joining))

    def blocks(self) -> Iterator[Block]:
        """See Source."""
        self.state = SourceState.UP
        next_look = time.monotonic()
        while not self._stopping and not self._over:
            moment = time.monotonic()
            with self._lock:
                while self._joining:
                    self._legs.append(self._joining.popleft())
            for leg in tuple(self._legs):
                self._attend(leg, moment)
            with self._lock:
                self._over = self._over or not (self._legs or self._joining)
            if moment - self._heard_at > self._idle_s:
                self.closed_by, self._over = ClosedBy.CONNECTION_LOST, True
            yield from self._due(moment)
            next_look = max(next_look + _TICK_S, moment)
            time.sleep(max(0.0, next_look - time.monotonic()))
        for leg in tuple(self._legs):
            _finish(leg)
        if self._timeline is not None:
            yield from self._timeline.rest()
        with self._lock:
            self._over = True
            self._legs += self._joining
            self._joining.clear()
            left = tuple(self._legs)
        for leg in left:
            self._part(leg, Refusal.STOPPING if self._stopping else Refusal.OVER)
        self.state = SourceState.STOPPED if self._stopping else SourceState.ENDED

    def close(self) -> None:
        """See Source."""
        self._stopping = True

    def _attend(self, leg: _Leg, moment: float) -> None:
        """Read one connection and answer it; whatever ends it is dealt with."""
        try:
            first, leg.first = leg.first, ()
            for message in first:
                self._take(leg, message, moment)
            if leg not in self._legs:
                return
            if leg.stream is None or not leg.stream.early(moment):
                data = leg.connection.read()
                if data is None:
                    self._take(leg, End(by=leg.connection.session.unsaid), moment)
                    return
                for message in leg.connection.receive(data) if data else ():
                    self._take(leg, message, moment)
            if leg not in self._legs:
                return
            due = min(moment - self._answered_at, _MOST_SILENCE_S)
            leg.connection.pass_time(round(due * _SILENCE_HZ))
            leg.connection.send()
        except ProtocolError as error:
            self._tally.refused(error.refusal, leg.connection.peer, error.says)
            self._lost(leg, ClosedBy.PROTOCOL_ERROR, error.refusal)
        except (ConnectionResetError, BrokenPipeError):
            self._take(leg, End(by=leg.connection.session.unsaid), moment)
        except OSError:
            self._lost(leg, ClosedBy.CONNECTION_LOST, None)

    def _take(self, leg: _Leg, message: _Heard, moment: float) -> None:
        if isinstance(message, End):
            if message.by is ClosedBy.HANG_UP:
                self._hung_up(leg, message.by)
            else:
                self._lost(leg, message.by, None)
        elif isinstance(message, Sound) and leg in self._legs:
            self._heard_at = moment
            if self._timeline is None or not self._sounded:
                self._timeline = self._began_with(message, moment)
            if message.rate != self._timeline.rate:
                raise ProtocolError(Refusal.RATE, "its connections have different rates")
            if leg.stream is None:
                leg.stream = Stream(self._timeline)
            leg.stream.heard(message, moment)

    def _began_with(self, sound: Sound, moment: float) -> Timeline:
        """The call's clock, at the rate of its first sound: it begins there, or goes on from where it stands after a silence."""
        self._sounded = True
        if self._timeline is None:
            return Timeline(self._roles, sound.rate, moment - len(sound.pcm) / sound.rate)
        return Timeline(self._roles, sound.rate, self._timeline.moment)

    def _hung_up(self, leg: _Leg, by: ClosedBy) -> None:
        """One side has hung up, and so the call is over for all."""
        self.closed_by, self._over = by, True
        self._part(leg, None)

    def _lost(self, leg: _Leg, by: ClosedBy, refusal: Refusal | None) -> None:
        """One connection broke: the call is over with the last of them."""
        self.closed_by = by
        self._part(leg, refusal)

    def _part(self, leg: _Leg, refusal: Refusal | None) -> None:
        with self._lock:
            if leg in self._legs:
                self._legs.remove(leg)
        _finish(leg)
        leg.connection.say_goodbye(refusal)
        self._linger(leg.connection)

    def _due(self, moment: float) -> Iterator[Block]:
        self._answered_at = moment
        if self._timeline is None:
            # Nothing has come yet: the call goes on in silence, from when it was connected.
            if moment - self._began > 1.0:
                self._timeline = Timeline(self._roles, _SILENCE_HZ, self._began)
            return
        streams = [leg.stream for leg in self._legs if leg.stream is not None]
        for stream in streams:
            stream.settle(moment)
        ends = [end for stream in streams if (end := stream.together) is not None]
        yield from self._timeline.due(moment, min(ends, default=None))


def _finish(leg: _Leg) -> None:
    """Nothing more of it is read: what it sent last is heard, too."""
    if leg.stream is not None:
        leg.stream.finish(time.monotonic())
