"""Stored events put back together into calls: what the report page draws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge.drawing.timeline import Spoken, Timeline
from edge.errors import SourceError
from edge.files.text import unread

Data = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class ReportedCall:
    """One call's events by kind, in order of arrival. `alert` holds every snapshot of its alert."""

    call: str
    started: Data | None = None
    summary: Data | None = None
    failed: Data | None = None
    utterances: list[Data] = field(default_factory=list)
    metrics: list[Data] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    alert: list[Data] = field(default_factory=list)

    @property
    def reasons(self) -> list[Data]:
        """The reasons of its alert as last told, in order of time."""
        return sorted(self.alert[-1]["reasons"], key=lambda reason: reason["offset_ms"]) if self.alert else []

    @property
    def scores(self) -> Data | None:
        """The five call scores at the end, or as last known."""
        if self.summary:
            return self.summary["scores"]  # type: ignore[no-any-return]
        return next((u["scores"] for u in reversed(self.utterances) if u["scores"]), None)

    @property
    def duration_ms(self) -> int:
        """The call's length, or the last moment known of it."""
        ends = [u["end_ms"] for u in self.utterances] + [m["end_ms"] for m in self.metrics]
        return int(max([self.summary["duration_ms"] if self.summary else 0, *ends, 1]))

    @property
    def timeline(self) -> Timeline:
        """As it is drawn."""
        roles = self.started["channels"] if self.started else sorted({u["role"] for u in self.utterances})
        return Timeline(
            duration_ms=self.duration_ms,
            lanes=roles,
            spoken=[_spoken(u) for u in self.utterances],
            reasons=[(reason["offset_ms"], reason["rule"]) for reason in self.reasons],
        )


def _spoken(u: Data) -> Spoken:
    verdict = u["verdict"] or {}
    return Spoken(
        n=u["n"], lane=u["channel"], start_ms=u["start_ms"], end_ms=u["end_ms"], overlap_ms=u["turn"]["overlap_ms"],
        voice=(u["voice"] or {}).get("polarity"),
        # An agent's words are read for what they are about, not for how they feel.
        words=None if u["role"] == "agent" else (u["words"] or {}).get("polarity"),
        fused=verdict.get("polarity"), certain=verdict.get("label") is not None, mean=(u["scores"] or {}).get("mean"),
    )  # fmt: skip


def calls_in(events: Iterable[Data]) -> list[ReportedCall]:
    """The calls in `events` (CloudEvents as dicts, any order between calls), in order of first appearance."""
    calls: dict[str, ReportedCall] = {}
    for event in events:
        data = event["data"]
        if "call" not in data:
            continue
        call = calls.setdefault(data["call"], ReportedCall(call=data["call"]))
        match event["type"]:
            case "undertone.call.started.v1":
                call.started = data
            case "undertone.call.utterance.v1":
                call.utterances.append(data)
            case "undertone.call.metrics.v1":
                call.metrics.append(data)
            case "undertone.call.text.v1":
                call.texts[data["n"]] = data["text"]
            case "undertone.call.summary.v1":
                call.summary = data
            case "undertone.call.failed.v1":
                call.failed = data
            case "undertone.alert.v1":
                call.alert = sorted([*call.alert, data], key=lambda snapshot: snapshot["revision"])
    return list(calls.values())


def read_events(path: Path) -> list[Data]:
    """The CloudEvents in a file of JSON lines. Raises SourceError naming the line that is none, or where there are none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(unread(error), path=path, remedy="give a file that `undertone replay --json` printed") from error
    events: list[Data] = []
    for number, line in enumerate(lines, start=1):
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise SourceError(
                f"is not JSON: {error}", path=path, line=number, remedy="give a file that `undertone replay --json` printed"
            ) from error
        if not isinstance(event, dict) or not isinstance(event.get("data"), dict) or "type" not in event:
            raise SourceError(
                "is not an Undertone event", path=path, line=number, remedy="give a file that `undertone replay --json` printed"
            )
        events.append(event)
    if not events:
        raise SourceError("holds no events", path=path, remedy="give a file that `undertone replay --json` printed")
    return events
