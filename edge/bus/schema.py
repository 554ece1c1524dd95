"""JSON Schemas and the AsyncAPI document, made from the wire types, so that they cannot say anything else than the code does."""

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec

from edge import __version__
from edge.bus import device, events, parts
from edge.bus.commands import AlertAction, AlertFeedback, CallContext, CallEnd, CallStart, ModelInstall, SelfTestRun, UtteranceFeedback
from edge.bus.envelope import CONTENT_TYPE, schema_name, type_name
from edge.bus.events import EVENTS
from edge.bus.meanings import ENVELOPE, meaning
from edge.bus.parts import Wire
from edge.bus.topics import COMMAND_PREFIX, RETAINED

Schema: TypeAlias = dict[str, Any]
Action: TypeAlias = Literal["send", "receive"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Topic of each kind, without prefix, site and device; {line} and {route} are levels of it.
TOPICS: dict[str, str] = {
    "call.started": "call/{line}/started",
    "call.utterance": "call/{line}/utterance",
    "call.metrics": "call/{line}/metrics",
    "call.summary": "call/{line}/summary",
    "call.failed": "call/{line}/failed",
    "call.text": "text/{line}",
    "alert": "alert/{route}",
    "device.info": "info",
    "device.state": "state",
    "device.health": "health",
    "device.selftest": "selftest",
    "device.model": "model",
    "device.feedback": "feedback",
    "device.gap": "gap",
}
# What bypasses the outbox has no sequence.
_UNCOUNTED = ("device.info", "device.state", "device.health")
# The doctor tells one beside the running service, which alone may count.
_SOMETIMES_COUNTED = ("device.selftest",)
COMMANDS: dict[str, type[msgspec.Struct]] = {
    "call/{line}/start": CallStart,
    "call/{line}/end": CallEnd,
    "call/{line}/context": CallContext,
    "alert/ack": AlertAction,
    "alert/contacted": AlertAction,
    "alert/close": AlertAction,
    "selftest/run": SelfTestRun,
    "feedback/utterance": UtteranceFeedback,
    "feedback/alert": AlertFeedback,
    "model/install": ModelInstall,
}
# What a command's topic says already.
_SAID_BY_TOPIC = ("line", "action")
_PARAMETERS = {
    "prefix": "Beginning of all topics, undertone/v1 unless configured (mqtt.prefix).",
    "site": "Where the box is.",
    "device": "Which box.",
    "line": "The line, as named in the box's configuration.",
    "route": "The team an alert goes to.",
}


def schemas() -> dict[str, Schema]:
    """Kind -> JSON Schema (draft 2020-12) of the whole CloudEvent; nothing that it does not name is allowed."""
    return {event.kind: _schema(event) for event in EVENTS}


def _schema(event: type[Wire]) -> Schema:
    described, definitions = _described(event, "#/$defs/{name}")
    return {
        "$schema": _DRAFT,
        "$id": schema_name(event),
        "title": type_name(event),
        "description": described,
        **_envelope(event, {"$ref": f"#/$defs/{event.__name__}"}),
        "$defs": definitions,
    }


def _envelope(event: type[Wire], data: Schema) -> Schema:
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
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _described(event: type[Wire], template: str) -> tuple[str, dict[str, Schema]]:
    """What the event is, and the schemas of its data and all parts of it, each field with its meaning."""
    _, definitions = msgspec.json.schema_components([event], ref_template=template)
    for name, schema in definitions.items():
        for field, inner in schema.get("properties", {}).items():
            inner["description"] = meaning(name, field)
    return definitions[event.__name__]["description"], definitions


def fields() -> Iterator[tuple[str, str]]:
    """Every (type, field) on the bus."""
    for name, kind in (vars(parts) | vars(device) | vars(events)).items():
        if isinstance(kind, type) and issubclass(kind, Wire) and kind is not Wire:
            yield from ((name, field) for field in kind.__struct_fields__)


# --- AsyncAPI --------------------------------------------------------------------------------------------------------


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document of the bus."""
    channels: Schema = {}
    operations: Schema = {}
    messages: Schema = {}
    definitions: Schema = {}
    for event in EVENTS:
        described, parts = _described(event, "#/components/schemas/{name}")
        definitions |= parts
        name = type_name(event)
        messages[name] = {
            "name": name,
            "summary": described,
            "contentType": CONTENT_TYPE,
            "payload": _envelope(event, {"$ref": f"#/components/schemas/{event.__name__}"}),
        }
        topic = TOPICS[event.kind]
        retained = topic in RETAINED
        _add(
            channels,
            operations,
            topic=topic,
            address=f"{{prefix}}/{{site}}/{{device}}/{topic}",
            message=name,
            action="send",
            retained=retained,
        )
    for topic, command in COMMANDS.items():
        name = f"command.{topic.replace('/', '.').replace('.{line}', '')}"
        messages[name] = {"name": name, "summary": (command.__doc__ or "").strip(), "payload": _command(command)}
        _add(
            channels,
            operations,
            topic=f"command/{topic}",
            address=f"{COMMAND_PREFIX}/{{site}}/{{device}}/{topic}",
            message=name,
            action="receive",
        )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Undertone",
            "version": __version__,
            "description": "What an Undertone box tells and takes over MQTT. docs/bus.md explains it.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": definitions},
    }


def _add(channels: Schema, operations: Schema, *, topic: str, address: str, message: str, action: Action, retained: bool = False) -> None:
    """One channel, and the box's operation on it."""
    key = topic.replace("/", "-").replace("{", "").replace("}", "")
    channels[key] = {
        "address": address,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "parameters": {name: {"description": says} for name, says in _PARAMETERS.items() if f"{{{name}}}" in address},
        "bindings": {"mqtt": {"bindingVersion": "0.2.0"}},
    }
    operations[f"{action}-{key}"] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{key}"},
        "bindings": {"mqtt": {"qos": 1, "retain": retained, "bindingVersion": "0.2.0"}},
    }


def _command(command: type[msgspec.Struct]) -> Schema:
    schema: Schema = msgspec.json.schema(command)
    found: Schema = schema["$defs"][command.__name__]
    found["properties"] = {name: inner for name, inner in found["properties"].items() if name not in _SAID_BY_TOPIC}
    found["required"] = [name for name in found.get("required", []) if name not in _SAID_BY_TOPIC]
    return found


# --- docs/bus.md -----------------------------------------------------------------------------------------------------


def markdown() -> str:
    """Tables of every event and its fields, for docs/bus.md."""
    return "\n".join(_pages())


def _pages() -> Iterator[str]:
    shown: set[str] = set()
    for event in EVENTS:
        described, definitions = _described(event, "{name}")
        yield f"### `{type_name(event)}`\n`{TOPICS[event.kind]}`{', retained' if TOPICS[event.kind] in RETAINED else ''}. {described}\n"
        # The event itself first, then the parts of it that no table above has shown.
        names = [event.__name__, *(name for name in definitions if name != event.__name__ and name not in shown)]
        for name in names:
            if name != event.__name__:
                yield f"\n`{name}`: {definitions[name]['description']}\n"
            shown.add(name)
            yield "| field | type | meaning |\n|---|---|---|"
            for field, inner in definitions[name]["properties"].items():
                yield f"| `{field}` | {_kind(inner)} | {inner['description']} |"
        yield ""


def _kind(schema: Schema) -> str:
    """A field's type in a word or two."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return f"`{schema['$ref']}`"
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if kind == "object":
        return f"map to {_kind(schema.get('additionalProperties', {}))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    return kind if low is None else f"{kind} {low}..{'' if high is None else high}"
