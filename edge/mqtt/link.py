"""One connection to a broker (paho; MQTT 5 or 3.1.1), from CONNECT to its end. What comes in is put on a queue, nothing else.

A Link is used once: after an end one makes a new one, so nothing that paho keeps of the old connection is ever sent again behind
our back. Publish only while it is up: the outbox is the buffer, paho's own queue is none.
"""

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
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

from edge.broker.access import explain, password, tls
from edge.config import MqttConfig
from edge.errors import BusError
from edge.mqtt.incoming import Acknowledged, Connected, LinkEvent, Lost, Message, Reason, Subscribed, WakeUp, Will
from edge.mqtt.limits import Limits, PacketTooLargeError, UnfitBrokerError
from edge.mqtt.reasons import refused
from edge.wire.cloudevents import CONTENT_TYPE

# A broker across the world answers TCP and TLS within this; paho uses it for each of the two.
_CONNECT_S = 5.0
# From CONNECT to CONNACK: an authenticating broker may ask a directory first.
_CONNACK_S = 10.0
# To write two bytes to a socket that may be stuck.
_GOODBYE_S = 0.5
# A broker's own words are shown, not kept.
_WORDS = 200
# Also how paho says that the broker went silent.
_KEEPALIVE = 0x8D
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class Link:
    """A connection. `inbox` gets what is heard; `admit(topic, size, retained)` decides, in paho's thread, what is looked at at all.

    `session_s`: for how long after an end the broker keeps what is sent to us (MQTT 5; 0: not at all). `manual_ack`: a message stays the
    broker's until its `done` is called.
    """

    def __init__(
        self,
        config: MqttConfig,
        *,
        client_id: str,
        inbox: "SimpleQueue[LinkEvent]",
        admit: Callable[[str, int, bool], bool] = lambda _topic, _size, _retained: True,
        session_s: int = 0,
        will: Will | None = None,
        manual_ack: bool = False,
    ) -> None:
        self.limits = Limits()
        self._config, self._inbox, self._admit, self._session_s = config, inbox, admit, session_s
        self._five = config.protocol == "5"
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTv5 if self._five else MQTTv311,
            clean_session=None if self._five else True,
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        # Ours is the window; paho must never hold a message back.
        self._client.max_inflight_messages_set(0)
        self._client.connect_timeout = _CONNECT_S
        if will is not None:
            self._client.will_set(will.topic, will.body, qos=1, retain=True, properties=self._properties(PacketTypes.WILLMESSAGE))
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda _client, _data: inbox.put(Lost(reason=None, fault="connection failed"))
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def open(self) -> Limits:
        """Connect and wait for the broker's yes; returns what it takes.

        Raises BusError, one clear line; UnfitBrokerError where the broker was reached and no box can use it.
        """
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
            raise explain(error, self._config.url) from error
        self._client.loop_start()
        try:
            answer = self._inbox.get(timeout=_CONNACK_S)
            while isinstance(answer, WakeUp):
                answer = self._inbox.get(timeout=_CONNACK_S)
        except Empty:
            self.close()
            asked = f"is that an MQTT broker, is it well, does it speak MQTT {self._config.protocol} (mqtt.protocol)?"
            raise BusError(f"no answer within {_CONNACK_S:.0f} s", where=self._config.url, remedy=asked) from None
        if not isinstance(answer, Connected) or answer.refusal is not None:
            self.close()
            raise refused(answer, self._config)
        if (lacking := answer.limits.lacking) is not None:
            self.goodbye()
            self.close()
            raise UnfitBrokerError(lacking.what, where=self._config.url, remedy=lacking.remedy)
        self.limits = answer.limits
        return self.limits

    def subscribe(self, *filters: str, retained: bool = True) -> None:
        """Ask for what is published on `filters`, and for what is `retained` there; a Subscribed follows. MQTT 3.1.1 always sends both."""
        handling = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if retained else SubscribeOptions.RETAIN_DO_NOT_SEND
        # Else a retained message that comes later would look like a fresh one.
        options = [(one, SubscribeOptions(qos=1, retainAsPublished=not retained, retainHandling=handling)) for one in filters]
        # No session of 3.1.1 outlives its connection: QoS 1 would promise commands no more, and cost NATS two replicated consumers a box.
        self._client.subscribe(options if self._five else [(one, int(retained)) for one in filters])

    def publish(self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None) -> int | None:
        """Send with QoS 1; returns the number that its Acknowledged will carry, None where the connection is gone.

        Raises PacketTooLargeError where the broker would not take it: then nothing was sent.
        """
        properties = self._properties(PacketTypes.PUBLISH)
        if properties is not None and correlation is not None:
            properties.CorrelationData = correlation
        size, most = packet_bytes(topic, body, properties), self.limits.packet_bytes
        if most is not None and size > most:
            raise PacketTooLargeError(topic, size, most)
        sent = self._client.publish(topic, body, qos=1, retain=retain, properties=properties)
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
        # paho closes its sockets when nobody holds it any more: now, not when Python looks for cycles.
        client = self._client
        client.on_connect = client.on_connect_fail = client.on_disconnect = client.on_publish = client.on_subscribe = None
        client.on_message = None

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
        limits = Limits.announced({} if properties is None else vars(properties))
        self._inbox.put(Connected(refusal=_failure(reason, properties), limits=limits))

    def _on_disconnect(
        self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._inbox.put(Lost(reason=_reason(reason, properties)))
        else:
            quiet = reason.value == _KEEPALIVE
            self._inbox.put(Lost(reason=None, fault="no sign of life from the broker") if quiet else Lost(reason=None))

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: ReasonCode, properties: Properties | None) -> None:
        self._inbox.put(Acknowledged(mid=mid, refusal=_failure(reason, properties)))

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: Sequence[ReasonCode], properties: Properties | None
    ) -> None:
        self._inbox.put(Subscribed(refusal=next((_reason(reason, properties) for reason in reasons if reason.is_failure), None)))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        client, mid, qos = self._client, message.mid, message.qos
        if not self._admit(message.topic, len(message.payload), message.retain):
            client.ack(mid, qos)
            return
        given = message.properties
        self._inbox.put(
            Message(
                topic=message.topic,
                payload=bytes(message.payload),
                retained=message.retain,
                response_topic=getattr(given, "ResponseTopic", None),
                correlation=getattr(given, "CorrelationData", None),
                number=mid,
                again=message.dup,
                done=lambda: _acknowledge(client, mid, qos),
            )
        )


def _acknowledge(client: Client, mid: int, qos: int) -> None:
    """PUBACK, from any thread; where the connection has gone, the broker sends the message again."""
    with suppress(OSError, ValueError):
        client.ack(mid, qos)


def _empty_properties(kind: int) -> Properties:
    return Properties(kind)  # type: ignore[no-untyped-call]


def packet_bytes(topic: str, body: bytes, properties: Properties | None) -> int:
    """How long a PUBLISH packet is (MQTT 5, 3.3): fixed header, topic with its length, packet identifier, properties, body."""
    rest = 2 + len(topic.encode()) + 2 + len(body) + (0 if properties is None else len(properties.pack()))  # type: ignore[no-untyped-call]
    # Seven bits of the remaining length a byte.
    return 1 + max(1, -(-rest.bit_length() // 7)) + rest


def _failure(reason: ReasonCode, properties: Properties | None) -> Reason | None:
    return _reason(reason, properties) if reason.is_failure else None


def _reason(reason: ReasonCode, properties: Properties | None) -> Reason:
    words = getattr(properties, "ReasonString", None) or getattr(properties, "ServerReference", None)
    return Reason(code=reason.value, name=str(reason), more=None if words is None else words[:_WORDS])
