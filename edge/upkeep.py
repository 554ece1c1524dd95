"""The box's models while it runs: bundles from the bus, who serves from each line's next call on, who is on probation.

One thread, beside the calls. What it changes on the disk survives its death at any instant.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge.box.clock import now
from edge.bundle import probation
from edge.bundle.incoming import Incoming, Progress
from edge.bundle.installing import Installed, install, on_probation, refuse_configured
from edge.bundle.manifest import Kind
from edge.bundle.probation import Record, Verdict
from edge.bundle.shadow import Broke, CallOver, Happened, Heard, Reader, Trial
from edge.bundle.shipped import trust_of
from edge.bundle.store import open_store
from edge.bundle.transfers import Transfers
from edge.bus.commands import ModelInstall
from edge.bus.events import Event, ModelChange
from edge.bus.topics import MODEL
from edge.config import Config
from edge.engines import Engines, renewed
from edge.errors import ModelError, StoreError
from edge.startup import conclude, ended

_log = logging.getLogger("undertone.models")

# Chunks of 256 KiB and utterances of at most 640 kB: 20 MB at the worst. What does not fit is sent again, or not compared.
_WAITING = 32
# How often the pointers are looked at, which `undertone model` may have moved, and how soon a verdict follows its figures.
_TICK_S = 1.0
# Between two words to the sender of a large model: it may be that far ahead.
_TELL_EVERY_BYTES = 1_000_000
_SWAPPED: tuple[Kind, ...] = ("voice", "words", "fusion")

Action = Literal["receiving", "installed", "refused", "probation", "kept", "rolled_back"]
Tell = Callable[[Sequence[Event]], None]


class Upkeep:
    """See above. `serve` is called with the engines for calls to come; `tell` commits events; `died` ends the process."""

    def __init__(
        self, config: Config, engines: Engines, *, boot: int, tell: Tell, serve: Callable[[Engines], None], died: Callable[[str], None]
    ) -> None:
        self._config, self._engines, self._boot = config, engines, boot
        self._tell, self._serve, self._died = tell, serve, died
        self._work: queue.Queue[ModelInstall | Happened | None] = queue.Queue(_WAITING)
        self._incoming = Incoming(folder=Path(config.state_dir) / "incoming")
        self._transfers = Transfers(folder=self._incoming.folder)
        self._voice = open_store("voice", config)
        self._current = {kind: open_store(kind, config).serving().current for kind in _SWAPPED}
        self._record: Record | None = None
        self._shadow: Reader | None = None
        self._broke: str | None = None
        self._told, self._told_bytes, self._deaf_to = 0, 0, ""
        self._thread = threading.Thread(target=self._guarded, name="upkeep")

    def start(self, changes: Sequence[ModelChange] = ()) -> None:
        """Tell what `start_up` found, go on with a probation, and begin."""
        self._incoming.sweep()
        changes = [*changes, *self._go_on_probation()]
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

    def stop(self) -> None:
        """End the thread; a probation goes on with the next start."""
        if self._thread.is_alive():
            self._work.put(None)
            self._thread.join()
        if self._record is not None:
            self._keep(running=False)

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
                    case Heard() | Broke() | CallOver() as happened if self._record and happened.candidate == self._record.candidate:
                        self._follow(happened)
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
            reason = str(error).replace(f"{self._config.state_dir}/", "")
            self._say("refused", chunk.model, "unknown", reason=reason, transfer=chunk.sha256)
            return
        self._took(chunk, installed)

    def _took(self, chunk: ModelInstall, installed: Installed) -> None:
        version = installed.bundle.manifest.version
        self._transfers.remember(chunk.sha256, name=installed.bundle.folder.name, version=version)
        figures = {"bytes": float(chunk.size), "proof_ms": installed.proof_ms}
        self._say("installed", installed.kind, version, previous=installed.previous, figures=figures, transfer=chunk.sha256)
        self._look()
        if not installed.on_probation:
            reason = "serves from the next start on" if installed.kind == "vosk" else "serves from each line's next call on"
            self._say("kept", installed.kind, version, previous=installed.previous, reason=reason, transfer=chunk.sha256)

    def _answer_again(self, chunk: ModelInstall, name: str, version: str, reason: str | None) -> None:
        """The same file once more: nothing is done twice, and the sender is told how it stands."""
        store = open_store(chunk.model, self._config)
        if store.serving().current != name:
            told = f"it was here and serves no more: {reason or 'another took its place'}; pack it again if it is meant"
            self._say("refused", chunk.model, version, reason=told, transfer=chunk.sha256)
        elif (record := on_probation(store)) is not None:
            self._announce(self._probation(record))
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
        for kind in _SWAPPED:
            current = open_store(kind, self._config).serving().current
            if current != self._current[kind]:
                self._current[kind] = current
                self._swap(kind)
        if self._record is not None:
            verdict = probation.judge(
                self._record, self._config.models, now=time.time(), window_ms=self._window_ms, shadow_ms=self._shadow_ms
            )
            if verdict is not None:
                self._conclude(self._record, verdict)

    def _swap(self, kind: Kind) -> None:
        """Calls to come are judged by what the pointer shows now; those that are going on are not touched."""
        try:
            self._engines = renewed(self._engines, kind, self._config)
        except ModelError as error:
            _log.error("model.unusable kind=%s reason=%r", kind, str(error))
            if kind == "voice" and (record := on_probation(self._voice)) is not None:
                self._conclude(record, Verdict(action="rolled_back", reason=str(error)))
            return
        changes = self._go_on_probation() if kind == "voice" else []
        _log.info("model.serves kind=%s models=%s", kind, self._engines.models.get(kind))
        # Told when it is so.
        self._serve(self._engines)
        for change in changes:
            self._announce(change)

    def _go_on_probation(self) -> list[ModelChange]:
        """Take up the probation of the voice model that serves, or end that of one that serves no more; what to tell of it."""
        changes, left = [], probation.read(self._voice)
        old = self._record or left
        if old is not None and old.candidate != self._current["voice"] and old.verdict is None:
            by_hand = left is not None and left.candidate == old.candidate
            verdict = Verdict(
                action="rolled_back", reason="taken back by hand" if by_hand else "another took its place before it was proven"
            )
            changes.append(ended(old, verdict, probation.figures(old)))
            if by_hand:
                probation.end(self._voice)
        record = on_probation(self._voice) if self._engines.emotion is not None else None
        self._record, self._shadow, self._broke = record, None, None
        if record is None:
            self._engines = self._engines.with_trial(None)
            return changes
        from edge.voice.emotion import EmotionModel

        self._shadow = EmotionModel.load(self._voice.path_of(record.previous), trust=trust_of(self._config))
        self._keep(running=True)
        self._engines = self._engines.with_trial(Trial(candidate=record.candidate, hand_on=self._hand_on))
        return [*changes, self._probation(record)]

    def _probation(self, record: Record) -> ModelChange:
        limits = self._config.models
        return ModelChange(
            action="probation",
            model="voice",
            version=record.version,
            previous=record.previous_version,
            reason=None,
            figures=self._figures() | {"calls_wanted": float(limits.probation_calls), "hours_wanted": limits.probation_hours},
            transfer=record.transfer,
        )

    # --- on probation ------------------------------------------------------------------------------------------------

    def _hand_on(self, happened: Happened) -> None:
        """Called by the lines' threads; never waits. What does not fit is not compared, but a failure is never lost."""
        if isinstance(happened, Broke):
            self._broke = happened.reason
        try:
            self._work.put_nowait(happened)
        except queue.Full:
            _log.warning("probation.not_compared kind=%s", type(happened).__name__)

    def _follow(self, happened: Happened) -> None:
        assert self._record is not None  # noqa: S101 (the caller has looked)
        match happened:
            case Heard(customer=customer, reading=reading) if self._shadow is not None:
                self._record = probation.compare(self._record, reading, self._shadow.read(customer))
            case CallOver():
                self._keep(calls=self._record.calls + 1)
                _log.info("probation.call calls=%d utterances=%d", self._record.calls, self._record.compared)
        if self._broke is not None:
            self._keep(failure=self._broke)
        self._look()

    def _keep(self, **changes: object) -> None:
        """Change the record, here and on the disk."""
        assert self._record is not None  # noqa: S101 (the callers have looked)
        self._record = msgspec.structs.replace(self._record, **changes)
        try:
            probation.write(self._voice, self._record)
        except StoreError as error:
            _log.warning("probation.unwritten error=%s", error)

    def _conclude(self, record: Record, verdict: Verdict) -> None:
        figures = self._figures()
        try:
            conclude(self._voice, record, verdict)
        except StoreError as error:
            # Nothing can be done about it without the disk; the next look tries again.
            _log.error("probation.not_concluded verdict=%s error=%s", verdict.action, error)
            return
        self._transfers.explain(record.transfer, verdict.reason if verdict.action == "rolled_back" else None)
        self._record, self._shadow = None, None
        self._current["voice"] = self._voice.serving().current
        if verdict.action == "rolled_back":
            self._swap("voice")
        else:
            self._engines = self._engines.with_trial(None)
            self._serve(self._engines)
        self._announce(ended(record, verdict, figures))
        probation.end(self._voice)

    @property
    def _window_ms(self) -> float | None:
        return self._engines.emotion.window_ms if self._engines.emotion is not None else None

    @property
    def _shadow_ms(self) -> float | None:
        return self._shadow.window_ms if self._shadow is not None else None

    def _figures(self) -> dict[str, float]:
        if self._record is None:
            return {}
        return probation.figures(self._record, window_ms=self._window_ms, shadow_ms=self._shadow_ms)

    # --- telling -----------------------------------------------------------------------------------------------------

    def _say(
        self,
        action: Action,
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
