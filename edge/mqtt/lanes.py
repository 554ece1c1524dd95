"""What waits to be told, in the order in which it goes: how the box is, answers, then the outbox (alerts first); and what came of it."""

import logging

from edge.mqtt.held_topics import HeldTopics
from edge.mqtt.incoming import Reason
from edge.mqtt.limits import PacketTooLargeError
from edge.mqtt.requests import Requests
from edge.mqtt.session import Session, body_now
from edge.mqtt.status_topics import StatusTopics
from edge.outbox.outbox import Outbox
from edge.outbox.rows import Row
from edge.percentiles import Durations
from edge.wire.topics import RESPONSE_PREFIX, RETAINED, STATE, Topics

_log = logging.getLogger("undertone.bus")


class Lanes:
    """See above. For one thread. `sent`: from `put` to sending; `acknowledged`: from there to PUBACK."""

    def __init__(self, topics: Topics, outbox: Outbox, status_topics: StatusTopics, requests: Requests, held: HeldTopics) -> None:
        self.sent, self.acknowledged = Durations(), Durations()
        self._topics, self._outbox, self._status_topics, self._requests, self._held = topics, outbox, status_topics, requests, held

    def send(self, session: Session) -> None:
        """Fill the session's window."""
        for topic, body in self._status_topics.take(session.room, without=self._held.now()):
            self._tell_status(session, topic, body)
        for response in self._requests.responses(session.room):
            try:
                session.publish(response.topic, response.body, RESPONSE_PREFIX, correlation=response.correlation)
            except PacketTooLargeError as error:
                _log.warning("command.unanswered reason=%r", str(error))
        if session.room <= 0 or session.lost is not None:
            return
        for row in self._outbox.pending(session.room, without=self._held.now()):
            self._outbox.sent(row)
            try:
                session.publish(self._topics.full(row.topic), body_now(row), row)
            except PacketTooLargeError as error:
                self._outbox.refused(row)
                self._held.too_large(row.topic, error)
            else:
                self.sent.add(row.age_s)

    def last_words(self, session: Session) -> bool:
        """The last state, if there is one to tell and room for it. Returns whether that is done."""
        for topic, body in self._status_topics.take(session.room, last=True):
            self._tell_status(session, topic, body)
        return session.room > 0 or not self._status_topics.due(STATE)

    def answered(self, what: Row | str, after_s: float, refusal: Reason | None) -> None:
        """The broker has answered for `what` (Session.answered), `after_s` seconds after it was sent."""
        topic = what.topic if isinstance(what, Row) else what
        if topic == RESPONSE_PREFIX:
            if refusal is not None:
                _log.warning(
                    "command.unanswered reason=%r remedy='let this box write %s# in the broker's ACL'", str(refusal), RESPONSE_PREFIX
                )
            return
        if refusal is None:
            self._held.taken(topic)
            if isinstance(what, Row):
                self._outbox.acknowledged(what)
                self.acknowledged.add(after_s)
            return
        if isinstance(what, Row):
            self._outbox.refused(what)
        self._held.refused(topic, refusal)

    def connection_over(self) -> None:
        """What was on its way waits again."""
        self._requests.forget_responses()
        self._outbox.nothing_in_flight()

    def _tell_status(self, session: Session, topic: str, body: bytes) -> None:
        try:
            session.publish(self._topics.full(topic), body, topic, retain=topic in RETAINED)
        except PacketTooLargeError as error:
            self._held.too_large(topic, error)
            self._status_topics.again(topic)
