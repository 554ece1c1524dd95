"""One connection to a broker (paho; MQTT 5 or 3.1.1), from CONNECT to its end. What comes in is put on a queue, nothing else.

A Link is used once: after an end one makes a new one, so nothing that paho keeps of the old connection is ever sent again behind
our back. Publish only while it is up: the outbox is the buffer, paho's own queue is none.
"""

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from socket import SHUT_RDWR, socket
from typing import cast
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.bus.broker import explain, password, tls
from edge.bus.envelope import CONTENT_TYPE
from edge.config import MqttConfig
from edge.errors import BusError

# A broker across the world answers TCP and TLS within this; paho uses it for each of the two.
_CONNECT_S = 5.0
# From CONNECT to CONNACK: an authenticating broker may ask a directory first.
_CONNACK_S = 10.0
# mosquitto's own default for what it takes unacknowledged, and enough for 400 events a second at 50 ms of round trip.
_WINDOW = 20
# To write two bytes to a socket that may be stuck.
_GOODBYE_S = 0.5
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """CONNACK: `refusal` None, or why not. `window`: how many messages may be unacknowledged."""

    refusal: str | None
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """PUBACK for message `mid`: `refusal` None, or why the broker did not take it."""

    mid: int
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """SUBACK: `refusal` None, or why not."""

    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something was published on a topic that we subscribe to."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody has something for the thread that reads the queue."""


