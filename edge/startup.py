"""Which models the service starts with: a model on probation that it died under, or cannot load, gives way to the one before it."""

import time

import msgspec

from edge.bundle import probation
from edge.bundle.installing import has_probation, on_probation
from edge.bundle.manifest import Kind
from edge.bundle.probation import Record, Verdict
from edge.bundle.store import Store, open_store
from edge.bus.device import ModelChange
from edge.config import Config
from edge.engines import Engines
from edge.errors import ModelError
from edge.loading import load_engines

# Which kinds a running service takes over at a line's next call, and so puts on probation. A recogniser waits for the next start.
SWAPPED: tuple[Kind, ...] = ("voice", "words", "fusion")


def start_up(config: Config) -> tuple[Engines, list[ModelChange]]:
    """The engines to start with, and what was decided about models on probation that this service died under or cannot load.

    Raises ModelError where nothing can be loaded at all.
    """
    changes: list[ModelChange] = []
    watched: list[tuple[Kind, Store]] = []
    for kind in SWAPPED:
        store = open_store(kind, config)
        record = probation.read(store) if has_probation(kind, config) else None
        if record is None or (record.candidate != store.serving().current and record.verdict is None):
            continue
        if _one_more_start(kind, store, record, config, changes):
            watched.append((kind, store))
    while True:
        try:
            return load_engines(config), changes
        except ModelError as error:
            if not watched:
                raise
            # The reason names the bundle's folder; without one, any may be to blame.
            kind, store = next((one for one in watched if f"/{one[0]}/" in str(error)), watched[0])
            watched.remove((kind, store))
            if (record := on_probation(store)) is not None:
                verdict = Verdict(action="rolled_back", reason=str(error))
                conclude(store, record, verdict)
                changes.append(ended(kind, record, verdict, probation.figures(record)))
                probation.end(store)


def conclude(store: Store, record: Record, verdict: Verdict) -> None:
    """Carry a verdict out, so that any start after a power cut in the midst of it can carry it out again."""
    probation.write(store, msgspec.structs.replace(record, verdict=verdict.action, reason=verdict.reason))
    if verdict.action == "rolled_back":
        store.take_back(record.candidate, record.previous)


def ended(kind: Kind, record: Record, verdict: Verdict, figures: dict[str, float]) -> ModelChange:
    """The end of a probation as the bus is told of it."""
    return ModelChange(
        action=verdict.action,
        model=kind,
        version=record.version,
        previous=record.previous_version,
        reason=verdict.reason,
        figures=figures,
        transfer=record.transfer,
    )


def _one_more_start(kind: Kind, store: Store, record: Record, config: Config, changes: list[ModelChange]) -> bool:
    """Count a death, end what it ended; whether the model is still on probation."""
    record = msgspec.structs.replace(record, deaths=record.deaths + record.running, running=True)
    verdict = (
        Verdict(action=record.verdict, reason=record.reason or "")
        if record.verdict is not None
        else probation.judge(record, config.models, kind, now=time.time())
    )
    if verdict is None:
        probation.write(store, record)
        return True
    conclude(store, record, verdict)
    changes.append(ended(kind, record, verdict, probation.figures(record)))
    probation.end(store)
    return False
