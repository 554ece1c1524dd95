"""The box's models while it runs: bundles from the bus, and who serves from each line's next call on.

One thread, beside the calls. What it changes on the disk survives its death at any instant.
"""

import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.box.clock import now
from edge.box.reload import reconfigured
from edge.bundle import probation
from edge.bundle.incoming import Incoming, Progress
from edge.bundle.installing import Installed, install, refuse_configured
from edge.bundle.manifest import KINDS, Kind
from edge.bundle.probation import Verdict
from edge.bundle.shadow import Broke, CallOver, Happened, Heard
from edge.bundle.store import Serving, open_store
from edge.bundle.transfers import Transfers
from edge.bus.commands import ModelInstall
from edge.bus.device import ModelAction, ModelChange
from edge.bus.events import Event
from edge.bus.topics import MODEL
from edge.config import Config
from edge.engines import Engines
from edge.errors import ModelError, StoreError
from edge.loading import renewed
from edge.startup import SWAPPED
from edge.trials import Watch

_log = logging.getLogger("undertone.models")

# Chunks of 256 KiB and utterances of at most 640 kB: 20 MB at the worst. What does not fit is sent again, or not compared.
_WAITING = 32
# How often the pointers are looked at, which `undertone model` may have moved, and how soon a verdict follows its figures.
_TICK_S = 1.0
# Between two words to the sender of a large model: it may be that far ahead.
_TELL_EVERY_BYTES = 1_000_000

Tell = Callable[[Sequence[Event]], None]


