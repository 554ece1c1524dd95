"""Whether a bundle works on this very box: the branch that would use it loads it and answers its golden vectors."""

import resource
import time
from pathlib import Path

import msgspec

from edge.bundle.apart import prove_recogniser
from edge.bundle.archive import unpack_aside
from edge.bundle.manifest import KINDS, MANIFEST, Bundle, Kind, load, parse
from edge.bundle.shipped import trust_of
from edge.bundle.store import find_bundle, open_store
from edge.bundle.weights import fitted_of
from edge.config import Config
from edge.errors import ModelError
from edge.words.voskmodel import check_any, find_vosk

# Ours take 2 to 30 MB. A box of 1 GB carries the one that serves, its shadow and this one beside a recogniser of 250 MB.
_MEMORY_MB = 128.0
_PAGE_MB = resource.getpagesize() / 1e6


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


def prove(path: Path, config: Config) -> str:
    """Load the bundle at `path` (.tar or folder) as the service would; what was found, in a line. Raises ModelError, StoreError."""
    if not path.is_dir():
        with unpack_aside(path) as folder:
            return prove(folder, config)
    began = time.perf_counter()
    bundle = prove_folder(path, config)
    signer = f"signed by {bundle.signed_by}" if bundle.signed_by else "signed by nobody trusted (models.allow_unsigned)"
    known = "gives its known answers" if bundle.manifest.golden else "has no known answers to give"
    return f"{bundle.manifest.kind}: {bundle.label}: whole, {signer}, {known} here ({(time.perf_counter() - began) * 1000:.0f} ms in all)"


def prove_folder(folder: Path, config: Config) -> Bundle:
    """Load the bundle in `folder` and run the branch that it is for. Raises ModelError."""
    trust = trust_of(config)
    bundle = load(folder, trust=trust)
    before = _memory_mb()
    loaded: object = None
    match bundle.manifest.kind:
        case "voice":
            from edge.voice.emotion import EmotionModel

            loaded = EmotionModel.load(folder, trust=trust)
        case "words":
            from edge.words.branch import WordsJudge

            loaded = WordsJudge.load(folder, trust=trust)
        case "vosk":
            check_any(folder)
            prove_recogniser(folder)
        case "fusion":
            fitted_of(bundle)
    grown = _memory_mb() - before
    del loaded
    if grown > _MEMORY_MB:
        raise ModelError(
            f"{folder}: too large for this box: {grown:.0f} MB of memory, {_MEMORY_MB:.0f} MB are allowed; take a smaller model"
        )
    return bundle


def _memory_mb() -> float:
    """What this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MB


def kind_of(source: Path) -> Kind:
    """Which kind of model the bundle at `source` (.tar or folder) says it is; nothing else of it is believed yet."""
    if not source.is_dir():
        with unpack_aside(source) as folder:
            return kind_of(folder)
    path = source / MANIFEST
    if not path.is_file():
        raise ModelError(f"{path}: missing; give a bundle's .tar or folder")
    return parse(path.read_bytes(), path).kind


def list_models(config: Config) -> list[Row]:
    """Every bundle that this box has: those installed, those shipped, those configured."""
    rows = []
    for kind in KINDS:
        store = open_store(kind, config)
        serving, found = store.serving(), find_bundle_quietly(kind, config)
        names: list[str | None] = [None, *store.versions()]
        for name in names:
            folder = store.path_of(name)
            if not folder.is_dir():
                continue
            states = ["shipped"] if name is None else ["installed"]
            states += ["serving"] if folder == found else []
            states += ["previous"] if name == serving.previous and serving.current is not None else []
            states += ["pinned"] if serving.pinned and name == serving.current else []
            rows.append(_row(kind, folder, ", ".join(states), config))
        if found is not None and found not in [store.path_of(name) for name in names]:
            rows.append(_recogniser(found) if kind == "vosk" else _row(kind, found, "configured, serving", config))
    if not any(row.kind == "vosk" for row in rows) and (fetched := find_vosk(config)) is not None:
        rows.append(_recogniser(fetched))
    return rows


def _recogniser(folder: Path) -> Row:
    """A Vosk model that is no bundle of ours but as its makers publish it, checked against pinned hashes."""
    return Row(
        kind="vosk", model=folder.name, state="fetched, serving", signed_by="pinned sha256", created="",
        licence="Apache-2.0", sha256=None, folder=str(folder), refused=None,
    )  # fmt: skip


def find_bundle_quietly(kind: Kind, config: Config) -> Path | None:
    """What serves, or None where nothing can."""
    try:
        return find_bundle(kind, config)
    except ModelError:
        return None


def _row(kind: Kind, folder: Path, state: str, config: Config) -> Row:
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
        sha256=bundle.sha256, folder=str(folder), refused=None,
    )  # fmt: skip
