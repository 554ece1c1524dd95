"""Bundles installed on this box: each beside the others, one serving. Power may fail at any moment.

    <state_dir>/bundles/<kind>/versions/<name>-<version>-<hash>/   whole bundles, never changed once they have that name
                              /serving.json                        which one serves, and which one served before it

A bundle is unpacked, checked and flushed to the disk under another name before it is renamed; `serving.json` is replaced by
a rename. So at every instant the box has the old model or the new one, whole.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.bundle.archive import copy_in
from edge.bundle.manifest import MANIFEST, Bundle, Manifest, load, order, parse
from edge.bundle.signature import Trust, shipped_models, trust_of
from edge.config import Config
from edge.errors import ModelError, StoreError
from edge.files.durable import give_to_owner, how_to_write, is_folder, locked, replace_whole, sync
from edge.values import ModelKind

_log = logging.getLogger("undertone.bundles")
_INCOMING = ".incoming"

# What a branch does to prove that a bundle works here (golden vectors, time budget); raises ModelError.
Prove = Callable[[Path], object]
# Takes the old pointer, the new one and the new bundle just before the pointer moves; returns the pointer to move to.
Before = Callable[["Serving", "Serving", Bundle], "Serving"]


class Serving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pointer: folder names in `versions` (None: the shipped bundle).

    `pinned`: nothing replaces the current one, but for the version `wanted` where one is, be it older.
    """

    current: str | None = None
    previous: str | None = None
    pinned: bool = False
    wanted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One kind's installed bundles, under `root` (the state directory)."""

    root: Path
    kind: ModelKind
    trust: Trust

    @property
    def folder(self) -> Path:
        """All of this kind's."""
        return self.root / "bundles" / self.kind

    def serving(self) -> Serving:
        """What serves now. Raises StoreError if the pointer cannot be read."""
        path = self.folder / "serving.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Serving)
        except FileNotFoundError:
            return Serving()
        except (OSError, ValueError, RecursionError) as error:
            remedy = "remove it to go back to the shipped model, then install again"
            raise StoreError(f"cannot be read: {error}", path=path, remedy=remedy) from error

    def path_of(self, name: str | None) -> Path:
        """The folder of the installed bundle `name`, or of the shipped one."""
        return shipped_models() / self.kind if name is None else self.folder / "versions" / name

    def manifest_of(self, name: str | None) -> Manifest | None:
        """What the bundle `name` says of itself, unchecked; None where it is not there or damaged."""
        path = self.path_of(name) / MANIFEST
        try:
            return parse(path.read_bytes(), path)
        except (OSError, ModelError):
            return None

    def versions(self) -> list[str]:
        """Names of the installed bundles, oldest version first."""
        folder = self.folder / "versions"
        if not is_folder(folder):
            return []
        names = (path.name for path in folder.iterdir() if not path.name.startswith("."))
        return sorted(names, key=lambda name: (order(name.rsplit("-", 2)[-2]), name))

    def install(self, source: Path, prove: Prove, *, allow_older: bool = False, before: Before = lambda _old, new, _bundle: new) -> Bundle:
        """Check the bundle at `source` (.tar or folder), prove it, put it beside the others and let it serve.

        The very one that serves already is neither proven nor put on probation again: nothing changes.
        `before` is called just before the pointer moves: what it leaves on the disk is there whenever the new one serves.

        Raises ModelError if it is refused (the reason; what serves is untouched), StoreError if the store cannot be written.
        """
        with self._locked():
            incoming = self.folder / "versions" / f"{_INCOMING}-{os.getpid()}"
            try:
                shutil.rmtree(incoming, ignore_errors=True)
                incoming.mkdir()
                copy_in(source, incoming)
                bundle = load(incoming, kind=self.kind, trust=self.trust)
                serving = self.serving()
                name = bundle.folder_name
                placed = self.folder / "versions" / name
                if self.has(bundle, serving):
                    return load(placed, kind=self.kind, trust=self.trust)
                self.refuse_older(bundle, serving, allow_older=allow_older)
                prove(incoming)
                if placed.exists():
                    shutil.rmtree(placed) if not _whole(placed, self.kind, self.trust) else shutil.rmtree(incoming)
                if not placed.exists():
                    incoming.rename(placed)
                sync(placed.parent)
                previous = serving.previous if name == serving.current else serving.current
                pointed = msgspec.structs.replace(serving, current=name, previous=previous)
                self._point(before(serving, pointed, bundle))
                self._sweep()
            except ModelError as error:
                # Where it was unpacked says nothing to whoever brought it.
                raise error.moved(incoming, source) from error
            finally:
                # Also what an install left that was killed: nobody else installs now.
                for left in incoming.parent.glob(f"{_INCOMING}-*"):
                    shutil.rmtree(left, ignore_errors=True)
        return load(placed, kind=self.kind, trust=self.trust)

    def has(self, bundle: Bundle, serving: Serving) -> bool:
        """Whether this very `bundle`, to the byte, is the one that is `serving`, and whole."""
        return bundle.folder_name == serving.current and _whole(self.folder / "versions" / bundle.folder_name, self.kind, self.trust)

    def rollback(self) -> Bundle:
        """Let the model serve that served before; a second rollback undoes the first. Raises StoreError if none did."""
        with self._locked():
            serving = self.serving()
            if serving.current is None and serving.previous is None:
                only = f"only the shipped {self.kind} model has ever served"
                raise StoreError(only, path=self.folder, remedy="there is nothing to roll back to")
            bundle = load(self.path_of(serving.previous), kind=self.kind, trust=self.trust)
            self._point(msgspec.structs.replace(serving, current=serving.previous, previous=serving.current))
        return bundle

    def take_back(self, candidate: str, to: str | None) -> None:
        """Let `to` serve again in place of `candidate`, which failed and is nobody's fallback; nothing if it serves no more."""
        with self._locked():
            serving = self.serving()
            if serving.current == candidate:
                self._point(msgspec.structs.replace(serving, current=to, previous=None))

    def pin(self, *, pinned: bool, wanted: str | None = None) -> None:
        """Keep what serves against every install but that of the version `wanted`, or no longer."""
        with self._locked():
            self._point(msgspec.structs.replace(self.serving(), pinned=pinned, wanted=wanted))

    def refuse_older(self, bundle: Bundle, serving: Serving, *, allow_older: bool) -> None:
        """Raise ModelError for a bundle older than what is `serving`: one that somebody kept is not a way to take a box back."""
        if serving.pinned and serving.wanted == bundle.manifest.version:
            return
        if serving.pinned:
            to = f" to {serving.wanted}" if serving.wanted else ""
            raise ModelError(f"the {self.kind} model is pinned{to}", remedy=f"`undertone model pin {self.kind} --off` first")
        current = self.manifest_of(serving.current)
        if allow_older or current is None:
            return  # none serves, or a damaged one: anything whole is better
        if (bundle.manifest.name, bundle.manifest.version) == (current.name, current.version) and bundle.manifest != current:
            raise ModelError(
                f"{bundle.label} serves already, with other content",
                remedy="give the new one a version of its own, or add --older if it is meant to take its place",
            )
        if order(bundle.manifest.version) < order(current.version):
            older = f"{bundle.label} is older than {current.name}-{current.version}, which serves"
            raise ModelError(older, remedy="add --older if that is meant")

    def _point(self, serving: Serving) -> None:
        """Replace the pointer in one step that survives a power cut."""
        replace_whole(self.folder / "serving.json", msgspec.json.encode(serving) + b"\n")

    def _sweep(self) -> None:
        """Remove what neither serves nor served last, and what a power cut left half unpacked."""
        serving = self.serving()
        for path in (self.folder / "versions").iterdir():
            if path.name not in (serving.current, serving.previous):
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, between processes too. Raises StoreError if the state directory cannot be written."""
        try:
            (self.folder / "versions").mkdir(parents=True, exist_ok=True)
            with locked(self.folder / ".lock"):
                # `undertone model` is often run as root. Before, for the folders may be new and a running service looks every second.
                give_to_owner(self.root / "bundles", of=self.root)
                yield
                give_to_owner(self.root / "bundles", of=self.root)
        except OSError as error:
            raise StoreError(f"cannot be written: {error.strerror}", path=self.folder, remedy=how_to_write(error)) from error


def open_store(kind: ModelKind, config: Config) -> Store:
    """The store of this box for one kind of model. Raises ModelError for a bad key file."""
    return Store(root=Path(config.state_dir), kind=kind, trust=trust_of(config))


def configured(kind: ModelKind, config: Config) -> Path | None:
    """The folder that key `models.KIND` of the configuration names; None where it names none (fusion weights have no such key)."""
    named: str | None = getattr(config.models, kind, None)
    return Path(named) if named is not None else None


def require_bundle(kind: ModelKind, config: Config) -> Path:
    """As `find_bundle`, for a kind that every box has. Raises ModelError where there is none."""
    folder = find_bundle(kind, config)
    if folder is None:
        nothing, nowhere = f"no {kind} model shipped, installed or configured", open_store(kind, config).path_of(None)
        raise ModelError(nothing, path=nowhere, remedy="install one with `undertone model install FILE`")
    return folder


def find_bundle(kind: ModelKind, config: Config) -> Path | None:
    """The folder of the model that serves: configured, else installed, else shipped; None if there is no such model.

    An installed one that is damaged gives way to the one before it, then to the shipped one, with a log line. A
    configured one is taken as it is: its loading says what is wrong. Raises ModelError for a bad key file.
    """
    if (named := configured(kind, config)) is not None:
        return named
    store = open_store(kind, config)
    try:
        serving = store.serving() if is_folder(store.folder) else Serving()
    except StoreError as error:
        _log.warning("bundle.pointer_unreadable kind=%s reason=%r", kind, str(error))
        serving = Serving()
    for name in (serving.current, serving.previous):
        if name is None:
            break  # the shipped one serves, or served before
        try:
            return load(store.path_of(name), kind=kind, trust=store.trust).folder
        except ModelError as error:
            _log.warning("bundle.fell_back kind=%s from=%s reason=%r", kind, name, str(error))
    shipped = store.path_of(None)
    return shipped if shipped.is_dir() else None


def _whole(folder: Path, kind: ModelKind, trust: Trust) -> bool:
    """Whether the bundle in `folder` can be loaded."""
    try:
        load(folder, kind=kind, trust=trust)
    except ModelError:
        return False
    return True
