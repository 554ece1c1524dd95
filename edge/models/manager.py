"""The box's models while it runs: bundles from the bus, and who serves from each line's next call on.

One thread, beside the calls. What it changes on the disk survives its death at any instant.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from edge.bundle.manifest import KINDS
from edge.bundle.store import open_store
from edge.call.engines import Engines
from edge.call.trial import TrialAnswer, TrialCallOver, TrialEvent, TrialFailed
from edge.config import Config
from edge.errors import ModelError, StoreError
from edge.models.comparison import Verdict
from edge.models.install import Installed, install, refuse_configured
from edge.models.kinds import ROWS
from edge.models.loading import reconfigured
from edge.models.probation import Probation, end
from edge.models.transfers import Outcome, Progress, Transfers
from edge.values import ModelKind
from edge.wire.codes import ModelAction
from edge.wire.commands import ModelInstall
from edge.wire.device import ModelChange

_log = logging.getLogger("undertone.models")

# Chunks of 256 KiB and utterances of at most 640 kB: 20 MB at the worst. What does not fit is sent again, or not compared.
_WAITING = 32
# How often the pointers are looked at, which `undertone model` may have moved, and how soon a verdict follows its figures.
_TICK_S = 1.0
# The service has 8 s to end; what a load or a proof was at is begun anew by the next start.
_PATIENCE_S = 1.0


class ModelManager:
    """Who serves. `announce` tells the bus of a change; `swapped` is called when others serve; `died` ends the process."""

    def __init__(
        self, config: Config, engines: Engines, *,
        announce: Callable[[ModelChange], None], swapped: Callable[[], None], died: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._config, self._engines, self._serving = config, engines, (engines, config)
        self._announce, self._swapped, self._died = announce, swapped, died
        self._work: queue.Queue[ModelInstall | TrialEvent | Config | None] = queue.Queue(_WAITING)
        self._transfers = Transfers(Path(config.state_dir) / "incoming", refuse=lambda kind: refuse_configured(kind, config))
        self._probations = {kind: Probation(open_store(kind, config), config) for kind in KINDS}
        self._pointers = {kind: one.store.serving() for kind, one in self._probations.items()}
        self._thread = threading.Thread(target=self._guarded, name="models", daemon=True)
        self._stopping = False

    def serving(self) -> tuple[Engines, Config]:
        """What a call that opens now is bound to: models, and the configuration that they were loaded with. For any thread."""
        return self._serving

    def standing(self) -> list[ModelChange]:
        """How each probation stands that is not over. For any thread."""
        return [change for one in self._probations.values() if (change := one.standing(self._engines)) is not None]

    def start(self, changes: Sequence[ModelChange] = ()) -> None:
        """Announce what `start_up` found, go on with probations, and begin."""
        self._transfers.sweep()
        ended = [self._begin_probation(kind) for kind in KINDS]
        self._serve()
        for change in [*changes, *ended, *self.standing()]:
            self._tell(change)
        self._thread.start()

    def offer(self, chunk: ModelInstall) -> bool:
        """Take a chunk from the bus; never waits. False where it finds no room: its sender sends it again."""
        try:
            self._work.put_nowait(chunk)
        except queue.Full:
            _log.warning("model.chunk_dropped model=%s offset=%d", chunk.model, chunk.offset)
            return False
        return True

    def reconfigure(self, config: Config) -> None:
        """Take the site's own words, rules and weights as `config` says; it has been tried."""
        self._work.put(config)

    def stop(self, patience_s: float = _PATIENCE_S) -> None:
        """End the thread, what waits undone; probations go on with the next start. Returns when that is done, or patience is over."""
        if self._thread.is_alive():
            self._stopping = True
            with suppress(queue.Full):
                self._work.put_nowait(None)
            self._thread.join(patience_s)
        for one in self._probations.values():
            one.keep(running=False)

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException:  # noqa: BLE001 (logged whole, and the process ends)
            _log.exception("models.died")
            self._died("models")

    def _run(self) -> None:
        next_tick = time.monotonic() + _TICK_S
        while not self._stopping:
            try:
                match self._work.get(timeout=max(next_tick - time.monotonic(), 0.01)):
                    case None:
                        return
                    case ModelInstall() as chunk:
                        self._receive(chunk)
                    case Config() as config:
                        self._config, self._engines = config, reconfigured(self._engines, config)
                        for one in self._probations.values():
                            one.reconfigure(config)
                        self._serve()
                    case TrialAnswer() | TrialFailed() | TrialCallOver() as event:
                        self._probations[event.kind].count(event)
                        self._look()
            except queue.Empty:
                pass
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_S
                self._look()

    def _receive(self, chunk: ModelInstall) -> None:
        installed = None
        try:
            match self._transfers.take(chunk):
                case Progress(offset=offset, size=size):
                    figures = {"offset": float(offset), "size": float(size)}
                    self._say(ModelAction.RECEIVING, chunk.model, "unknown", figures=figures, transfer=chunk.sha256)
                case Outcome() as before:
                    self._answer_again(chunk, before)
                case Path() as whole:
                    with self._transfers.using(whole) as file:
                        installed = install(file, self._config, transfer=chunk.sha256)
        except (ModelError, StoreError) as error:
            self._transfers.refused(chunk)
            # Where it lay on this box says nothing to its sender.
            shown = error.moved(self._transfers.path(chunk), Path("the bundle")).moved(Path(self._config.state_dir), Path())
            self._say(ModelAction.REFUSED, chunk.model, "unknown", reason=str(shown), transfer=chunk.sha256)
        if installed is not None:
            self._swap_installed(chunk, installed)

    def _swap_installed(self, chunk: ModelInstall, installed: Installed) -> None:
        kind, version, previous = installed.kind, installed.bundle.manifest.version, installed.previous
        self._transfers.remember(chunk.sha256, name=installed.bundle.folder.name, version=version)
        if installed.already:
            self._say(ModelAction.KEPT, kind, version, reason="serves already", transfer=chunk.sha256)
            return
        figures = {"bytes": float(chunk.size), "proof_ms": installed.proof_ms}
        self._say(ModelAction.INSTALLED, kind, version, previous=previous, figures=figures, transfer=chunk.sha256)
        self._follow_pointer(kind, by_hand=False)
        if not installed.on_probation:
            reason = f"serves from {ROWS[kind].serves_from}"
            self._say(ModelAction.KEPT, kind, version, previous=previous, reason=reason, transfer=chunk.sha256)

    def _answer_again(self, chunk: ModelInstall, before: Outcome) -> None:
        """The same file once more: nothing is done twice, and the sender is told how it stands."""
        if self._probations[chunk.model].store.serving().current != before.name:
            why = f"it was here and serves no more: {before.reason or 'another took its place'}; pack it again if it is meant"
            self._say(ModelAction.REFUSED, chunk.model, before.version, reason=why, transfer=chunk.sha256)
        elif (standing := self._probations[chunk.model].standing(self._engines)) is not None:
            self._tell(standing)
        else:
            self._say(ModelAction.KEPT, chunk.model, before.version, reason="serves already", transfer=chunk.sha256)

    def _serve(self) -> None:
        """Calls to come are judged by these; those that are going on keep theirs."""
        self._serving = self._engines, self._config
        self._swapped()

    def _look(self) -> None:
        """Follow the pointers, whoever moved them, and judge who is on probation."""
        for kind in KINDS:
            self._follow_pointer(kind, by_hand=True)
        for kind, probation in self._probations.items():
            if (verdict := probation.verdict(self._engines)) is not None:
                self._conclude(kind, verdict)

    def _follow_pointer(self, kind: ModelKind, *, by_hand: bool) -> None:
        old, new = self._pointers[kind], self._probations[kind].store.serving()
        self._pointers[kind] = new
        if new.current != old.current:
            self._swap(kind, by_hand=by_hand, back=new.current == old.previous)
        if new.pinned != old.pinned:
            reason = "nothing replaces it" if new.pinned else "no longer pinned: installs replace it"
            self._say(ModelAction.PINNED, kind, self._version(kind, new.current), reason=reason)

    def _swap(self, kind: ModelKind, *, by_hand: bool, back: bool) -> None:
        """Calls to come are judged by what the pointer shows now."""
        try:
            self._engines = ROWS[kind].renew(self._engines, self._config)
            ended = self._begin_probation(kind)
        except ModelError as error:
            _log.error("model.unusable kind=%s reason=%r", kind, str(error))
            self._conclude(kind, Verdict(action=ModelAction.ROLLED_BACK, reason=str(error)))
            return
        self._serve()  # told when it is so
        _log.info("model.serves kind=%s models=%s", kind, self._engines.models.get(ROWS[kind].part))
        if by_hand and ended is None:
            self._tell_moved(kind, back=back)
        self._tell(ended)
        self._tell(self._probations[kind].standing(self._engines))

    def _tell_moved(self, kind: ModelKind, *, back: bool) -> None:
        """`undertone model install` or `rollback` was run on this box."""
        version, before = (self._version(kind, name) for name in (self._pointers[kind].current, self._pointers[kind].previous))
        if back:  # as any rollback: `version` goes, `previous` serves
            self._say(ModelAction.ROLLED_BACK, kind, before, previous=version, reason="taken back by hand")
        else:
            self._say(ModelAction.INSTALLED, kind, version, previous=before, reason="by hand")

    def _version(self, kind: ModelKind, name: str | None) -> str:
        manifest = self._probations[kind].store.manifest_of(name)
        return manifest.version if manifest is not None else "unknown"

    def _begin_probation(self, kind: ModelKind) -> ModelChange | None:
        """Watch the model that serves, if it is on probation; how the probation of the one before it ended, if it did."""
        self._engines, ended = self._probations[kind].begin(self._pointers[kind].current, self._engines, self._report)
        return ended

    def _report(self, event: TrialEvent) -> None:
        """Called by the lines' threads; never waits. What does not fit is not compared, but a failure is never lost."""
        if isinstance(event, TrialFailed):
            self._probations[event.kind].fail(event)
        try:
            self._work.put_nowait(event)
        except queue.Full:
            _log.warning("probation.not_compared kind=%s", type(event).__name__)

    def _conclude(self, kind: ModelKind, verdict: Verdict) -> None:
        probation = self._probations[kind]
        if (change := probation.conclude(verdict, self._engines)) is None:
            return
        self._transfers.explain(change.transfer, verdict.reason if verdict.action is ModelAction.ROLLED_BACK else None)
        self._pointers[kind] = probation.store.serving()
        if verdict.action is ModelAction.ROLLED_BACK:
            self._swap(kind, by_hand=False, back=True)
        else:
            self._engines = self._engines.with_trial(kind, None)
            self._serve()
        self._tell(change)
        end(probation.store)

    def _say(
        self, action: ModelAction, kind: ModelKind, version: str, *, previous: str | None = None, reason: str | None = None,
        figures: dict[str, float] | None = None, transfer: str | None = None,
    ) -> None:  # fmt: skip
        self._tell(ModelChange(
            action=action, model=kind, version=version, previous=previous, reason=reason, figures=figures or {}, transfer=transfer
        ))  # fmt: skip

    def _tell(self, change: ModelChange | None) -> None:
        if change is not None:
            log = _log.debug if change.action is ModelAction.RECEIVING else _log.info
            log("model.%s kind=%s version=%s reason=%r", change.action, change.model, change.version, change.reason)
            self._announce(change)
