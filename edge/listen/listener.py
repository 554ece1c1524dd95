"""Where switchboards connect: connections are let in, asked whose call they are, and handed on; in one thread, whoever comes.

A connection that has not said whose call it is may take its time (_START_S) and 64 kB, and there are at most _MOST_WAITING of them.
"""

import errno
import logging
import selectors
import socket
import ssl
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from edge.config import ListenConfig
from edge.errors import Problem
from edge.listen.connection import Connection
from edge.listen.messages import End, Hello, ProtocolError, Refusal, Session, Sound
from edge.listen.tally import Tally
from edge.listen.tls import Certificate
from edge.values import SourceState

_log = logging.getLogger("undertone.listen")

# A switchboard says whose call it is at once; the announcement of an AudioSocket call may take a way of its own, over a broker.
_START_S = 5.0
# Who was refused gets so long to read it.
_LINGER_S = 1.0
_MOST_WAITING = 64
# How often it looks at the time, and for announcements that have come meanwhile.
_TICK_S = 0.1
# An address that is not there yet, or a port that is taken, is tried again.
_AGAIN_S = 2.0
_BACKLOG = 128

# Whether the call was taken; None: not yet.
Admit = Callable[[Connection, Hello, list[Hello | Sound | End]], Refusal | Literal["taken"] | None]


@dataclass(slots=True, eq=False)
class _Guest:
    """A connection that is not a call yet, or no longer."""

    connection: Connection
    until: float
    hello: Hello | None = None
    rest: list[Hello | Sound | End] = field(default_factory=list)
    leaving: bool = False


