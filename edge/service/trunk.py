"""A line that listens: each call that a switchboard brings is a line of its own for as long as it lasts, `name/1` and so on."""

import logging
import threading
from collections.abc import Callable, Iterable

from edge.call.line import Line, LineCommand
from edge.call.past_calls import PastCalls
from edge.config import LineConfig, ListenConfig
from edge.errors import Problem
from edge.service.live import LiveLine
from edge.service.trunk_calls import TrunkCalls
from edge.values import SourceState
from edge.wire.codes import ReplyReason
from edge.wire.commands import AlertAction, CallAnnounce, CallContext
from edge.wire.context import Context, Customer
from edge.wire.events import Event
from edge.wire.replies import Answer, Request, refused

_log = logging.getLogger("undertone.listen")


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
        self._config, self._listen, self._past = config, listen, past
        self._answer, self._died, self._on_state = answer, died, on_state
        self._calls = TrunkCalls(config, listen, keep_s=keep_s, line=line, put=put, answer=answer, on_state=on_state, died=died)
        self._thread = threading.Thread(target=self._guard, name=f"{config.name}:listen")

    @property
    def frames_processed(self) -> int:
        """20 ms frames of all its calls."""
        return self._calls.frames_processed

    @property
    def dropped_frames(self) -> int:
        """Those that nobody could keep up with."""
        return self._calls.dropped_frames

    @property
    def progress_at(self) -> float:
        """When the slowest of its calls, or the listener, last got on."""
        return min([self._calls.listener.alive_at, *(call.live.progress_at for call in self._calls.current() if not call.source.over)])

    @property
    def problem(self) -> Problem | None:
        """Why nobody can connect."""
        return self._calls.listener.problem

    @property
    def wrong(self) -> list[Problem]:
        """What is wrong with its calls."""
        return [problem.within(call.live.name) for call in self._calls.current() for problem in call.wrong()]

    @property
    def levels(self) -> dict[str, float | None]:
        """The loudest of its calls by role, as LiveLine has it of one; nothing where there is none."""
        loudest: dict[str, float | None] = {}
        for call in self._calls.current():
            for role, level in call.live.levels.items():
                loudest[role] = max((one for one in (level, loudest.get(role)) if one is not None), default=None)
        return loudest

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def begin_to_stop(self) -> None:
        """`stop` without waiting."""
        self._calls.listener.stop()
        for call in self._calls.current():
            call.live.begin_to_stop()

    def stop(self) -> None:
        """Listen no more, end every call properly; returns when that is done."""
        self.begin_to_stop()
        self._thread.join()
        self._on_state(SourceState.STOPPED)
        calls = self._calls.current()
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
                for call in self._calls.current():
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
        return [call.live for call in self._calls.current()]

    def forget_announced(self, customer: Customer) -> int:
        """Nothing is known any more of calls of `customer` that are to come; how many that were."""
        return self._calls.announced.forget(customer) + self._calls.next_calls.forget(customer)

    def _announce(self, command: CallAnnounce) -> Answer:
        if self._listen.protocol != "audiosocket":
            return refused(ReplyReason.BY_CONNECTION)
        if set(command.sides()) != set(self._config.channels) or len(set(command.sides().values())) != len(self._config.channels):
            return refused(ReplyReason.NOT_UNDERSTOOD)
        self._calls.announced.add(command)
        return Answer()

    def _place(self, request: Request, command: CallContext) -> None:
        """What a switchboard says of a call must name it: there may be many."""
        context, name = Context.of(command), command.pbx_call_id
        for call in self._calls.current():
            if call.is_meant_by(command) and call.live.handle_request(request, command):
                return
        over = command.call or (None if name is None else self._past.named(self.name, name))
        if over is not None:
            handled = self._past.update(over, context)
            self._answer(request, handled.answer, handled.events)
        elif name is not None:
            self._calls.next_calls.add(context)
            self._answer(request, Answer(), [])
        else:
            self._answer(request, refused(ReplyReason.UNKNOWN_CALL), [])

    def _guard(self) -> None:
        try:
            self._calls.listener.run()
        except BaseException:  # noqa: BLE001 (logged whole, and the process ends: a box that nobody can reach must not look alive)
            _log.exception("thread.died line=%s work=listen", self.name)
            self._died(f"{self.name}:listen")
