"""What Home Assistant is told, and what its templates make of events as the box's own types write them."""

import json

import msgspec
import pytest
from jinja2 import Environment

from edge.config import load_config
from edge.errors import ConfigError
from edge.wire.cloudevents import envelope
from edge.wire.codes import BoxState
from edge.wire.device import Health, Info, State
from edge.wire.discovery import discovery
from edge.wire.events import Event
from edge.wire.parts import LineInfo
from edge.wire.topics import DISCOVERY, Topics

TOPICS = Topics(prefix="undertone/v1", site="leeds", device="desk-014", discovery_prefix="homeassistant")


def blank(kind, **known):
    """A `kind` with every field that is not `known` as empty as its type lets it be."""
    empty = {"str": "", "int": 0, "float": 0.0, "bool": False}
    fields = {field.name: known.get(field.name, empty.get(getattr(field.type, "__name__", ""))) for field in msgspec.structs.fields(kind)}
    return kind(**fields)


def info(*lines):
    return blank(Info, undertone="0.2.0", lines=[LineInfo(name=name, desk=None, channels=[]) for name in lines])


def state(how, **lines):
    return blank(State, state=how, boot=1, reasons=[], lines=lines)


def health(**sequences):
    return blank(Health, sequences=sequences)


def said(document, part, data, topic):
    """What Home Assistant shows for `part` once `data` was told on `topic`."""
    event = Event(id="x", topic=topic, time="2026-11-23T12:00:00.000Z", data=data)
    body = json.loads(envelope(event, site="leeds", device="desk-014", sequence=None))
    assert part["state_topic"] == TOPICS.full(topic)
    return Environment(autoescape=False).from_string(part["value_template"]).render(value_json=body)


def test_state_lines_and_calls_are_read_off_what_the_box_tells_anyway():
    document = json.loads(discovery(TOPICS, info("line-1", "line-2")))
    parts = document["cmps"]
    online = state(BoxState.ONLINE, **{"line-1": "hearing", "line-2": "absent"})
    assert said(document, parts["state"], online, "state") == "online"
    assert said(document, parts["problem"], online, "state") == "OFF"
    assert said(document, parts["problem"], state(BoxState.DEGRADED), "state") == "ON"
    assert said(document, parts["line_2"], online, "state") == "absent"
    assert said(document, parts["line_2"], state(BoxState.LOST), "state") == "unknown"
    told = health(**{"call/line-1/started": 7, "call/line-2/started": 5, "call/line-1/utterance": 900, "alert/billing": 3})
    assert said(document, parts["calls"], told, "health") == "12"
    assert parts["calls"]["state_class"] == "total_increasing"
    away = [
        said(document, one | {"state_topic": one["topic"]}, state(how), "state") for how in BoxState for one in document["availability"]
    ]
    assert away == ["offline" if how in {BoxState.LOST, BoxState.STOPPED} else "online" for how in BoxState]
    assert len({part["unique_id"] for part in parts.values()}) == len(parts) == 5
    assert TOPICS.full(DISCOVERY) == "homeassistant/device/leeds/desk-014/config"


@pytest.mark.parametrize(("written", "key"), [
    ("discovery_prefix: 'home/#'", "discovery_prefix"), ("discovery_prefix: ''", "discovery_prefix"),
    ("discovery_prefix: homeassistant\nsite: leeds.north", "site"), ("discovery_prefix: homeassistant\ndevice: a.b", "device"),
])  # fmt: skip
def test_what_home_assistant_would_not_take_is_refused(tmp_path, written, key):
    (tmp_path / "box.yaml").write_text(written)
    with pytest.raises(ConfigError, match=f"key '{key}'"):
        load_config(tmp_path / "box.yaml")
