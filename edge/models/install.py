"""The one way in for a bundle, from a stick or over the bus: checked, proven on this box, put on probation where that can be."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.bundle.archive import unpack_aside
from edge.bundle.manifest import MANIFEST, Bundle, load, parse
from edge.bundle.signature import trust_of
from edge.bundle.store import Serving, configured, open_store
from edge.config import Config
from edge.errors import Key, ModelError
from edge.models.kinds import ROWS
from edge.models.probation import begin, has_probation, on_probation
from edge.values import ModelKind

# Ours take 2 to 30 MB. A box of 1 GB carries the one that serves, its shadow and this one beside a recogniser of 250 MB.
_MEMORY_MB = 128.0
QUICK = "from a quick training (--quick), which shows that training works and is not for use"
_PAGE_MB = resource.getpagesize() / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`bundle` serves from each line's next call on. `previous`: the version before it, None without any.

    `already`: it served before, to the byte, and nothing was changed.
    """

    bundle: Bundle
    kind: ModelKind
    previous: str | None
    on_probation: bool
    already: bool
    proof_ms: float


def install(
    source: Path,
    config: Config,
    *,
    allow_older: bool = False,
    allow_quick: bool = False,
    transfer: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Installed:
    """Install the bundle at `source` (.tar or folder). `transfer`: sha256 of the file that came over the bus.

    `allow_older`: also one older than what serves, or another of its very version; `allow_quick`: also one trained with --quick.

    Raises ModelError if it is refused (the reason in one line; what serves is untouched), StoreError without room or right.
    """
    kind = kind_of(source)
    refuse_configured(kind, config)
    store = open_store(kind, config)
    before = store.manifest_of(store.serving().current)
    took: list[float] = []

    def prove(folder: Path) -> None:
        began = time.perf_counter()
        _refuse_quick(prove_folder(folder, config), allow_quick=allow_quick)
        took.append((time.perf_counter() - began) * 1000)

    def put_on_probation(old: Serving, new: Serving, bundle: Bundle) -> Serving:
        if not has_probation(kind, config):
            return new
        return begin(store, old, new, bundle, since=clock(), transfer=transfer)

    bundle = store.install(source, prove, allow_older=allow_older, before=put_on_probation)
    return Installed(
        bundle=bundle,
        kind=kind,
        previous=before.version if before else None,
        on_probation=on_probation(store) is not None,
        already=not took,
        proof_ms=round(sum(took), 1),
    )


def verify(source: Path, config: Config, *, allow_older: bool = False, allow_quick: bool = False) -> str:
    """What `install` would say of the bundle at `source` (.tar or folder), in a line; nothing is changed. Raises as `install` does."""
    if not source.is_dir():
        with unpack_aside(source) as folder:
            return verify(folder, config, allow_older=allow_older, allow_quick=allow_quick)
    kind = kind_of(source)
    refuse_configured(kind, config)
    store = open_store(kind, config)
    bundle, serving = load(source, kind=kind, trust=store.trust), store.serving()
    if store.has(bundle, serving):
        return f"{kind}: {bundle.label}: serves already, to the byte; install would change nothing"
    store.refuse_older(bundle, serving, allow_older=allow_older)
    found = prove(source, config)
    _refuse_quick(bundle, allow_quick=allow_quick)
    return f"{found}; this box would take it"


def prove(path: Path, config: Config) -> str:
    """Load the bundle in the folder `path` as the service would; what was found, in a line. Raises ModelError."""
    began = time.perf_counter()
    bundle = prove_folder(path, config)
    signer = f"signed by {bundle.signed_by}" if bundle.signed_by else "signed by nobody trusted (models.allow_unsigned)"
    known = "gives its known answers" if bundle.manifest.golden else "has no known answers to give"
    quick = f"; it is {QUICK}" if bundle.manifest.quick else ""
    took_ms = (time.perf_counter() - began) * 1000
    return f"{bundle.manifest.kind}: {bundle.label}: whole, {signer}, {known} here ({took_ms:.0f} ms in all){quick}"


def _refuse_quick(bundle: Bundle, *, allow_quick: bool) -> None:
    if bundle.manifest.quick and not allow_quick:
        raise ModelError(f"{bundle.label} is {QUICK}", remedy="install one that was trained in full, or add --quick to try this one")


def prove_folder(folder: Path, config: Config) -> Bundle:
    """Load the bundle in `folder` and run the branch that it is for. Raises ModelError."""
    trust = trust_of(config)
    bundle = load(folder, trust=trust)
    before = _memory_mb()
    loaded = ROWS[bundle.manifest.kind].prove(bundle, trust)
    grown = _memory_mb() - before
    del loaded
    if grown > _MEMORY_MB:
        much = f"too large for this box: {grown:.0f} MB of memory, {_MEMORY_MB:.0f} MB are allowed"
        raise ModelError(much, path=folder, remedy="take a smaller model")
    return bundle


def refuse_configured(kind: ModelKind, config: Config) -> None:
    """A model that the configuration names is not replaced behind its back. Raises ModelError."""
    if (named := configured(kind, config)) is not None:
        raise ModelError(
            f"this box's configuration names its {kind} model: {named}", where=Key(f"models.{kind}"), remedy="take that key out first"
        )


def _memory_mb() -> float:
    """What this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MB


def kind_of(source: Path) -> ModelKind:
    """Which kind of model the bundle at `source` (.tar or folder) says it is; nothing else of it is believed yet."""
    if not source.is_dir():
        with unpack_aside(source) as folder:
            return kind_of(folder)
    path = source / MANIFEST
    if not path.is_file():
        raise ModelError("missing", path=path, remedy="give a bundle's .tar or folder")
    return parse(path.read_bytes(), path).kind
