"""A line that listens: each call that a switchboard brings is a line of its own for as long as it lasts, `name/1` and so on."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from edge.call.line import Line, LineCommand
from edge.call.next_calls import NextCalls
from edge.call.past_calls import PastCalls
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
from edge.wire.codes import ReplyReason
from edge.wire.commands import AlertAction, CallAnnounce, CallContext
from edge.wire.context import Context, Customer
from edge.wire.events import Event
from edge.wire.replies import Answer, Request, refused

_log = logging.getLogger("undertone.listen")

# Raw sound of a fork whose metadata do not say: what telephones have.
_RATE = 8000


@dataclass(slots=True, eq=False, kw_only=True)
class _Call:
    """A call that goes on, or is being judged to its end. `sides`: which connection brought which UUID last (AudioSocket)."""

    line: Line
    live: LiveLine
    source: ConnectedCall
    context: Context
    announcement: Announcement | None
    sides: dict[str, Connection]


class Trunk:
    """As a LiveLine is to the service, for all the calls of one line that listens. Its methods are for any thread."""

    def __init__(
        self,
        *,
        config: LineConfig,
        listen: ListenConfig,
        keep_s: float,
        line: Callable[[LineConfig], Line],
        past: PastCalls,
        put: Callable[[Iterable[Event]], None],
        answer: Callable[[Request, Answer, list[Event]], None],
        on_state: Callable[[SourceState], None],
        died: Callable[[str], None],
    ) -> None:
        """`line` makes the way of a call. Raises ConfigError where tokens or certificate cannot be used."""
        self.name = config.name
        self.finished = threading.Event()
        self._config, self._listen, self._make_line, self._past = config, listen, line, past
        self._put, self._answer, self._died, self._on_state = put, answer, died, on_state
        self._tally = Tally(config.name)
        self._tokens = Tokens(None if listen.tokens_file is None else Path(listen.tokens_file))
        certificate = None if listen.cert is None or listen.key is None else Certificate(Path(listen.cert), Path(listen.key))
        self._listener = Listener(
            listen, session=self._session, admit=self._admit, tally=self._tally, on_state=on_state, certificate=certificate
        )
        self._announced, self._next_calls = Announced(keep_s), NextCalls(keep_s)
        self._lock = threading.RLock()
        self._calls: dict[int, _Call] = {}
        self._past_frames = self._past_dropped = 0
        self._thread = threading.Thread(target=self._guard, name=f"{config.name}:listen")

    # --- what the service asks of a line ---------------------------------------------------------------------------------

    @property
    def frames_processed(self) -> int:
        """20 ms frames of all its calls."""
        return self._past_frames + sum(call.live.frames_processed for call in self._current())

    @property
    def dropped_frames(self) -> int:
        """Those that nobody could keep up with."""
        return self._past_dropped + sum(call.live.dropped_frames for call in self._current())

    @property
    def progress_at(self) -> float:
        """When the slowest of its calls, or the listener, last got on."""
        return min([self._listener.alive_at, *(call.live.progress_at for call in self._current() if not call.source.over)])

    @property
    def problem(self) -> Problem | None:
        """Why nobody can connect."""
        return self._listener.problem

    @property
    def wrong(self) -> list[Problem]:
        """What is wrong with its calls."""
        return [problem.within(call.live.name) for call in self._current() for problem in _wrong(call)]

    @property
    def levels(self) -> dict[str, float | None]:
        """The loudest of its calls by role, as LiveLine has it of one; nothing where there is none."""
        loudest: dict[str, float | None] = {}
        for call in self._current():
            for role, level in call.live.levels.items():
                loudest[role] = max((one for one in (level, loudest.get(role)) if one is not None), default=None)
        return loudest

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def begin_to_stop(self) -> None:
        """`stop` without waiting."""
        self._listener.stop()
        for call in self._current():
            call.live.begin_to_stop()

    def stop(self) -> None:
        """Listen no more, end every call properly; returns when that is done."""
        self.begin_to_stop()
        self._thread.join()
        self._on_state(SourceState.STOPPED)
        calls = self._current()
        for call in calls:
            # One that began meanwhile, too.
            call.live.begin_to_stop()
        for call in calls:
            call.live.stop()
        self.finished.set()

    def handle_request(self, request: Request, command: LineCommand | CallAnnounce) -> None:
        """Hand a command to the call that it names."""
        match command:
            case CallAnnounce():
                self._answer(request, self._announce(command), [])
            case CallContext():
                self._place(request, command)
            case AlertAction():
                for call in self._current():
                    if (
                        call.line.call_id is not None
                        and command.alert.startswith(call.line.call_id)
                        and call.live.handle_request(request, command)
                    ):
                        return
                handled = self._past.act(command)
                self._answer(request, handled.answer, handled.events)
            case _:
                self._answer(request, refused(ReplyReason.BY_CONNECTION), [])

    @property
    def live(self) -> list[LiveLine]:
        """The lines of its calls."""
        return [call.live for call in self._current()]

    def forget_announced(self, customer: Customer) -> int:
        """Nothing is known any more of calls of `customer` that are to come; how many that were."""
        return self._announced.forget(customer) + self._next_calls.forget(customer)

    def _announce(self, command: CallAnnounce) -> Answer:
        if self._listen.protocol != "audiosocket":
            return refused(ReplyReason.BY_CONNECTION)
        if set(command.sides()) != set(self._config.channels) or len(set(command.sides().values())) != len(self._config.channels):
            return refused(ReplyReason.NOT_UNDERSTOOD)
        self._announced.add(command)
        return Answer()

    def _place(self, request: Request, command: CallContext) -> None:
        """What a switchboard says of a call must name it: there may be many."""
        context, name = Context.of(command), command.pbx_call_id
        for call in self._current():
            named = command.call is not None and command.call == call.line.call_id
            named = named or (command.call is None and name is not None and name in (call.line.pbx_call_id, call.context.pbx_call_id))
            if named and call.live.handle_request(request, command):
                return
        over = command.call or (None if name is None else self._past.named(self.name, name))
        if over is not None:
            handled = self._past.update(over, context)
            self._answer(request, handled.answer, handled.events)
        elif name is not None:
            self._next_calls.add(context)
            self._answer(request, Answer(), [])
        else:
            self._answer(request, refused(ReplyReason.UNKNOWN_CALL), [])

    # --- connections ------------------------------------------------------------------------------------------------------

    def _session(self) -> Session:
        if self._listen.protocol == "audiosocket":
            return AudioSocketSession()
        return WebSocketSession(roles=self._config.channels, rate=self._config.source.rate or _RATE, tokens=self._tokens, full=self._full)

    def _full(self) -> bool:
        return sum(not call.source.over for call in self._current()) >= self._listen.max_calls

    def _admit(self, connection: Connection, hello: Hello, first: list[Hello | Sound | End]) -> Refusal | Literal["taken"]:
        """Take a connection as a call, or as the other side of one. Called by the listener's thread."""
        if hello.media is None:
            return Refusal.FULL if self._full() else self._begin(connection, first, hello.context, None)
        for call in self._current():
            if call.announcement is not None and hello.media in call.announcement.media:
                return self._join(call, connection, hello.media, first)
        announcement = self._announced.find(hello.media)
        if announcement is None:
            return Refusal.NOT_ANNOUNCED
        if self._full():
            return Refusal.FULL
        self._announced.take(announcement)
        self._side(connection, announcement, hello.media)
        return self._begin(connection, first, announcement.context, announcement, hello.media)

    def _begin(
        self, connection: Connection, first: Sequence[Hello | Sound | End], said: Context, announcement: Announcement | None,
        media: str | None = None,
    ) -> Literal["taken"]:  # fmt: skip
        with self._lock:
            number = next(n for n in range(1, len(self._calls) + 2) if n not in self._calls)
            config = msgspec.structs.replace(self._config, name=f"{self.name}/{number}")
            context = self._next_calls.take(said) if said.pbx_call_id is not None else said
            source = ConnectedCall(
                roles=config.channels, idle_s=config.idle_s, stall_s=config.source.stall_s, tally=self._tally, linger=self._listener.linger
            )
            source.join(connection, first)
            line = self._make_line(config)
            live = LiveLine(
                name=config.name, line=line, source=source, roles=config.channels, paced=True, put=self._put, answer=self._answer,
                died=self._died, opening=context, over=partial(self._over, number),
            )  # fmt: skip
            sides = {} if media is None else {media: connection}
            self._calls[number] = _Call(line=line, live=live, source=source, context=context, announcement=announcement, sides=sides)
        live.start()
        return "taken"

    def _join(self, call: _Call, connection: Connection, media: str, first: Sequence[Hello | Sound | End]) -> Refusal | Literal["taken"]:
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

    def _current(self) -> tuple[_Call, ...]:
        with self._lock:
            return tuple(self._calls.values())

    def _guard(self) -> None:
        try:
            self._listener.run()
        except BaseException:  # noqa: BLE001 (logged whole, and the process ends: a box that nobody can reach must not look alive)
            _log.exception("thread.died line=%s work=listen", self.name)
            self._died(f"{self.name}:listen")


def _wrong(call: _Call) -> Iterator[Problem]:
    if call.source.problem is not None:
        yield call.source.problem
    with suppress(RuntimeError):
        yield from call.live.wrong
