"""The calls of a line that listens: a connection begins one, or joins it, and it goes on until it is judged to its end."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from edge.call.line import Line
from edge.call.next_calls import NextCalls
from edge.config import LineConfig, ListenConfig
from edge.errors import Problem
from edge.listen.announced import Announced, Announcement
from edge.listen.audiosocket import AudioSocketSession
from edge.listen.call import ConnectedCall
from edge.listen.connection import Connection
from edge.listen.listener import Listener
from edge.listen.messages import End, Hello, Refusal, Session, Sound
from edge.listen.tally import Tally
from edge.listen.tls import Certificate
from edge.listen.tokens import Tokens
from edge.listen.websocket import WebSocketSession
from edge.service.live import LiveLine
from edge.values import SourceState
from edge.wire.commands import CallContext
from edge.wire.context import Context
from edge.wire.events import Event
from edge.wire.replies import Answer, Request

# Raw sound of a fork whose metadata do not say: what telephones have.
_RATE = 8000


@dataclass(slots=True, eq=False, kw_only=True)
class TrunkCall:
    """A call that goes on, or is being judged to its end. `sides`: which connection brought which UUID last (AudioSocket)."""

    line: Line
    live: LiveLine
    source: ConnectedCall
    context: Context
    announcement: Announcement | None
    sides: dict[str, Connection]

    def is_meant_by(self, command: CallContext) -> bool:
        """Whether a switchboard that says `command` names this call, by the box's name for it or by its own."""
        if command.call is not None:
            return command.call == self.line.call_id
        name = command.pbx_call_id
        return name is not None and name in (self.line.pbx_call_id, self.context.pbx_call_id)

    def wrong(self) -> Iterator[Problem]:
        """What is wrong with it."""
        if self.source.problem is not None:
            yield self.source.problem
        with suppress(RuntimeError):
            yield from self.live.wrong


class TrunkCalls:
    """Whom the line's `listener` lets in, and the calls that come of it. `announced` and `next_calls`: what is known of calls to come."""

    def __init__(
        self, config: LineConfig, listen: ListenConfig, *, keep_s: float, line: Callable[[LineConfig], Line],
        put: Callable[[Iterable[Event]], None], answer: Callable[[Request, Answer, list[Event]], None],
        on_state: Callable[[SourceState], None], died: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`line` makes the way of a call. Raises ConfigError where tokens or certificate cannot be used."""
        self._config, self._listen, self._make_line = config, listen, line
        self._put, self._answer, self._died = put, answer, died
        self._tally = Tally(config.name)
        self._tokens = Tokens(None if listen.tokens_file is None else Path(listen.tokens_file))
        certificate = None if listen.cert is None or listen.key is None else Certificate(Path(listen.cert), Path(listen.key))
        self.listener = Listener(
            listen, session=self._session, admit=self._admit, tally=self._tally, on_state=on_state, certificate=certificate
        )
        self.announced, self.next_calls = Announced(keep_s), NextCalls(keep_s)
        self._lock = threading.RLock()
        self._calls: dict[int, TrunkCall] = {}
        self._past_frames = self._past_dropped = 0

    @property
    def frames_processed(self) -> int:
        """20 ms frames of all its calls, those that are over, too."""
        return self._past_frames + sum(call.live.frames_processed for call in self.current())

    @property
    def dropped_frames(self) -> int:
        """Those that nobody could keep up with."""
        return self._past_dropped + sum(call.live.dropped_frames for call in self.current())

    def current(self) -> tuple[TrunkCall, ...]:
        """Those that go on or are being judged, as of now. For any thread."""
        with self._lock:
            return tuple(self._calls.values())

    def _session(self) -> Session:
        if self._listen.protocol == "audiosocket":
            return AudioSocketSession()
        return WebSocketSession(roles=self._config.channels, rate=self._config.source.rate or _RATE, tokens=self._tokens, full=self._full)

    def _full(self) -> bool:
        return sum(not call.source.over for call in self.current()) >= self._listen.max_calls

    def _admit(self, connection: Connection, hello: Hello, first: list[Hello | Sound | End]) -> Refusal | Literal["taken"]:
        """Take a connection as a call, or as the other side of one. Called by the listener's thread."""
        if hello.media is None:
            return Refusal.FULL if self._full() else self._begin(connection, first, hello.context, None)
        for call in self.current():
            if call.announcement is not None and hello.media in call.announcement.media:
                return self._join(call, connection, hello.media, first)
        announcement = self.announced.find(hello.media)
        if announcement is None:
            return Refusal.NOT_ANNOUNCED
        if self._full():
            return Refusal.FULL
        self.announced.take(announcement)
        self._side(connection, announcement, hello.media)
        return self._begin(connection, first, announcement.context, announcement, hello.media)

    def _begin(
        self, connection: Connection, first: Sequence[Hello | Sound | End], said: Context, announcement: Announcement | None,
        media: str | None = None,
    ) -> Literal["taken"]:  # fmt: skip
        with self._lock:
            number = next(n for n in range(1, len(self._calls) + 2) if n not in self._calls)
            config = msgspec.structs.replace(self._config, name=f"{self._config.name}/{number}")
            context = self.next_calls.take(said) if said.pbx_call_id is not None else said
            source = ConnectedCall(
                roles=config.channels, idle_s=config.idle_s, stall_s=config.source.stall_s, tally=self._tally, linger=self.listener.linger
            )
            source.join(connection, first)
            line = self._make_line(config)
            live = LiveLine(
                name=config.name, line=line, source=source, roles=config.channels, paced=True, put=self._put, answer=self._answer,
                died=self._died, opening=context, over=partial(self._over, number),
            )  # fmt: skip
            sides = {} if media is None else {media: connection}
            self._calls[number] = TrunkCall(line=line, live=live, source=source, context=context, announcement=announcement, sides=sides)
        live.start()
        return "taken"

    def _join(
        self, call: TrunkCall, connection: Connection, media: str, first: Sequence[Hello | Sound | End]
    ) -> Refusal | Literal["taken"]:
        """As the call's other direction, or in the place of one that broke while the call goes on."""
        before = call.sides.get(media)
        if call.announcement is None or (before is not None and call.source.holds(before)):
            return Refusal.IN_USE
        self._side(connection, call.announcement, media)
        if not call.source.join(connection, first):
            return Refusal.OVER
        call.sides[media] = connection
        return "taken"

    def _side(self, connection: Connection, announcement: Announcement, media: str) -> None:
        """Which of the line's channels the connection brings."""
        if isinstance(connection.session, AudioSocketSession):
            connection.session.channel = self._config.channels.index(announcement.media[media])

    def _over(self, number: int) -> None:
        """A call is judged to its end. Called by its thread."""
        with self._lock:
            call = self._calls.pop(number)
            self._past_frames += call.live.frames_processed
            self._past_dropped += call.live.dropped_frames
