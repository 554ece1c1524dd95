"""The desk's durable session with the broker (paho). What comes is acknowledged only when it is stored; commands go out on the same way."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from desk.config import DeskMqtt
from desk.ingest.writer import Told
from edge.broker.access import password, tls
from edge.errors import StoreError

_log = logging.getLogger(__name__)

# How many messages the broker may have on their way to us unacknowledged: a group's size, and what a crash makes come twice.
_WINDOW = 500
# A group waits for no more than what is there already; this bounds how long a transaction holds the writer's lock.
_GROUP = 500
# Between two tries to store what the database refused.
_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_PUBACK_S = 10.0
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Come:
    """One message and the connection that it came by: an acknowledgement is good for that one only."""

    told: Told
    mid: int
    qos: int
    connection: int
    at: float


class Link:
    """Connects and stays connected until `close`. `store` gets groups of messages, in one thread; it may raise StoreError: tried again."""

    def __init__(self, config: DeskMqtt, store: Callable[[Sequence[Told]], None]) -> None:
        self._config, self._store = config, store
        self._five = config.protocol == "5"
        self._inbox: SimpleQueue[_Come | None] = SimpleQueue()
        self._connection = 0
        self._oldest: float | None = None
        self.connected = False
        self.trouble: str | None = "not connected yet"
        self._ending = threading.Event()
        self._client = self._made()
        self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)

    def _made(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._config.client_id,
            protocol=MQTTv5 if self._five else MQTTv311,
            clean_session=None if self._five else False,
            manual_ack=True,
        )
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.reconnect_delay_set(1, 30)
        if self._config.username is not None:
            client.username_pw_set(self._config.username, password(self._config))
        if self._config.url.startswith("mqtts://"):
            client.tls_set_context(tls(self._config))
        return client

    def open(self) -> None:
        """Begin; where the broker is away, it is tried until it is there. Raises BusError for what no waiting mends."""
        place = urlsplit(self._config.url)
        self._thread.start()
        options: dict[str, Any] = {"clean_start": False, "properties": _session(self._config)} if self._five else {}
        self._client.connect_async(place.hostname or "", place.port or _PORTS[place.scheme], self._config.keepalive_s, **options)
        self._client.loop_start()

    def close(self) -> None:
        """Store what has come, say goodbye. The broker keeps the session."""
        self._ending.set()
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join(_PUBACK_S)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def lag_s(self) -> float:
        """For how long the oldest message that is not stored has waited."""
        oldest = self._oldest
        return 0.0 if oldest is None else time.monotonic() - oldest

    def publish(self, messages: Sequence[tuple[str, str]]) -> int:
        """Publish `messages` (topic, body); how many of the first the broker has taken. Never called from paho's own thread."""
        if not self._client.is_connected():
            return 0
        sent = [self._client.publish(topic, body, qos=1) for topic, body in messages]
        end = time.monotonic() + _PUBACK_S
        for done, one in enumerate(sent):
            try:
                one.wait_for_publish(max(0.01, end - time.monotonic()))
                taken = one.is_published()
            except (ValueError, RuntimeError):
                taken = False
            if not taken:
                return done
        return len(sent)

    def _on_connect(self, client: Client, _data: object, _flags: object, reason: Any, _properties: object) -> None:  # noqa: ANN401
        self._connection += 1
        if reason.is_failure:
            self.trouble = f"the broker refuses us: {reason}; check user, password and ACL"
            return
        client.subscribe([(one, 1) for one in self._config.filters])

    def _on_subscribe(self, _client: Client, _data: object, _mid: int, reasons: Sequence[Any], _properties: object) -> None:
        """A desk that does not hear all that it asked for says so, and is not well."""
        refused = [one for one, reason in zip(self._config.filters, reasons, strict=False) if reason.is_failure]
        self.connected, self.trouble = not refused, None
        if refused:
            self.trouble = f"the broker does not let us hear {', '.join(refused)}; check its ACL, its limits and mqtt.topics"
            _log.error("event=not_subscribed %s", self.trouble)

    def _on_disconnect(self, _client: Client, _data: object, _flags: object, reason: object, _properties: object) -> None:
        self._connection += 1
        self.connected, self.trouble = False, f"connection lost: {reason}"

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        told = Told(topic=message.topic, payload=bytes(message.payload))
        self._inbox.put(_Come(told=told, mid=message.mid, qos=message.qos, connection=self._connection, at=time.monotonic()))

    def _work(self) -> None:
        while (group := self._group()) is not None:
            self._oldest = group[0].at
            self._stored(group)
            self._oldest = None
            for one in group:
                if one.qos and one.connection == self._connection:
                    self._client.ack(one.mid, one.qos)

    def _group(self) -> list[_Come] | None:
        """The next message and what is there behind it; None at the end."""
        first = self._inbox.get()
        if first is None:
            return None
        group = [first]
        while len(group) < _GROUP:
            try:
                another = self._inbox.get_nowait()
            except Empty:
                return group
            if another is None:
                self._inbox.put(None)
                return group
            group.append(another)
        return group

    def _stored(self, group: Sequence[_Come]) -> None:
        """Until it is stored, or the end comes: unacknowledged, the broker sends it again."""
        tries = 0
        while True:
            try:
                self._store([one.told for one in group])
            except StoreError as error:
                _log.error("event=not_stored messages=%d reason=%s", len(group), error)
                if self._ending.wait(_AGAIN_S[min(tries, len(_AGAIN_S) - 1)]):
                    raise SystemExit(1) from error
                tries += 1
            else:
                return


def _session(config: DeskMqtt) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = config.session_days * 86_400
    properties.ReceiveMaximum = _WINDOW
    return properties
