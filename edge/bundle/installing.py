"""The one way in for a bundle, from a stick or over the bus: checked, proven on this box, put on probation where that can be."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.bundle import probation
from edge.bundle.manifest import Bundle, Kind
from edge.bundle.proof import kind_of, prove_folder
from edge.bundle.store import Serving, Store, open_store
from edge.config import Config
from edge.errors import ModelError
from edge.values import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`bundle` serves from each line's next call on. `previous`: the version before it, None without any."""

    bundle: Bundle
    kind: Kind
    previous: str | None
    on_probation: bool
    proof_ms: float


def install(
    source: Path, config: Config, *, allow_older: bool = False, transfer: str | None = None, clock: Callable[[], float] = time.time
) -> Installed:
    """Install the bundle at `source` (.tar or folder). `transfer`: sha256 of the file that came over the bus.

    Raises ModelError if it is refused (the reason in one line; what serves is untouched), StoreError without room or right.
    """
    kind = kind_of(source)
    refuse_configured(kind, config)
    store = open_store(kind, config)
    before = store.manifest_of(store.serving().current)
    took: list[float] = []

    def prove(folder: Path) -> None:
        began = time.perf_counter()
        prove_folder(folder, config)
        took.append((time.perf_counter() - began) * 1000)

    def put_on_probation(old: Serving, new: Serving, bundle: Bundle) -> Serving:
        if not has_probation(kind, config):
            return new
        return probation.begin(store, old, new, bundle, since=clock(), transfer=transfer)

    bundle = store.install(source, prove, allow_older=allow_older, before=put_on_probation)
    return Installed(
        bundle=bundle,
        kind=kind,
        previous=before.version if before else None,
        on_probation=on_probation(store) is not None,
        proof_ms=round(took[0], 1),
    )


def has_probation(kind: Kind, config: Config) -> bool:
    """Whether a new model of this kind serves on probation first: one that judges calls in this box's mode, unless told otherwise."""
    judges = {"voice": config.mode is not Mode.WORDS, "words": config.mode is not Mode.VOICE, "fusion": config.mode is Mode.BOTH}
    configured = {"voice": config.models.voice, "words": config.models.words}.get(kind)
    return judges.get(kind, False) and configured is None and config.models.probation_calls > 0


def on_probation(store: Store) -> probation.Record | None:
    """The record of the model that serves now, if it is on probation."""
    record = probation.read(store)
    return record if record is not None and record.candidate == store.serving().current and record.verdict is None else None


def refuse_configured(kind: Kind, config: Config) -> None:
    """A model that the configuration names is not replaced behind its back. Raises ModelError."""
    configured = {"voice": config.models.voice, "words": config.models.words, "vosk": config.models.vosk}.get(kind)
    if configured is not None:
        raise ModelError(f"key 'models.{kind}' of this box's configuration names its {kind} model: {configured}; take that key out first")