class Upkeep:
    """See above. `serve` is called with the engines for calls to come; `tell` commits events; `died` ends the process."""

    def __init__(
        self, config: Config, engines: Engines, *, boot: int, tell: Tell, serve: Callable[[Engines], None], died: Callable[[str], None]
    ) -> None:
        self._config, self._engines, self._boot = config, engines, boot
        self._tell, self._serve, self._died = tell, serve, died
        self._work: queue.Queue[ModelInstall | Happened | Config | None] = queue.Queue(_WAITING)
        self._incoming = Incoming(folder=Path(config.state_dir) / "incoming")
        self._transfers = Transfers(folder=self._incoming.folder)
        self._stores = {kind: open_store(kind, config) for kind in KINDS}
        self._serving = {kind: store.serving() for kind, store in self._stores.items()}
        self._watches = {kind: Watch(kind, config) for kind in SWAPPED}
        self._told, self._told_bytes, self._deaf_to = 0, 0, ""
        self._thread = threading.Thread(target=self._guarded, name="upkeep")

    def start(self, changes: Sequence[ModelChange] = ()) -> None:
        """Tell what `start_up` found, go on with probations, and begin."""
        self._incoming.sweep()
        changes = [*changes, *(change for kind in SWAPPED for change in self._take_up(kind))]
        self._serve(self._engines)
        for change in changes:
            self._announce(change)
        self._thread.start()

    def offer(self, chunk: ModelInstall) -> None:
        """Take a chunk from the bus; never waits. One that finds no room is sent again by its sender."""
        try:
            self._work.put_nowait(chunk)
        except queue.Full:
            _log.warning("model.chunk_dropped model=%s offset=%d", chunk.model, chunk.offset)

    def reconfigure(self, config: Config) -> None:
        """Take the site's own words, rules and weights as `config` says; it has been tried."""
        self._work.put(config)

    def stop(self) -> None:
        """End the thread; probations go on with the next start."""
        if self._thread.is_alive():
            self._work.put(None)
            self._thread.join()
        for watch in self._watches.values():
            if watch.record is not None:
                watch.keep(running=False)

    # --- the thread --------------------------------------------------------------------------------------------------

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException:  # noqa: BLE001 (logged whole, and the process ends)
            _log.exception("upkeep.died")
            self._died("upkeep")

    def _run(self) -> None:
        next_tick = time.monotonic() + _TICK_S
        while True:
            try:
                match self._work.get(timeout=max(next_tick - time.monotonic(), 0.01)):
                    case None:
                        return
                    case ModelInstall() as chunk:
                        self._take(chunk)
                    case Config() as config:
                        self._config, self._engines = config, reconfigured(self._engines, config)
                        for watch in self._watches.values():
                            watch.reconfigure(config)
                        self._serve(self._engines)
                    case Heard() | Broke() | CallOver() as happened:
                        self._watches[happened.kind].follow(happened)
                        self._look()
            except queue.Empty:
                pass
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_S
                self._look()

    # --- what comes over the bus -------------------------------------------------------------------------------------

    def _take(self, chunk: ModelInstall) -> None:
        if chunk.sha256 == self._deaf_to and chunk.offset:
            return  # the rest of what was refused
        self._deaf_to = ""
        if (before := self._transfers.outcome(chunk.sha256)) is not None:
            if chunk.offset == 0:
                self._answer_again(chunk, before.name, before.version, before.reason)
            return
        try:
            refuse_configured(chunk.model, self._config)
            found = self._incoming.take(chunk)
            if isinstance(found, Progress):
                self._tell_progress(chunk, found)
                return
            try:
                installed = install(found, self._config, transfer=chunk.sha256)
            finally:
                self._incoming.drop(found)
        except (ModelError, StoreError) as error:
            self._deaf_to = chunk.sha256
            # Where it lay on this box says nothing to its sender.
            reason = re.sub(r"\S+\.part", "the bundle", str(error)).replace(f"{self._config.state_dir}/", "")
            self._say("refused", chunk.model, "unknown", reason=reason, transfer=chunk.sha256)
            return
        self._took(chunk, installed)

    def _took(self, chunk: ModelInstall, installed: Installed) -> None:
        kind, version = installed.kind, installed.bundle.manifest.version
        self._transfers.remember(chunk.sha256, name=installed.bundle.folder.name, version=version)
        figures = {"bytes": float(chunk.size), "proof_ms": installed.proof_ms}
        self._say("installed", kind, version, previous=installed.previous, figures=figures, transfer=chunk.sha256)
        self._follow_pointer(kind, by_hand=False)
        if not installed.on_probation:
            reason = "serves from the next start on" if kind == "vosk" else "serves from each line's next call on"
            self._say("kept", kind, version, previous=installed.previous, reason=reason, transfer=chunk.sha256)

    def _answer_again(self, chunk: ModelInstall, name: str, version: str, reason: str | None) -> None:
        """The same file once more: nothing is done twice, and the sender is told how it stands."""
        if self._stores[chunk.model].serving().current != name:
            told = f"it was here and serves no more: {reason or 'another took its place'}; pack it again if it is meant"
            self._say("refused", chunk.model, version, reason=told, transfer=chunk.sha256)
        elif chunk.model in SWAPPED and self._watches[chunk.model].record is not None:
            self._announce(self._watches[chunk.model].standing(self._engines))
        else:
            self._say("kept", chunk.model, version, reason="serves already", transfer=chunk.sha256)

    def _tell_progress(self, chunk: ModelInstall, progress: Progress) -> None:
        if progress.news and chunk.offset and progress.offset - self._told_bytes < _TELL_EVERY_BYTES:
            return
        self._told_bytes = progress.offset
        figures = {"offset": float(progress.offset), "size": float(progress.size)}
        self._say("receiving", chunk.model, "unknown", figures=figures, transfer=chunk.sha256)

    # --- who serves --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Follow the pointers, whoever moved them, and judge who is on probation."""
        for kind in KINDS:
            self._follow_pointer(kind, by_hand=True)
        for kind, watch in self._watches.items():
            if (verdict := watch.judge(self._engines)) is not None:
                self._conclude(kind, verdict)

    def _follow_pointer(self, kind: Kind, *, by_hand: bool) -> None:
        old, new = self._serving[kind], self._stores[kind].serving()
        self._serving[kind] = new
        if new.current != old.current:
            self._swap(kind, by_hand=by_hand, back=new.current == old.previous)
        if new.pinned != old.pinned:
            reason = "nothing replaces it" if new.pinned else "no longer pinned: installs replace it"
            self._say("pinned", kind, self._version(kind, new), reason=reason)

    def _swap(self, kind: Kind, *, by_hand: bool, back: bool) -> None:
        """Calls to come are judged by what the pointer shows now; those that are going on are not touched."""
        try:
            self._engines = renewed(self._engines, kind, self._config)
            changes = self._take_up(kind)
        except ModelError as error:
            _log.error("model.unusable kind=%s reason=%r", kind, str(error))
            self._conclude(kind, Verdict(action="rolled_back", reason=str(error)))
            return
        if by_hand and not any(change.action == "rolled_back" for change in changes):
            changes = [self._moved_by_hand(kind, back=back), *changes]
        _log.info("model.serves kind=%s models=%s", kind, self._engines.models.get(kind))
        # Told when it is so.
        self._serve(self._engines)
        for change in changes:
            self._announce(change)

    def _moved_by_hand(self, kind: Kind, *, back: bool) -> ModelChange:
        """`undertone model install` or `rollback` was run on this box."""
        serving = self._serving[kind]
        version, before = self._version(kind, serving), self._version(kind, Serving(current=serving.previous))
        if back:  # as any rollback: `version` goes, `previous` serves
            return ModelChange(action="rolled_back", model=kind, version=before, previous=version, reason="taken back by hand", figures={})
        return ModelChange(action="installed", model=kind, version=version, previous=before, reason="by hand", figures={})

    def _version(self, kind: Kind, serving: Serving) -> str:
        manifest = self._stores[kind].manifest_of(serving.current)
        return manifest.version if manifest is not None else "unknown"

    # --- on probation ------------------------------------------------------------------------------------------------

    def _take_up(self, kind: Kind) -> list[ModelChange]:
        if kind not in SWAPPED:
            return []
        self._engines, changes = self._watches[kind].take_up(self._serving[kind].current, self._engines, self._hand_on)
        return changes

    def _hand_on(self, happened: Happened) -> None:
        """Called by the lines' threads; never waits. What does not fit is not compared, but a failure is never lost."""
        if isinstance(happened, Broke):
            self._watches[happened.kind].broken(happened)
        try:
            self._work.put_nowait(happened)
        except queue.Full:
            _log.warning("probation.not_compared kind=%s", type(happened).__name__)

    def _conclude(self, kind: Kind, verdict: Verdict) -> None:
        watch = self._watches[kind]
        told = watch.conclude(verdict, self._engines)
        if told is None:
            return
        self._transfers.explain(told.transfer, verdict.reason if verdict.action == "rolled_back" else None)
        self._serving[kind] = watch.store.serving()
        if verdict.action == "rolled_back":
            self._swap(kind, by_hand=False, back=True)
        else:
            self._engines = self._engines.with_trial(kind, None)
            self._serve(self._engines)
        self._announce(told)
        probation.end(watch.store)

    # --- telling -----------------------------------------------------------------------------------------------------

    def _say(
        self,
        action: ModelAction,
        kind: Kind,
        version: str,
        *,
        previous: str | None = None,
        reason: str | None = None,
        figures: dict[str, float] | None = None,
        transfer: str | None = None,
    ) -> None:
        told = ModelChange(
            action=action, model=kind, version=version, previous=previous, reason=reason, figures=figures or {}, transfer=transfer
        )
        self._announce(told)

    def _announce(self, change: ModelChange) -> None:
        self._told += 1
        if change.action != "receiving":
            _log.info("model.%s kind=%s version=%s reason=%r", change.action, change.model, change.version, change.reason)
        self._tell([Event(id=f"model:{change.model}:{change.action}:{self._boot}:{self._told}", topic=MODEL, time=now(), data=change)])