class Listener:
    """Listens until `stop`. `session` makes a side of the protocol for each connection; `admit` is asked once one has said Hello."""

    def __init__(
        self, config: ListenConfig, *, session: Callable[[], Session], admit: Admit, tally: Tally, on_state: Callable[[SourceState], None],
        certificate: Certificate | None,
    ) -> None:  # fmt: skip
        self.problem: Problem | None = None
        self.alive_at = time.monotonic()
        self._config, self._session, self._admit, self._tally, self._on_state = config, session, admit, tally, on_state
        self._certificate = certificate
        self._selector = selectors.DefaultSelector()
        self._guests: OrderedDict[int, _Guest] = OrderedDict()
        self._leaving: deque[Connection] = deque()
        self._stopping = False

    def stop(self) -> None:
        """End `run`, from any thread; it returns within a tick or two."""
        self._stopping = True

    def linger(self, connection: Connection) -> None:
        """A connection that is over: it is closed once the other side has had time to read the last of it. For any thread."""
        self._leaving.append(connection)

    def run(self) -> None:
        """Listen. Returns once it is stopped."""
        while not self._stopping:
            server = self._open()
            if server is None:
                for _ in range(round(_AGAIN_S / _TICK_S)):
                    if self._stopping:
                        break
                    self._look_round()
                    time.sleep(_TICK_S)
                continue
            with server:
                self._selector.register(server, selectors.EVENT_READ)
                self._serve(server)
                self._selector.unregister(server)
        for guest in list(self._guests.values()):
            self._part(guest, Refusal.STOPPING)
            self._forget(guest)
        while self._leaving:
            self._leaving.popleft().close()
        self._selector.close()

    def _open(self) -> socket.socket | None:
        """The listening socket; None where it cannot be had now."""
        address, port = self._config.address, self._config.port
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = socket.socket(family, socket.SOCK_STREAM)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((address, port))
            server.listen(_BACKLOG)
            server.setblocking(False)  # noqa: FBT003 (its name says what it is)
        except OSError as error:
            server.close()
            self._tell(SourceState.ABSENT, cannot_listen(self._config, error))
            return None
        self._tell(SourceState.LISTENING, None)
        return server

    def _serve(self, server: socket.socket) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(_TICK_S):
                if key.fileobj is server:
                    self._accept(server)
                elif key.fd in self._guests:
                    self._hear(self._guests[key.fd])
            self._look_round()

    def _accept(self, server: socket.socket) -> None:
        """Let some in; others wait in the kernel for the next turn."""
        for _ in range(_MOST_WAITING):
            try:
                sock, address = server.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    # They wait in the kernel until some of ours are closed.
                    time.sleep(_TICK_S)
                    return
                continue
            tls = None if self._certificate is None else self._certificate.context()
            try:
                connection = Connection(sock, self._session(), tls, str(address[0]))
            except OSError:
                sock.close()
                continue
            while len(self._guests) >= _MOST_WAITING:
                oldest = next((one for one in self._guests.values() if one.leaving), next(iter(self._guests.values())))
                if not oldest.leaving:
                    self._tally.refused(Refusal.CROWDED, oldest.connection.peer)
                    oldest.connection.say_goodbye(Refusal.CROWDED)
                self._forget(oldest)
            self._watch(_Guest(connection=connection, until=time.monotonic() + _START_S))

    def _hear(self, guest: _Guest) -> None:
        try:
            data = guest.connection.read()
            if data is None:
                self._forget(guest)
                return
            if guest.leaving:
                return
            heard = list(guest.connection.receive(data)) if data else []
            guest.connection.send()
        except ProtocolError as error:
            self._tally.refused(error.refusal, guest.connection.peer, error.says)
            self._part(guest, error.refusal)
        except ssl.SSLError as error:
            self._tally.refused(Refusal.TLS, guest.connection.peer, (error.reason or "").replace("_", " ").lower() or None)
            self._forget(guest)
        except OSError:
            self._forget(guest)
        else:
            self._meet(guest, heard)

    def _meet(self, guest: _Guest, heard: list[Hello | Sound | End]) -> None:
        if not heard:
            return
        if not isinstance(heard[0], Hello):
            # It said goodbye before it said whose call it was.
            self._part(guest, None)
            return
        guest.hello, guest.rest = heard[0], heard[1:]
        # Nothing more is read of it until it is somebody's call.
        self._selector.unregister(guest.connection)
        self._ask(guest, guest.hello)

    def _ask(self, guest: _Guest, hello: Hello) -> None:
        answer = self._admit(guest.connection, hello, guest.rest)
        if answer == "taken":
            self._drop(guest)
        elif answer is not None and (answer is not Refusal.NOT_ANNOUNCED or time.monotonic() > guest.until):
            self._tally.refused(answer, guest.connection.peer)
            self._part(guest, answer)

    def _look_round(self) -> None:
        """Who has waited too long, who waits for an announcement, and who is to be let go."""
        self.alive_at = moment = time.monotonic()
        while self._leaving:
            self._watch(_Guest(connection=self._leaving.popleft(), until=moment + _LINGER_S, leaving=True))
        for guest in list(self._guests.values()):
            if guest.leaving and moment > guest.until:
                self._forget(guest)
            elif guest.hello is not None and not guest.leaving:
                self._ask(guest, guest.hello)
            elif moment > guest.until:
                self._tally.refused(Refusal.NO_START, guest.connection.peer)
                self._part(guest, Refusal.NO_START)
        self._tally.flush()

    def _part(self, guest: _Guest, refusal: Refusal | None) -> None:
        """Say why, and leave it some time to read that."""
        guest.connection.say_goodbye(refusal)
        if guest.hello is not None and not guest.leaving:
            self._selector.register(guest.connection, selectors.EVENT_READ)
        guest.leaving, guest.until = True, time.monotonic() + _LINGER_S

    def _watch(self, guest: _Guest) -> None:
        try:
            self._selector.register(guest.connection, selectors.EVENT_READ)
        except (OSError, ValueError, KeyError):
            guest.connection.close()
            return
        self._guests[guest.connection.fileno()] = guest

    def _drop(self, guest: _Guest) -> None:
        """It is no guest any more."""
        self._guests = OrderedDict((fd, one) for fd, one in self._guests.items() if one is not guest)

    def _forget(self, guest: _Guest) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(guest.connection)
        self._drop(guest)
        guest.connection.close()

    def _tell(self, state: SourceState, problem: Problem | None) -> None:
        if problem is not None and problem != self.problem:
            _log.warning("listen.%s reason=%r", state, str(problem))
        self.problem = problem
        self._on_state(state)


def cannot_listen(config: ListenConfig, error: OSError) -> Problem:
    """Why nobody can listen there, and what to do."""
    remedies = {
        errno.EADDRINUSE: "another program has that port: give another, or end it (ss -ltnp shows which it is)",
        errno.EADDRNOTAVAIL: "give an address that this box has (ip address), or bring the network up",
        errno.EACCES: "give a port from 1024 on: this user may not have a lower one",
    }
    where = f"{config.address} port {config.port}"
    remedy = remedies.get(error.errno or 0, "give another address")
    return Problem(what=f"cannot be listened on: {error.strerror}", where=where, remedy=remedy)
