"""A new model on probation: it serves, the one before it answers the same in its shadow, and a bad one goes back by itself.

    <state_dir>/bundles/<kind>/probation.json    the record: who, since when, what was counted. Replaced by a rename, so that
                                                 probation survives restarts and power cuts

A voice is compared on the same utterances, a words model on the same recognised words, fusion weights on the same two readings.
It goes back by itself where it
  fails       one exception, or one answer that is no number
  dies        the service ended `DEATHS` times without being told to while the model was on probation
  is silent   it abstains on more of the utterances than its shadow
  is slow     it takes `SLOWER` times the processor time of its shadow
  drifts      its answers lie elsewhere than those of its shadow (edge.bundle.drift)
else it is kept after so many calls or hours. Nothing is judged on fewer than `ENOUGH` utterances.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from edge.bundle.archive import replace_whole
from edge.bundle.drift import BINS, LIMITS, Limits, drifted, shift, stability
from edge.bundle.manifest import Bundle, Kind
from edge.bundle.shadow import Answer
from edge.bundle.store import Serving, Store
from edge.config import ModelsConfig
from edge.errors import StoreError

_log = logging.getLogger("undertone.probation")

# Two power cuts or two updates of the box in the same days must not condemn a model; a third death is no chance.
DEATHS = 3
# 30 utterances are two or three calls; under it one odd caller is a third of the figures.
ENOUGH = 30
# A model of four times the size may be meant (golden vectors bound what a box can bear); five times is a defect.
SLOWER = 5.0
# Both models leave out what is too short or too quiet by the same rule, so any difference is the new one's doing.
SILENT = 0.1


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known so far. `candidate` and `previous` are folder names in the store (None: the shipped bundle).

    `transfer`: sha256 of the file that came over the bus. `running`: the service is up now, so that a start that finds it
    true follows a death. `verdict` is set before it is carried out.
    """

    candidate: str
    previous: str | None
    version: str
    previous_version: str | None
    since: float
    transfer: str | None = None
    running: bool = False
    deaths: int = 0
    calls: int = 0
    compared: int = 0
    failure: str | None = None
    absent: int = 0
    shadow_absent: int = 0
    bins: tuple[int, ...] = (0,) * BINS
    shadow_bins: tuple[int, ...] = (0,) * BINS
    other_label: int = 0
    other_side: int = 0
    shift_sum: float = 0.0
    shift_squares: float = 0.0
    verdict: Literal["kept", "rolled_back"] | None = None
    reason: str | None = None

    @property
    def read_by_both(self) -> int:
        """Utterances that both models read."""
        return sum(self.bins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How probation ends, and why in one line."""

    action: Literal["kept", "rolled_back"]
    reason: str


def path_of(store: Store) -> Path:
    """Where the record lies."""
    return store.folder / "probation.json"


def begin(store: Store, old: Serving, new: Serving, bundle: Bundle, *, since: float, transfer: str | None = None) -> Serving:
    """Leave the record that puts `bundle` on probation as soon as the pointer moves; returns the pointer to move to.

    A model that is still on probation itself is nobody's fallback: the new one goes back to the one before it.
    """
    if new.current is None or new.current == old.current:
        return new  # it serves already
    replaced = read(store)
    last_good = replaced.previous if replaced is not None and replaced.candidate == old.current else old.current
    # Without a fusion bundle the weights of the configuration serve.
    if not store.path_of(last_good).is_dir() and not (store.kind == "fusion" and last_good is None):
        end(store)
        return new  # there is nothing to go back to
    previous = store.manifest_of(last_good)
    version, previous_version = bundle.manifest.version, previous.version if previous else None
    record = Record(
        candidate=new.current, previous=last_good, version=version, previous_version=previous_version, since=since, transfer=transfer
    )
    write(store, record)
    return msgspec.structs.replace(new, previous=last_good)


def read(store: Store) -> Record | None:
    """The record; None where there is none. It is of a model that serves no more if its `candidate` is not the store's current one."""
    path = path_of(store)
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("probation.unreadable path=%s error=%s", path, error)
        return None
    return record


def write(store: Store, record: Record) -> None:
    """Keep `record`. Raises StoreError."""
    try:
        replace_whole(path_of(store), msgspec.json.encode(record) + b"\n")
    except OSError as error:
        raise StoreError(f"{path_of(store)}: cannot be written: {error.strerror}; make room on that disk") from error


def end(store: Store) -> None:
    """Nobody is on probation any more."""
    path_of(store).unlink(missing_ok=True)


def compare(record: Record, new: Answer | None, shadow: Answer | None) -> Record:
    """`record` with one more utterance that both have been asked about; None abstained."""
    change = msgspec.structs.replace(
        record,
        compared=record.compared + 1,
        absent=record.absent + (new is None),
        shadow_absent=record.shadow_absent + (shadow is None),
    )
    if new is None or shadow is None:
        return change
    moved = shift(new.p_negative, shadow.p_negative)
    return msgspec.structs.replace(
        change,
        shift_sum=record.shift_sum + moved,
        shift_squares=record.shift_squares + moved * moved,
        bins=_counted(record.bins, new.p_negative),
        shadow_bins=_counted(record.shadow_bins, shadow.p_negative),
        other_label=record.other_label + (new.label != shadow.label),
        other_side=record.other_side + ((new.p_negative > 0.5) != (shadow.p_negative > 0.5)),  # noqa: PLR2004 (even odds)
    )


def judge(
    record: Record, limits: ModelsConfig, kind: Kind, *, now: float, cost_ms: float | None = None, shadow_ms: float | None = None
) -> Verdict | None:
    """How it ends, if it does. `cost_ms`, `shadow_ms`: processor time of both, a window or a question. `now` is the wall clock."""
    if record.failure is not None:
        return Verdict(action="rolled_back", reason=record.failure)
    if record.deaths >= DEATHS:
        return Verdict(action="rolled_back", reason=f"the service died {record.deaths} times while it was on probation")
    if record.compared >= ENOUGH:
        allowed = LIMITS[kind].on(max(record.read_by_both, 1))
        if bad := _wrong(figures(record, cost_ms=cost_ms, shadow_ms=shadow_ms), allowed):
            return Verdict(action="rolled_back", reason=bad)
    long_enough = record.calls >= limits.probation_calls or now - record.since >= limits.probation_hours * 3600
    if long_enough and record.compared >= ENOUGH:
        return Verdict(action="kept", reason=f"as good as the one before it on {record.compared} utterances of {record.calls} calls")
    return None


def figures(record: Record, *, cost_ms: float | None = None, shadow_ms: float | None = None) -> dict[str, float]:
    """What was measured so far, as the bus is told it."""
    compared, both = max(record.compared, 1), max(record.read_by_both, 1)
    mean = record.shift_sum / both
    variance = max(record.shift_squares / both - mean * mean, 0.0)
    found = {
        "calls": float(record.calls),
        "utterances": float(record.compared),
        "deaths": float(record.deaths),
        "absent_share": record.absent / compared,
        "shadow_absent_share": record.shadow_absent / compared,
        "shift": mean,
        "shift_error": math.sqrt(variance / max(both - 1, 1)),
        "drift_psi": stability(record.bins, record.shadow_bins),
        "other_side_share": record.other_side / both,
        "other_label_share": record.other_label / both,
    }
    if cost_ms is not None and shadow_ms is not None:
        found |= {"cost_ms": cost_ms, "shadow_cost_ms": shadow_ms}
    return {name: round(value, 4) for name, value in found.items()}


def _wrong(found: Mapping[str, float], limits: Limits) -> str | None:
    """What is wrong with these figures, in one line."""
    if found["absent_share"] - found["shadow_absent_share"] > SILENT:
        return f"silent: it abstains on {found['absent_share']:.0%} of the utterances, its shadow on {found['shadow_absent_share']:.0%}"
    if "cost_ms" in found and found["cost_ms"] > SLOWER * found["shadow_cost_ms"]:
        return f"slow: {found['cost_ms']:.2f} ms, the one before it {found['shadow_cost_ms']:.2f} ms of processor time"
    return drifted(found, limits)


def _counted(bins: tuple[int, ...], p: float) -> tuple[int, ...]:
    place = min(int(p * BINS), BINS - 1)
    return tuple(count + (number == place) for number, count in enumerate(bins))
