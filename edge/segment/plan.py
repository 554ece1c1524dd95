"""Tone plans: which signal tones a telephone network plays (tones.yaml)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from edge.errors import ConfigError, Key
from edge.values import ClosedBy, Tone

_FILE = Path(__file__).with_name("tones.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTone:
    """A tone of the plan: frequencies heard together, cadence (on, off, ... in ms; empty: without a break), what it closes."""

    name: Tone
    hz: tuple[float, ...]
    cadence_ms: tuple[int, ...]
    closes: ClosedBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TonePlan:
    """All that a line of one network may play."""

    tones: tuple[SignalTone, ...]
    sit_hz: tuple[tuple[float, ...], ...]
    dtmf_rows: tuple[float, ...]
    dtmf_columns: tuple[float, ...]


@cache
def load_plan(name: str) -> TonePlan:
    """The shipped plan called `name`. Raises ConfigError naming the plans there are."""
    raw = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    if name not in raw["plans"]:
        raise ConfigError(f"no tone plan '{name}'", where=Key("tones"), remedy=f"there are: {', '.join(sorted(raw['plans']))}")
    tones = [
        SignalTone(
            name=Tone(tone["name"]),
            hz=tuple(tone["hz"]),
            cadence_ms=tuple(tone["cadence_ms"]),
            closes=ClosedBy(tone["closes"]) if "closes" in tone else None,
        )
        for tone in (*raw["plans"][name], *raw["everywhere"])
    ]
    return TonePlan(
        tones=tuple(tones),
        sit_hz=tuple(tuple(step) for step in raw["sit_hz"]),
        dtmf_rows=tuple(raw["dtmf_hz"]["rows"]),
        dtmf_columns=tuple(raw["dtmf_hz"]["columns"]),
    )