Heard = Connected | Acknowledged | Subscribed | Message | Lost | Woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says, retained, when this connection ends without a goodbye."""

    topic: str
    body: bytes


class Link:
    """A connection. `inbox` gets what is heard; `admit(topic, size, retained)` decides, in paho's thread, what is looked at at all.

    `session_s`: for how long after an end the broker keeps what is sent to us (MQTT 5; 0: not at all).
    """

    def __init__(
        self,
        config: MqttConfig,
        *,
        client_id: str,
        inbox: "SimpleQueue[Heard]",
        admit: Callable[[str, int, bool], bool] = lambda _topic, _size, _retained: True,
        session_s: int = 0,
        will: Will | None = None,
    ) -> None:
        self._config, self._inbox, self._admit, self._session_s = config, inbox, admit, session_s
        self._five = config.protocol == "5"
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTv5 if self._five else MQTTv311,
            clean_session=None if self._five else True,
            reconnect_on_failure=False,
        )
        # Ours is the window; paho must never hold a message back.
        self._client.max_inflight_messages_set(0)
        self._client.connect_timeout = _CONNECT_S
        if will is not None:
            self._client.will_set(will.topic, will.body, qos=1, retain=True, properties=self._properties(PacketTypes.WILLMESSAGE))
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda _client, _data: inbox.put(Lost(reason="connection failed"))
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def open(self) -> int:
        """Connect and wait for the broker's yes; returns how many messages may be unacknowledged. Raises BusError, one clear line."""
        url = urlsplit(self._config.url)
        if url.scheme == "mqtts":
            self._client.tls_set_context(tls(self._config))
        if self._config.username is not None:
            self._client.username_pw_set(self._config.username, password(self._config))
        properties = None
        if self._five:
            properties = _empty_properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = self._session_s
        try:
            self._client.connect(
                url.hostname or "",
                url.port or _PORTS[url.scheme],
                keepalive=self._config.keepalive_s,
                clean_start=self._session_s == 0 if self._five else 3,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            # paho leaves its socket open where TLS fails: the frames that hold it let go of it now, not whenever.
            traceback.clear_frames(error.__traceback__)
            raise BusError(f"{self._config.url}: {explain(error)}") from error
        self._client.loop_start()
        try:
            answer = self._inbox.get(timeout=_CONNACK_S)
            while isinstance(answer, Woken):
                answer = self._inbox.get(timeout=_CONNACK_S)
        except Empty:
            self.close()
            asked = f"is that an MQTT broker, is it well, does it speak MQTT {self._config.protocol} (mqtt.protocol)?"
            raise BusError(f"{self._config.url}: no answer within {_CONNACK_S:.0f} s; {asked}") from None
        if isinstance(answer, Connected) and answer.refusal is None:
            return answer.window
        self.close()
        raise BusError(f"{self._config.url}: {refused(answer, self._config)}")

    def subscribe(self, *filters: str, retained: bool = True) -> None:
        """Ask for what is published on `filters`, and for what is `retained` there; a Subscribed follows. MQTT 3.1.1 always sends both."""
        handling = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if retained else SubscribeOptions.RETAIN_DO_NOT_SEND
        # Else a retained message that comes later would look like a fresh one.
        options = [(one, SubscribeOptions(qos=1, retainAsPublished=not retained, retainHandling=handling)) for one in filters]
        self._client.subscribe(options if self._five else [(one, 1) for one in filters])

    def publish(self, topic: str, body: bytes, *, retain: bool = False) -> int | None:
        """Send with QoS 1; returns the number that its Acknowledged will carry, None where the connection is gone."""
        sent = self._client.publish(topic, body, qos=1, retain=retain, properties=self._properties(PacketTypes.PUBLISH))
        return sent.mid if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def goodbye(self) -> None:
        """DISCONNECT, so that the broker does not say the will; returns when that has been sent, or cannot be."""
        self._client.disconnect()
        with suppress(Empty):
            while not isinstance(self._inbox.get(timeout=_GOODBYE_S), Lost):
                pass

    def close(self) -> None:
        """End it now, whatever the broker does: no PUBACK is waited for."""
        connection = self._client.socket()
        if connection is not None:
            # paho's thread waits for acknowledgements unless its socket fails under it.
            with suppress(OSError):
                cast("socket", connection).shutdown(SHUT_RDWR)
        self._client.loop_stop()

    def _properties(self, kind: int) -> Properties | None:
        if not self._five:
            return None
        properties = _empty_properties(kind)
        properties.ContentType = CONTENT_TYPE
        # 1: UTF-8 text.
        properties.PayloadFormatIndicator = 1
        return properties

    # --- in paho's thread: never raises, never waits -----------------------------------------------------------------

    def _on_connect(self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None) -> None:
        window = min(getattr(properties, "ReceiveMaximum", _WINDOW), _WINDOW)
        self._inbox.put(Connected(refusal=_failure(reason), window=window))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._inbox.put(Lost(reason=str(reason)))

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None) -> None:
        self._inbox.put(Acknowledged(mid=mid, refusal=_failure(reason)))

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: Sequence[ReasonCode], _properties: Properties | None
    ) -> None:
        self._inbox.put(Subscribed(refusal=next((str(reason) for reason in reasons if reason.is_failure), None)))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self._admit(message.topic, len(message.payload), message.retain):
            self._inbox.put(Message(topic=message.topic, payload=bytes(message.payload), retained=message.retain))


def _empty_properties(kind: int) -> Properties:
    return Properties(kind)  # type: ignore[no-untyped-call]


def _failure(reason: ReasonCode) -> str | None:
    return str(reason) if reason.is_failure else None


def refused(answer: Heard, config: MqttConfig) -> str:
    """Why a broker that was reached would not have us, and the remedy."""
    said = answer.refusal if isinstance(answer, Connected) else getattr(answer, "reason", None)
    if said in {"Not authorized", "Bad user name or password"}:
        return f"{said}; check mqtt.username ({config.username or 'none given'}) and mqtt.password_file"
    if said == "Unsupported protocol version":
        other = "3.1.1" if config.protocol == "5" else "5"
        return f"it does not speak MQTT {config.protocol}; set mqtt.protocol: '{other}'"
    if isinstance(answer, Lost):
        return (
            f"closed the connection without an answer ({said}); a port with TLS needs mqtts://, a certificate may be asked for (mqtt.cert),"
            " an old broker needs mqtt.protocol: '3.1.1'"
        )
    return f"refused: {said}; see the broker's log"
