"""JSON Schemas of the events, made from the wire types, so that they cannot say anything else than the code does."""

from collections.abc import Iterator
from typing import Any, TypeAlias, get_args

import msgspec

from edge.values import Code
from edge.wire import device, events, parts
from edge.wire.cloudevents import ENVELOPE, schema_name, type_name
from edge.wire.events import EVENTS
from edge.wire.fields import meaning
from edge.wire.parts import Wire

Schema: TypeAlias = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Topic of each kind, without prefix, site and device; {line} and {route} are levels of it.
TOPICS: dict[str, str] = {
    "call.started": "call/{line}/started",
    "call.updated": "call/{line}/updated",
    "call.utterance": "call/{line}/utterance",
    "call.metrics": "call/{line}/metrics",
    "call.summary": "call/{line}/summary",
    "call.failed": "call/{line}/failed",
    "call.text": "text/{line}",
    "alert": "alert/{route}",
    "alerts": "alerts",
    "device.info": "info",
    "device.state": "state",
    "device.health": "health",
    "device.selftest": "selftest",
    "device.model": "model",
    "device.feedback": "feedback",
    "device.erased": "erased",
    "reply": "reply",
    "device.gap": "gap",
}
# What bypasses the outbox has no sequence.
_UNCOUNTED = ("alerts", "device.info", "device.state", "device.health")
# The doctor tells one beside the running service, which alone may count.
_SOMETIMES_COUNTED = ("device.selftest",)


def schemas() -> dict[str, Schema]:
    """Kind -> JSON Schema (draft 2020-12) of the whole CloudEvent. What it does not name is allowed: a newer box may tell more."""
    return {event.kind: _schema(event) for event in EVENTS}


def _schema(event: type[Wire]) -> Schema:
    described, definitions = describe(event, "#/$defs/{name}")
    return {
        "$schema": _DRAFT,
        "$id": schema_name(event),
        "title": type_name(event),
        "description": described,
        **envelope(event, {"$ref": f"#/$defs/{event.__name__}"}),
        "$defs": definitions,
    }


def envelope(event: type[Wire], data: Schema) -> Schema:
    """The CloudEvent around `data`, the schema of the event's own fields."""
    counted = event.kind not in _UNCOUNTED
    properties: dict[str, Schema] = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "pattern": "^/undertone/[^/]+/[^/]+$"},
        "type": {"const": type_name(event)},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string", "minLength": 1},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": schema_name(event)},
        "sequence": {"type": "integer", "minimum": 1},
        "historical": {"type": "boolean"},
        "data": data,
    }
    if not counted:
        del properties["sequence"]
    if "call" not in event.__struct_fields__:
        del properties["subject"]
    for name, schema in properties.items():
        schema["description"] = ENVELOPE[name]
    optional = {"sequence"} if event.kind in _SOMETIMES_COUNTED else set()
    if any(field.name == "call" and type(None) in get_args(field.type) for field in msgspec.structs.fields(event)):
        optional.add("subject")
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def describe(event: type[Wire], template: str) -> tuple[str, dict[str, Schema]]:
    """What the event is, and the schemas of its data and all parts of it, each field with its meaning."""
    _, definitions = msgspec.json.schema_components([event], ref_template=template)
    for name, schema in definitions.items():
        for field, inner in schema.get("properties", {}).items():
            inner["description"] = meaning(name, field)
    explain_codes(definitions)
    return definitions[event.__name__]["description"], definitions


def explain_codes(definitions: dict[str, Schema]) -> None:
    """Each word of each enumeration with its meaning."""
    for name, schema in definitions.items():
        if words := codes(name):
            schema["enum"] = [code.value for code in words]
            schema["description"] += "".join(f"\n- {code}: {code.doc}" for code in words)


def codes(name: str) -> list[Code]:
    """The words of the enumeration called `name`, in their order; none where it is no enumeration."""
    return [code for kind in Code.__subclasses__() if kind.__name__ == name for code in kind]


def fields() -> Iterator[tuple[str, str]]:
    """Every (type, field) on the bus."""
    for name, kind in (vars(parts) | vars(device) | vars(events)).items():
        if isinstance(kind, type) and issubclass(kind, Wire) and kind is not Wire:
            yield from ((name, field) for field in kind.__struct_fields__)
