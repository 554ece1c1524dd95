"""Which models the service starts with: a model on probation that it died under, or cannot load, gives way to the one before it."""

import time

import msgspec

from edge.bundle import probation
from edge.bundle.installing import has_probation
from edge.bundle.probation import Record, Verdict
from edge.bundle.store import Store, open_store
from edge.bus.events import ModelChange
from edge.config import Config
from edge.engines import Engines, load_engines
from edge.errors import ModelError
from edge.values import Mode


def start_up(config: Config) -> tuple[Engines, list[ModelChange]]:
    """The engines to start with, and what was decided about a model on probation that this service died under or cannot load.

    Raises ModelError where nothing can be loaded at all.
    """
    changes: list[ModelChange] = []
    store = open_store("voice", config)
    record = probation.read(store) if _watched(config) else None
    if record is not None and (record.candidate == store.serving().current or record.verdict is not None):
        record = _one_more_start(store, record, config, changes)
    try:
        return load_engines(config), changes
    except ModelError as error:
        if record is None or record.candidate != store.serving().current:
            raise
        verdict = Verdict(action="rolled_back", reason=str(error))
        conclude(store, record, verdict)
        changes.append(ended(record, verdict, probation.figures(record)))
        probation.end(store)
    return load_engines(config), changes


def conclude(store: Store, record: Record, verdict: Verdict) -> None:
    """Carry a verdict out, so that any start after a power cut in the midst of it can carry it out again."""
    probation.write(store, msgspec.structs.replace(record, verdict=verdict.action, reason=verdict.reason))
    if verdict.action == "rolled_back":
        store.take_back(record.candidate, record.previous)


def _one_more_start(store: Store, record: Record, config: Config, changes: list[ModelChange]) -> Record | None:
    """Count a death, end what it ended; what is still on probation."""
    record = msgspec.structs.replace(record, deaths=record.deaths + record.running, running=True)
    verdict = (
        Verdict(action=record.verdict, reason=record.reason or "")
        if record.verdict is not None
        else probation.judge(record, config.models, now=time.time())
    )
    if verdict is None:
        probation.write(store, record)
        return record
    conclude(store, record, verdict)
    changes.append(ended(record, verdict, probation.figures(record)))
    probation.end(store)
    return None


def _watched(config: Config) -> bool:
    return has_probation("voice", config) and config.models.voice is None and config.mode is not Mode.WORDS


def ended(record: Record, verdict: Verdict, figures: dict[str, float]) -> ModelChange:
    """The end of a probation as the bus is told of it."""
    version, other = record.version, record.previous_version
    return ModelChange(
        action=verdict.action,
        model="voice",
        version=version,
        previous=other,
        reason=verdict.reason,
        figures=figures,
        transfer=record.transfer,
    )
