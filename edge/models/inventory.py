"""Every model that this box has, as `undertone model list` shows it."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge.bundle.manifest import KINDS, load
from edge.bundle.signature import trust_of
from edge.bundle.store import find_bundle, open_store
from edge.clock import rfc3339
from edge.config import Config
from edge.errors import ModelError
from edge.models.comparison import Record
from edge.models.kinds import ROWS
from edge.models.probation import has_probation, on_probation
from edge.values import ModelKind


class OnProbation(msgspec.Struct, frozen=True, kw_only=True):
    """How far the probation of a bundle is; it ends after so many calls or hours, whichever is sooner."""

    calls: int
    calls_wanted: int
    utterances: int
    since: str
    hours_wanted: float

    def __str__(self) -> str:
        """In a line, as a table has it."""
        return f"on probation: {self.calls} of {self.calls_wanted} calls, {self.utterances} utterances"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle of this box. `state`: serving, previous, installed, shipped, configured; `refused` says why it is, or null."""

    kind: str
    model: str
    state: str
    signed_by: str | None
    created: str
    licence: str
    sha256: str | None
    folder: str
    refused: str | None
    probation: OnProbation | None = None


def list_models(config: Config) -> list[Row]:
    """Every bundle that this box has: those installed, those shipped, those configured."""
    rows = []
    for kind in KINDS:
        store = open_store(kind, config)
        record = on_probation(store) if has_probation(kind, config) else None
        serving, found = store.serving(), _serving(kind, config)
        names: list[str | None] = [None, *store.versions()]
        for name in names:
            folder = store.path_of(name)
            if not folder.is_dir():
                continue
            states = ["shipped"] if name is None else ["installed"]
            states += ["serving"] if folder == found else []
            states += ["previous"] if name == serving.previous and serving.current is not None else []
            states += ["pinned"] if serving.pinned and name == serving.current else []
            probation = _standing(record, config) if record is not None and name == record.candidate else None
            rows.append(_row(kind, folder, ", ".join(states), config, probation=probation))
        if found is not None and found not in [store.path_of(name) for name in names]:
            rows.append(_row(kind, found, "configured, serving", config) if ROWS[kind].fetched is None else _published(kind, found))
        if found is None and (fetch := ROWS[kind].fetched) is not None and (fetched := fetch(config)) is not None:
            rows.append(_published(kind, fetched))
    return rows


def _published(kind: ModelKind, folder: Path) -> Row:
    """A model that is no bundle of ours but as its makers publish it, checked against pinned hashes."""
    return Row(
        kind=kind, model=folder.name, state="fetched, serving", signed_by="pinned sha256", created="",
        licence="Apache-2.0", sha256=None, folder=str(folder), refused=None,
    )  # fmt: skip


def _serving(kind: ModelKind, config: Config) -> Path | None:
    """What serves, or None where nothing can."""
    try:
        return find_bundle(kind, config)
    except ModelError:
        return None


def _standing(record: Record, config: Config) -> OnProbation:
    limits = config.models
    return OnProbation(
        calls=record.calls, calls_wanted=limits.probation_calls, utterances=record.compared,
        since=rfc3339(datetime.fromtimestamp(record.since, UTC)), hours_wanted=limits.probation_hours,
    )  # fmt: skip


def _row(kind: ModelKind, folder: Path, state: str, config: Config, *, probation: OnProbation | None = None) -> Row:
    try:
        bundle = load(folder, kind=kind, trust=trust_of(config))
    except ModelError as error:
        return Row(
            kind=kind, model=folder.name, state=f"refused, {state}", signed_by=None, created="", licence="",
            sha256=None, folder=str(folder), refused=str(error),
        )  # fmt: skip
    made = bundle.manifest
    return Row(
        kind=kind, model=bundle.label, state=state, signed_by=bundle.signed_by, created=made.created, licence=made.licence,
        sha256=bundle.sha256, folder=str(folder), refused=None, probation=probation,
    )  # fmt: skip
