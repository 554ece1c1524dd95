"""Which models the service starts with: a model on probation that it died under, or cannot load, gives way to the one before it."""

import time

import msgspec

from edge.bundle.manifest import KINDS
from edge.bundle.store import Store, open_store
from edge.call.engines import Engines
from edge.config import Config
from edge.errors import ModelError
from edge.models.comparison import Record, Verdict, figures, judge
from edge.models.kinds import ROWS
from edge.models.loading import load_engines
from edge.models.probation import conclude, end, ended, has_probation, on_probation, read, write
from edge.values import ModelKind
from edge.wire.codes import ModelAction
from edge.wire.device import ModelChange


def start_up(config: Config) -> tuple[Engines, list[ModelChange]]:
    """The engines to start with, and what was decided about models on probation that this service died under or cannot load.

    Raises ModelError where nothing can be loaded at all.
    """
    changes: list[ModelChange] = []
    watched: list[tuple[ModelKind, Store]] = []
    for kind in KINDS:
        store = open_store(kind, config)
        record = read(store) if has_probation(kind, config) else None
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
            # The error is of a bundle's file; without one, any may be to blame.
            path = error.problem.path
            kind, store = next((one for one in watched if path is not None and path.is_relative_to(one[1].folder)), watched[0])
            watched.remove((kind, store))
            if (record := on_probation(store)) is not None:
                verdict = Verdict(action=ModelAction.ROLLED_BACK, reason=str(error))
                conclude(store, record, verdict)
                changes.append(ended(kind, record, verdict, figures(record)))
                end(store)


def _one_more_start(kind: ModelKind, store: Store, record: Record, config: Config, changes: list[ModelChange]) -> bool:
    """Count a death, end what it ended; whether the model is still on probation."""
    record = msgspec.structs.replace(record, deaths=record.deaths + record.running, running=True)
    verdict = (
        Verdict(action=record.verdict, reason=record.reason or "")
        if record.verdict is not None
        else judge(record, config.models, ROWS[kind].limits, now=time.time())
    )
    if verdict is None:
        write(store, record)
        return True
    conclude(store, record, verdict)
    changes.append(ended(kind, record, verdict, figures(record)))
    end(store)
    return False
