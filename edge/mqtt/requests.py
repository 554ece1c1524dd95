"""Commands as they come from the broker: what is one, what came twice, and the answers that go straight back (MQTT 5 response topics)."""

import logging
import re
from collections import OrderedDict, deque
from dataclasses import dataclass
from hashlib import sha256

from edge.mqtt.incoming import Message
from edge.wire.commands import Refused, parse
from edge.wire.replies import Request
from edge.wire.topics import RESPONSE_PREFIX, Topics

_log = logging.getLogger("undertone.bus")

# Nobody waits behind more unsent responses than this; the oldest go.
_MOST_RESPONSES = 200
# The broker sends again at most what it had in flight to us: 20 with mosquitto, a few hundred elsewhere.
_REMEMBERED = 500
_RESPONSE_TOPIC = re.compile(rf"{re.escape(RESPONSE_PREFIX)}[^+#\x00-\x1f\x7f]{{1,200}}")
_CORRELATION_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What to send on somebody's response topic."""

    topic: str
    body: bytes
    correlation: bytes | None


class Requests:
    """What has come, and what is to be answered. `offer` is for any thread, the rest for one."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._responses: deque[Response] = deque(maxlen=_MOST_RESPONSES)
        self._taken: OrderedDict[bytes, None] = OrderedDict()

    def read(self, message: Message) -> Request | None:
        """The command in `message`, or that it is none; None where it is one that the broker sends again though it was taken."""
        digest = sha256(b"\0".join((str(message.number).encode(), message.topic.encode(), message.payload))).digest()
        if message.again and digest in self._taken:
            message.done()
            return None
        self._taken[digest] = None
        while len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
        topic = self._topics.command(message.topic)
        correlation = message.correlation if len(message.correlation or b"") <= _CORRELATION_BYTES else None
        answer_on = message.response_topic if _RESPONSE_TOPIC.fullmatch(message.response_topic or "") else None
        try:
            command = parse(topic, message.payload)
        except Refused as why:
            _log.warning("command.refused topic=%s reason=%s", message.topic[:200], why)
            # The topic is a stranger's text where it is none of ours.
            return Request(topic=topic[:100], command=why, response_topic=answer_on, correlation=correlation, done=message.done)
        _log.info("command.taken kind=%s", type(command).__name__)
        return Request(topic=topic, command=command, response_topic=answer_on, correlation=correlation, done=message.done)

    def offer(self, request: Request, body: bytes) -> None:
        """Send `body` on the response topic of `request`, where it has one and somebody is connected."""
        if request.response_topic is not None:
            self._responses.append(Response(topic=request.response_topic, body=body, correlation=request.correlation))

    def forget_responses(self) -> None:
        """The connection is gone, and with it whoever waited."""
        self._responses.clear()

    def responses(self, room: int) -> list[Response]:
        """Up to `room` responses to send now."""
        return [self._responses.popleft() for _ in range(min(room, len(self._responses)))]
