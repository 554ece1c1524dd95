"""What Home Assistant is told of a box, so that it shows it by itself: state, lines, calls. Off unless `discovery_prefix` is given.

One retained document a box (MQTT discovery of devices, Home Assistant 2024.11 and later). It says nothing that `state` and `health` do not;
its templates read those.
"""

from typing import Any

import msgspec

from edge.wire.codes import BoxState
from edge.wire.device import Info
from edge.wire.topics import HEALTH, STATE, Topics

# Numbers of what began, of each line, since the box was set up; Home Assistant's statistics make days of them.
_CALLS = (
    "{% set all = namespace(n=0) %}{% for topic, last in value_json.data.sequences.items() %}"
    "{% if topic.startswith('call/') and topic.endswith('/started') %}{% set all.n = all.n + last %}{% endif %}{% endfor %}{{ all.n }}"
)
_AWAY = (BoxState.LOST, BoxState.STOPPED)


def discovery(topics: Topics, info: Info) -> bytes:
    """The document for the box that `info` describes."""
    name = f"undertone_{topics.site}_{topics.device}"
    state, health = topics.full(STATE), topics.full(HEALTH)
    parts: dict[str, dict[str, Any]] = {
        "state": {
            "p": "sensor",
            "name": "State",
            "state_topic": state,
            "value_template": "{{ value_json.data.state }}",
            "device_class": "enum",
            "options": [one.value for one in BoxState],
        },
        "problem": {
            "p": "binary_sensor",
            "name": "Problem",
            "state_topic": state,
            "device_class": "problem",
            "value_template": f"{{{{ 'OFF' if value_json.data.state == '{BoxState.ONLINE.value}' else 'ON' }}}}",
        },
        "calls": {
            "p": "sensor",
            "name": "Calls",
            "state_topic": health,
            "value_template": _CALLS,
            "state_class": "total_increasing",
            "unit_of_measurement": "calls",
        },
    }
    parts |= {
        f"line_{number}": {
            "p": "sensor", "name": f"Line {line.name}", "state_topic": state,
            "value_template": f"{{{{ value_json.data.lines['{line.name}'] | default('unknown') }}}}",
        }
        for number, line in enumerate(info.lines, start=1)
    }  # fmt: skip
    away = ", ".join(f"'{one.value}'" for one in _AWAY)
    return msgspec.json.encode(
        {
            "dev": {
                "ids": [name], "name": f"{topics.site}/{topics.device}", "mf": "Undertone", "mdl": "box on a phone line",
                "sw": info.undertone,
            },
            "o": {"name": "undertone", "sw": info.undertone},
            "cmps": {key: part | {"unique_id": f"{name}_{key}"} for key, part in parts.items()},
            "availability": [
                {"topic": state, "value_template": f"{{{{ 'offline' if value_json.data.state in ({away}) else 'online' }}}}"}
            ],
            "qos": 1,
        }
    )  # fmt: skip
