"""The envelope: CloudEvents 1.0, the same each time but for what time changes."""

import json

from edge.config import Config
from edge.wire.cloudevents import envelope, expired, sent_late
from edge.wire.topics import Topics
from tests.telling import NOON, alert, text


def test_an_event_is_a_cloudevent():
    event = json.loads(envelope(text(3), site="leeds", device="desk-1", sequence=7))
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": "c1:text:line-1:3",
        "source": "/undertone/leeds/desk-1",
        "type": "undertone.call.text.v1",
        "time": NOON,
        "subject": "c1",
        "datacontenttype": "application/json",
        "dataschema": "urn:undertone:schema:call.text:v1",
        "sequence": 7,
        "historical": False,
    }
    assert data == {"call": "c1", "line": "line-1", "n": 3, "role": "customer", "start_ms": 3, "end_ms": 4, "text": "it works"}


def test_a_late_event_differs_in_historical_alone():
    body = envelope(text(3), site="leeds", device="desk-1", sequence=7)
    assert json.loads(sent_late(body)) == {**json.loads(body), "historical": True}


def test_an_expired_alert_keeps_everything_but_its_state():
    body = json.loads(envelope(alert(), site="leeds", device="desk-1", sequence=1))
    over = json.loads(expired(envelope(alert(), site="leeds", device="desk-1", sequence=1)))
    assert over["data"] == {**body["data"], "state": "end", "end_reason": "expired"}


def test_topics_carry_prefix_site_and_device():
    topics = Topics.of(Config(site="leeds", device="desk-1"))
    assert topics.full("alert/billing") == "undertone/v1/leeds/desk-1/alert/billing"
    assert topics.commands == "undertone-cmd/v1/leeds/desk-1/#"
    assert topics.command("undertone-cmd/v1/leeds/desk-1/call/line-1/start") == "call/line-1/start"
