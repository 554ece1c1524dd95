"""The thread that brings the outbox to the broker, over any number of connections, and hands commands to the box.

Alerts go before everything else. A row leaves the outbox on PUBACK. A connection that acknowledges nothing for a while is given up,
whatever it looks like; the next try comes after a random time (full jitter) of at most 30 s.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from edge.bus.commands import Command, Gate, Refused, parse
from edge.bus.device import Health, Info, State
from edge.bus.latest import Latest
from edge.bus.mqtt import Acknowledged, Heard, Link, Lost, Message, Subscribed, Woken
from edge.bus.outbox import Outbox
from edge.bus.rows import Row
from edge.bus.session import Session, body_now
from edge.bus.spread import Spread
from edge.bus.topics import HEALTH, INFO, RETAINED, STATE, Topics
from edge.config import Config
from edge.errors import BusError

_log = logging.getLogger("undertone.bus")

# Ten times what a broker on a bad mobile line takes to acknowledge; a broker that never does is found out within it.
_ACK_S = 20.0
# Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): uniform from 0 to min(30 s, 0.5 s * 2^n), so that a
# thousand boxes do not come back in one second. A connection that got something acknowledged starts anew at 0.5 s.
_BACKOFF_FIRST_S, _BACKOFF_MOST_S = 0.5, 30.0
# Commands that are sent while we reconnect still reach us; older ones would start or end the wrong call.
_SESSION_S = 60
# A topic that the broker refuses (ACL) is tried again so often; the others go on.
_REFUSED_AGAIN_S = 30.0
# Nothing to do: look after acknowledged rows, topics to be tried again, deadlines.
_TICK_S = 1.0
# Of the time to stop, what is kept for the last state and the goodbye.
_GOODBYE_S = 0.5


class Publisher:
    """See above. `on_command` is called in the publisher's thread; so is `died`, with what ended it, if a defect does."""

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        on_command: Callable[[Command], None],
        *,
        died: Callable[[str], None] | None = None,
        ack_s: float = _ACK_S,
    ) -> None:
        # From `put` to sending, and from there to PUBACK.
        self.sent, self.acknowledged = Spread(), Spread()
        self._config, self._outbox, self._on_command, self._died, self._ack_s = config, outbox, on_command, died, ack_s
        self._topics = Topics.of(config)
        self._gate = Gate()
        self._latest = Latest(self._topics, outbox.boot)
        self._inbox: SimpleQueue[Heard] = SimpleQueue()
        self._wake_sent = threading.Event()
        self._stopping = threading.Event()
        self._stop_at = float("inf")
        self._up = threading.Event()
        # Topics that the broker refuses: until when each is left alone; and what to tell of it until it takes one again.
        self._refused: dict[str, float] = {}
        self._refusals: dict[str, str] = {}
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._guarded, name="publisher", daemon=True)
        outbox.woken = self._wake

    @property
    def connected(self) -> bool:
        """Whether a broker has us now."""
        return self._up.is_set()

    @property
    def problem(self) -> str | None:
        """What is wrong with the bus, in one line with the remedy; None where nothing is."""
        return self._trouble or next(iter(self._refusals.copy().values()), None)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def publish_state(self, state: State) -> None:
        """How the box is (retained). Told now or as soon as there is a connection; the latest wins."""
        self._latest.offer(STATE, state)
        self._wake()

    def publish_info(self, info: Info) -> None:
        """What the box is (retained). Told with every connection."""
        self._latest.offer(INFO, info)
        self._wake()

    def publish_health(self, health: Health) -> None:
        """How the box fares. Told if there is a connection before the next one comes; the latest wins."""
        self._latest.offer(HEALTH, health)
        self._wake()

    def stop(self, timeout: float) -> None:
        """Send what can be sent within `timeout` seconds, the last state last, and say goodbye. What is left stays in the outbox."""
        self._stop_at = time.monotonic() + timeout
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._outbox.woken = None

    # --- from other threads ------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._wake_sent.is_set():
            self._wake_sent.set()
            self._inbox.put(Woken())

    def _admit(self, topic: str, size: int, retained: bool) -> bool:  # noqa: FBT001 (Link's signature)
        refusal = self._gate.refusal(topic, size, retained=retained)
        if refusal is not None:
            _log.warning("command.refused topic=%s reason=%s", topic[:200], refusal)
        return refusal is None

    # --- the thread --------------------------------------------------------------------------------------------------

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException:  # noqa: BLE001 (logged whole, and the process ends)
            _log.exception("bus.died")
            self._up.clear()
            if self._died is not None:
                self._died("publisher")

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            try:
                tries = 0 if self._one_connection() else tries + 1
            except BusError as error:
                tries += 1
                self._tell_trouble(str(error))
            delay = random.uniform(0, min(_BACKOFF_MOST_S, _BACKOFF_FIRST_S * 2 ** min(tries, 10)))  # noqa: S311 (jitter)
            self._stopping.wait(delay)

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            _log.warning("bus.trouble %s", trouble)
        self._trouble = trouble

    def _one_connection(self) -> bool:
        """Connect and serve until it is over. Returns whether the broker took anything. Raises BusError where there was none."""
        self._inbox = SimpleQueue()
        self._wake_sent.clear()
        link = Link(
            self._config.mqtt,
            client_id=f"{self._config.site}/{self._config.device}",
            inbox=self._inbox,
            admit=self._admit,
            session_s=_SESSION_S,
            will=self._latest.will(),
        )
        window = link.open()
        # A wake that came meanwhile is gone with the wait for the broker's answer; what it told of is sent first of all.
        self._wake_sent.clear()
        session = Session(link, window)
        try:
            link.subscribe(self._topics.commands, retained=False)
            _log.info("bus.connected url=%s", self._config.mqtt.url)
            self._tell_trouble(None)
            self._latest.connected()
            self._up.set()
            self._serve(session)
        finally:
            self._up.clear()
            link.close()
            self._outbox.nothing_in_flight()
        return session.took_something

    def _serve(self, session: "Session") -> None:
        while session.lost is None:
            self._send(session)
            if self._stopping.is_set() and self._say_goodbye(session):
                return
            try:
                heard = self._inbox.get(timeout=max(min(_TICK_S, session.patience(self._ack_s), self._until_goodbye()), 0.001))
            except Empty:
                if session.patience(self._ack_s) <= 0:
                    session.lost = f"acknowledged nothing for {self._ack_s:.0f} s; see the broker's log, or restart it"
                continue
            self._hear(heard, session)
            # All that has come, before anything else is sent.
            with suppress(Empty):
                while session.lost is None:
                    self._hear(self._inbox.get_nowait(), session)
        self._tell_trouble(f"{self._config.mqtt.url}: {session.lost}")

    def _send(self, session: "Session") -> None:
        """Fill the window: state and info first, then the outbox."""
        moment = time.monotonic()
        # Kept over connections: mosquitto 2.0.11 may cut the connection on which it refused something.
        self._refused = {topic: until for topic, until in self._refused.items() if until > moment}
        for topic, body in self._latest.take(without=self._refused):
            session.publish(self._topics.full(topic), body, topic, retain=topic in RETAINED)
        # Half a window at a time: a query for each PUBACK would cost more than the sending.
        if not session.wants_more or session.lost is not None:
            return
        for row in self._outbox.pending(session.room, without=list(self._refused)):
            self._outbox.sent(row)
            self.sent.add(row.age_s)
            session.publish(self._topics.full(row.topic), body_now(row), row)

    def _say_goodbye(self, session: "Session") -> bool:
        """Once nothing is left to send, or no time: the last state, then DISCONNECT."""
        left = self._stop_at - time.monotonic()
        if session.rows_unanswered and left > _GOODBYE_S:
            return False
        for topic, body in self._latest.take(last=True):
            session.publish(self._topics.full(topic), body, topic, retain=True)
        if session.state_unanswered and left > 0:
            return False
        session.link.goodbye()
        return True

    def _until_goodbye(self) -> float:
        """Seconds until stopping stops waiting for the outbox, then for the last state."""
        left = self._stop_at - time.monotonic()
        return left - _GOODBYE_S if left > _GOODBYE_S else left

    def _hear(self, heard: Heard, session: "Session") -> None:
        match heard:
            case Acknowledged(mid=mid, refusal=refusal):
                if (answered := session.answered(mid, refusal)) is not None:
                    self._answered(*answered, refusal)
            case Message(topic=topic, payload=payload):
                self._obey(topic, payload)
            case Subscribed(refusal=str(refusal)):
                wanted = self._topics.commands
                self._refusals[wanted] = f"{self._config.mqtt.url}: {wanted} refused ({refusal}); let this box read it in the broker's ACL"
                _log.warning("bus.trouble %s", self._refusals[wanted])
            case Subscribed():
                self._refusals.pop(self._topics.commands, None)
            case Lost(reason=reason):
                session.lost = f"connection lost: {reason}" + (
                    "; two boxes have the same site and device: give each its own" if "taken over" in reason else ""
                )
            case Woken():
                self._wake_sent.clear()

    def _answered(self, what: Row | str, after_s: float, refusal: str | None) -> None:
        topic = what.topic if isinstance(what, Row) else what
        if refusal is None:
            self._refusals.pop(topic, None)
            if isinstance(what, Row):
                self._outbox.acknowledged(what)
                self.acknowledged.add(after_s)
            return
        if isinstance(what, Row):
            self._outbox.refused(what)
        self._refused[topic] = time.monotonic() + _REFUSED_AGAIN_S
        told = f"{self._config.mqtt.url}: {self._topics.full(topic)} refused ({refusal}); let this box write it in the broker's ACL"
        if self._refusals.get(topic) != told:
            _log.warning("bus.trouble %s", told)
        self._refusals[topic] = told

    def _obey(self, topic: str, payload: bytes) -> None:
        try:
            command = parse(self._topics.command(topic), payload)
        except Refused as reason:
            _log.warning("command.refused topic=%s reason=%s", topic[:200], reason)
            return
        _log.info("command.taken kind=%s", type(command).__name__)
        self._on_command(command)
