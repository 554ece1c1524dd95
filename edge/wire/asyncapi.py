"""The AsyncAPI document of the bus, made from the wire types: what a box tells and what it takes."""

from typing import Literal, TypeAlias

import msgspec

from edge import __version__
from edge.wire.cloudevents import CONTENT_TYPE, type_name
from edge.wire.commands import (
    AlertAction,
    AlertFeedback,
    CallAnnounce,
    CallContext,
    CallEnd,
    CallStart,
    CustomerErase,
    ModelInstall,
    SelfTestRun,
    UtteranceFeedback,
)
from edge.wire.events import EVENTS
from edge.wire.schema import TOPICS, Schema, describe, envelope, explain_codes
from edge.wire.topics import COMMAND_PREFIX, RETAINED

Action: TypeAlias = Literal["send", "receive"]

COMMANDS: dict[str, type[msgspec.Struct]] = {
    "call/{line}/start": CallStart,
    "call/{line}/end": CallEnd,
    "call/{line}/context": CallContext,
    "call/{line}/announce": CallAnnounce,
    "alert/ack": AlertAction,
    "alert/contacted": AlertAction,
    "alert/close": AlertAction,
    "selftest/run": SelfTestRun,
    "feedback/utterance": UtteranceFeedback,
    "feedback/alert": AlertFeedback,
    "customer/erase": CustomerErase,
    "model/install": ModelInstall,
}
# What a command's topic says already.
_SAID_BY_TOPIC = ("line", "action")
_PARAMETERS = {
    "prefix": "Beginning of all topics, undertone/v1 unless configured (mqtt.prefix).",
    "site": "Where the box is.",
    "device": "Which box.",
    "line": "The line, as named in the box's configuration; of one that listens, all its calls are here.",
    "route": "The team an alert goes to.",
}


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document of the bus."""
    channels: Schema = {}
    operations: Schema = {}
    messages: Schema = {}
    definitions: Schema = {}
    for event in EVENTS:
        described, parts = describe(event, "#/components/schemas/{name}")
        definitions |= parts
        name = type_name(event)
        messages[name] = {
            "name": name,
            "summary": described,
            "contentType": CONTENT_TYPE,
            "payload": envelope(event, {"$ref": f"#/components/schemas/{event.__name__}"}),
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
        payload, parts = _command(command)
        definitions |= parts
        messages[name] = {"name": name, "summary": (command.__doc__ or "").strip(), "payload": payload}
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


def _command(command: type[msgspec.Struct]) -> tuple[Schema, dict[str, Schema]]:
    """A command's schema, and those of its parts."""
    _, definitions = msgspec.json.schema_components([command], ref_template="#/components/schemas/{name}")
    explain_codes(definitions)
    found = definitions.pop(command.__name__)
    found["properties"] = {name: inner for name, inner in found["properties"].items() if name not in _SAID_BY_TOPIC}
    found["required"] = [name for name in found.get("required", []) if name not in _SAID_BY_TOPIC]
    # What the topic says needs no words for it.
    return found, {name: schema for name, schema in definitions.items() if f"/{name}'" in str(found)}
