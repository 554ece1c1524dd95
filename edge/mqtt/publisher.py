"""The thread that brings the outbox to the broker, over any number of connections, and hands commands to the box.

Alerts go before everything else. A row leaves the outbox on PUBACK. A connection that acknowledges nothing for a while is given up,
whatever it looks like; when the next try comes is said by edge.mqtt.reconnects.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from edge.config import Config
from edge.errors import BusError, Problem
from edge.mqtt.gate import Gate
from edge.mqtt.held_topics import HeldTopics
from edge.mqtt.incoming import WORDLESS, Acknowledged, LinkEvent, Lost, Message, Reason, Subscribed, WakeUp
from edge.mqtt.lanes import Lanes
from edge.mqtt.link import Link
from edge.mqtt.reasons import loss
from edge.mqtt.reconnects import Reconnects
from edge.mqtt.requests import Requests
from edge.mqtt.session import Session
from edge.mqtt.status_topics import StatusTopics
from edge.mqtt.troubles import Troubles
from edge.outbox.outbox import Outbox
from edge.wire.cloudevents import envelope
from edge.wire.device import Health, Info, State
from edge.wire.discovery import discovery
from edge.wire.events import Event, OpenAlerts
from edge.wire.replies import Request
from edge.wire.topics import ALERTS, DISCOVERY, HEALTH, INFO, STATE, Topics

_log = logging.getLogger("undertone.bus")

# Ten times what a broker on a bad mobile line takes to acknowledge; a broker that never does is found out within it.
_ACK_S = 20.0
# Commands that are sent while we reconnect still reach us; older ones would start or end the wrong call.
SESSION_S = 60
# Nothing to do: look after acknowledged rows, topics to be tried again, deadlines.
_TICK_S = 1.0
# Of the time to stop, what is kept for the last state and the goodbye.
_GOODBYE_S = 0.5


class Publisher:
    """See above. `on_request` is called in the publisher's thread; so is `died`, with what ended it, if a defect does.

    A request stays the broker's until its `done` is called: one that a crash interrupts comes again. `troubles`: what is wrong.
    """

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        on_request: Callable[[Request], None],
        *,
        died: Callable[[str], None] | None = None,
        ack_s: float = _ACK_S,
    ) -> None:
        self._config, self._outbox, self._on_request, self._died, self._ack_s = config, outbox, on_request, died, ack_s
        self._topics = Topics.of(config)
        self._gate = Gate()
        self._requests = Requests(self._topics)
        self._status_topics = StatusTopics(self._topics, outbox.boot)
        self._held = HeldTopics(self._topics, config.mqtt.url)
        self._lanes = Lanes(self._topics, outbox, self._status_topics, self._requests, self._held)
        self.sent, self.acknowledged = self._lanes.sent, self._lanes.acknowledged
        self._reconnects = Reconnects(config.mqtt.url)
        self.troubles = Troubles(self._reconnects, self._held)
        self._inbox: SimpleQueue[LinkEvent] = SimpleQueue()
        self._wake_sent = threading.Event()
        self._stopping = threading.Event()
        self._stop_at = float("inf")
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name="publisher", daemon=True)
        outbox.woken = self._wake

    @property
    def connected(self) -> bool:
        """Whether a broker has us now."""
        return self._up.is_set()

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def publish_state(self, state: State) -> None:
        """How the box is (retained). Told now or as soon as there is a connection; the latest wins."""
        self._status_topics.offer(STATE, state)
        self._wake()

    def publish_info(self, info: Info) -> None:
        """What the box is (retained). Told with every connection."""
        self._status_topics.offer(INFO, info)
        if self._topics.discovery_prefix is not None:
            self._status_topics.offer_whole(DISCOVERY, discovery(self._topics, info))
        self._wake()

    def publish_alerts(self, alerts: OpenAlerts) -> None:
        """What is still open, from now on (retained)."""
        self._status_topics.offer(ALERTS, alerts)
        self._wake()

    def publish_health(self, health: Health) -> None:
        """How the box fares. Told if there is a connection before the next one comes; the latest wins."""
        self._status_topics.offer(HEALTH, health)
        self._wake()

    def respond(self, request: Request, reply: Event) -> None:
        """Send `reply` on the response topic that `request` came with, if it did; nothing of that outlives the connection."""
        if request.response_topic is not None:
            body = envelope(reply, site=self._topics.site, device=self._topics.device, sequence=None)
            self._requests.offer(request, body)
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
            self._inbox.put(WakeUp())

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
        while not self._stopping.is_set():
            try:
                wait_s = self._one_connection()
            except BusError as error:
                wait_s = self._reconnects.failed(error)
                self.troubles.record(error.problem)
            self._stopping.wait(wait_s)

    def _one_connection(self) -> float:
        """Connect and serve until it is over. Returns for how many seconds to wait. Raises BusError where there was none."""
        self._inbox = SimpleQueue()
        self._wake_sent.clear()
        link = Link(
            self._config.mqtt,
            client_id=f"{self._config.site}/{self._config.device}",
            inbox=self._inbox,
            admit=self._gate.admits,
            session_s=SESSION_S,
            will=self._status_topics.will(),
            manual_ack=True,
        )
        link.open()
        # A wake that came meanwhile is gone with the wait for the broker's answer; what it told of is sent first of all.
        self._wake_sent.clear()
        session = Session(link)
        try:
            link.subscribe(self._topics.commands, retained=False)
            self.troubles.mended(self._config.mqtt.url)
            self._status_topics.connected()
            self._up.set()
            self._serve(session)
        finally:
            self._up.clear()
            link.close()
            self._handle_rest(session)
            self._lanes.connection_over()
        wait_s = self._reconnects.ended(session.end())
        if (deadly := self._reconnects.deadly) is not None:
            self._held.deadly(deadly.topic, deadly.size)
        self.troubles.record(None if session.lost is None else session.lost.within(self._config.mqtt.url))
        return wait_s

    def _serve(self, session: Session) -> None:
        while session.lost is None:
            self._lanes.send(session)
            if self._stopping.is_set() and self._say_goodbye(session):
                return
            if self._reconnects.settled(session.lasted_s):
                self.troubles.settled()
            try:
                heard = self._inbox.get(timeout=max(min(_TICK_S, session.patience(self._ack_s), self._until_goodbye()), 0.001))
            except Empty:
                if session.patience(self._ack_s) <= 0:
                    what = f"acknowledged nothing for {self._ack_s:.0f} s"
                    session.lost = Problem(what=what, remedy="see the broker's log, or restart it")
                continue
            self._handle(heard, session)
            # All that has come, before anything else is sent.
            with suppress(Empty):
                while session.lost is None:
                    self._handle(self._inbox.get_nowait(), session)

    def _say_goodbye(self, session: Session) -> bool:
        """Once nothing is left to send, or no time: the last state, then DISCONNECT."""
        left = self._stop_at - time.monotonic()
        if session.rows_unanswered and left > _GOODBYE_S:
            return False
        told = self._lanes.last_words(session)
        if left > 0 and (session.state_unanswered or not told):
            return False
        session.link.goodbye()
        return True

    def _until_goodbye(self) -> float:
        """Seconds until stopping stops waiting for the outbox, then for the last state."""
        left = self._stop_at - time.monotonic()
        return left - _GOODBYE_S if left > _GOODBYE_S else left

    def _handle_rest(self, session: Session) -> None:
        """What the broker had said before we saw that it was over: answers, and why it ended the connection."""
        with suppress(Empty):
            while True:
                heard = self._inbox.get_nowait()
                # A command is the broker's to send again.
                reasoned = isinstance(heard, Lost) and heard.reason is not None and session.heard_end == WORDLESS
                if isinstance(heard, Acknowledged) or reasoned:
                    self._handle(heard, session)

    def _handle(self, heard: LinkEvent, session: Session) -> None:
        match heard:
            case Acknowledged(mid=mid, refusal=refusal):
                if (answered := session.answered(mid, refusal)) is not None:
                    self._lanes.answered(*answered, refusal)
            case Message():
                if (request := self._requests.read(heard)) is not None:
                    self._on_request(request)
            case Subscribed(refusal=Reason() as refusal):
                self._held.not_heard(self._topics.commands, refusal)
            case Subscribed():
                self._held.taken(self._topics.commands)
            case Lost():
                session.over(heard, loss(heard))
            case WakeUp():
                self._wake_sent.clear()
