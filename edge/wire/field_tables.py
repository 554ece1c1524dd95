"""Tables of every event and its fields, for docs/bus.md."""

from collections.abc import Iterator

from edge.wire.cloudevents import type_name
from edge.wire.events import EVENTS
from edge.wire.schema import TOPICS, Schema, codes, describe
from edge.wire.topics import RETAINED


def markdown() -> str:
    """Tables of every event and its fields, for docs/bus.md."""
    return "\n".join(_pages())


def _pages() -> Iterator[str]:
    shown: set[str] = set()
    for event in EVENTS:
        described, definitions = describe(event, "{name}")
        yield f"### `{type_name(event)}`\n`{TOPICS[event.kind]}`{', retained' if TOPICS[event.kind] in RETAINED else ''}. {described}\n"
        # The event itself first, then the parts of it that no table above has shown.
        names = [event.__name__, *(name for name in definitions if name != event.__name__ and name not in shown)]
        for name in names:
            shown.add(name)
            if words := codes(name):
                yield f"\n`{name}`: {definitions[name]['description'].partition(chr(10))[0]}\n\n| value | meaning |\n|---|---|"
                yield from (f"| `{code}` | {code.doc} |" for code in words)
                continue
            if name != event.__name__:
                yield f"\n`{name}`: {definitions[name]['description']}\n"
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
    kind = "time" if schema.get("format") == "date-time" else str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if kind == "object":
        return f"map to {_kind(schema.get('additionalProperties', {}))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    return kind if low is None else f"{kind} {low}..{'' if high is None else high}"
