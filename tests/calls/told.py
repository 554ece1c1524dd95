"""What a box tells of a scripted call: replayed from a WAV file by edge.call.replay with the shipped models and rules, and checked.

Each call is as if it were the box's only one in its hour (the alert budget is no part of what the suite expects). A file cannot
miss packets: they are zeros here.
"""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from edge.call.engines import Engines
from edge.call.replay import Envelopes, replay
from edge.call.rules.alert_history import AlertHistory
from edge.config import Config, LineConfig, SourceConfig
from edge.models.loading import load_engines
from edge.values import Privacy
from edge.wire.schema import schemas
from tests.calls.build import Recording, build
from tests.calls.measure import suite

# The tier that sends most, so that most is checked.
CONFIG = Config(privacy=Privacy.TRANSCRIPT)
# What differs between two runs of one call: when it was, and how long the machine took.
_OF_THE_RUN = {"time", "started_at", "ended_at", "opened_at", "updated_at", "page_until", "answerable_until", "latency"}
# Where an utterance may lie beside its turn: the boundary error that the suite allows.
_BESIDE_S = 0.5
_DOCS = Path(__file__).parents[2] / "docs" / "verdict.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One scripted call and what the box told of it: CloudEvents as a consumer reads them, and the JSON they came in."""

    name: str
    recording: Recording = field(repr=False)
    bodies: tuple[str, ...] = field(repr=False)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in order."""
        return [json.loads(body) for body in self.bodies]

    @property
    def opened(self) -> Counter[str]:
        """Findings that were told, by rule: how many calls' alerts have it as a reason."""
        return Counter(rule for _, rule in {(data["call"], reason["rule"]) for data in self.data("alert") for reason in data["reasons"]})

    @property
    def paged(self) -> int:
        """How often a team was paged: for each alert that is new to its route, and again where severity rose."""
        times, level = 0, {}
        for data in self.data("alert"):
            if data["state"] != "end" and data["severity_level"] > level.get(data["alert"], 0):
                times, level[data["alert"]] = times + 1, data["severity_level"]
        return times

    def data(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of a kind, `call.utterance` or another."""
        return [event["data"] for event in self.events if event["type"] == f"undertone.{kind}.v1"]


@cache
def engines() -> Engines:
    """The shipped models, loaded once."""
    return load_engines(Config())


def tell(name: str, *, chunk_ms: int = 20, realtime: bool = False) -> Told:
    """Build the call of that name and replay it."""
    script = suite()[name]
    recording = build(script)
    line = LineConfig(
        name="line-1",
        source=SourceConfig(file="call.wav"),
        channels=recording.roles,
        idle_s=script.get("idle_s", 30.0),
        tones=script.get("tones", "us"),
    )
    envelopes = Envelopes(CONFIG)
    alone = replace(engines(), alert_history=AlertHistory())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.wav"
        recording.write(path)
        events = replay(path, line=line, config=CONFIG, engines=alone, chunk_ms=chunk_ms, realtime=realtime)
        return Told(name=name, recording=recording, bodies=tuple(envelopes.wrap(event).decode() for event in events))


def comparable(told: Told) -> list[object]:
    """The events without what belongs to the run: ids of calls, times, latency."""

    def bare(value: object) -> object:
        if isinstance(value, dict):
            return {key: bare(inner) for key, inner in value.items() if key not in _OF_THE_RUN}
        return [bare(inner) for inner in value] if isinstance(value, list) else value

    calls = dict.fromkeys(event["subject"] for event in told.events)
    text = "\n".join(told.bodies)
    for number, call in enumerate(calls, start=1):
        text = text.replace(call, f"call-{number}")
    return [bare(json.loads(body)) for body in text.splitlines()]


@cache
def _validators() -> Mapping[str, jsonschema.Draft202012Validator]:
    known = {f"undertone.{kind}.v1": schema for kind, schema in schemas().items()}
    return {name: jsonschema.Draft202012Validator(schema) for name, schema in known.items()}


def invalid(told: Told) -> list[str]:
    """What in the call's events the shipped schemas do not allow."""
    return [
        f"{told.name} {event['id']}: {error.json_path} {error.message}"
        for event in told.events
        for error in _validators()[event["type"]].iter_errors(event)
    ]


@cache
def _documented() -> Any:
    names: dict[str, Any] = {}
    code = re.search(r"```python\n(.*?)```", _DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    exec(code.group(1), names)
    return names["recompute"]


def differences(told: Told) -> list[float]:
    """How far each verdict is from what a consumer computes from the event's JSON alone, as docs/verdict.md tells it to."""
    verdicts = [data["verdict"] for data in told.data("call.utterance") if data["verdict"] and data["verdict"]["polarity"] is not None]
    return [max(_apart(verdict, _documented()(json.dumps(verdict)))) for verdict in verdicts]


def _apart(verdict: Mapping[str, Any], again: Mapping[str, float]) -> Iterator[float]:
    yield abs(verdict["polarity"] - (again["positive"] - again["negative"]))
    for polarity, value in again.items():
        yield abs(verdict[f"p_{polarity}"] - value)


def agents_judged(told: Told) -> int:
    """Utterances of agents (or of nobody) that were given a voice reading, words or a verdict."""
    agents = [data for data in told.data("call.utterance") if data["role"] in ("agent", "system")]
    return sum(data[branch] is not None for data in agents for branch in ("voice", "words", "verdict"))


def nobodys(told: Told) -> int:
    """Customer utterances while the script has no customer speak: made of music, tones, announcements, noise or the agent's leak."""
    turns = sorted(told.recording.spoken, key=lambda turn: turn.start)
    first = [turns[number].start for number, _, _ in suite()[told.name]["expect"].get("calls", [[0, None, None]])] if turns else []
    # A call's clock starts where its first speaker does.
    starts = dict(zip((data["call"] for data in told.data("call.started")), first, strict=False))
    count = 0
    for data in told.data("call.utterance"):
        if data["role"] != "customer":
            continue
        # A call that the script does not know of begins where nobody speaks.
        offset = starts.get(data["call"], float("inf"))
        low, high = (offset + data[edge] / 1000 for edge in ("start_ms", "end_ms"))
        own = [turn for turn in turns if turn.role == "customer" and turn.start < high + _BESIDE_S and turn.end > low - _BESIDE_S]
        count += not own
    return count
