"""A new model on probation: it serves, the one before it answers the same in its shadow, and a bad one goes back by itself.

    <state_dir>/bundles/<kind>/probation.json    the record: who, since when, what was counted. Replaced by a rename, so that
                                                 probation survives restarts and power cuts

A voice is compared on the same utterances, a words model on the same recognised words, fusion weights on the same two readings.
It goes back by itself where it
  fails       one exception, or one answer that is no number
  dies        the service ended `DEATHS` times without being told to while the model was on probation
  is silent   it abstains on more of the utterances than its shadow
  is slow     it takes `SLOWER` times the processor time of its shadow
  drifts      its answers lie elsewhere than those of its shadow (edge.models.comparison)
else it is kept after so many calls or hours. Nothing is judged on fewer than `ENOUGH` utterances.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.bundle.manifest import Bundle
from edge.bundle.store import Serving, Store, configured
from edge.call.engines import Engines
from edge.call.trial import Trial, TrialAnswer, TrialCallOver, TrialEvent, TrialFailed, answer_of
from edge.config import Config
from edge.errors import StoreError
from edge.files.durable import how_to_write, replace_whole
from edge.models.comparison import Record, Verdict, compare, figures, judge
from edge.models.kinds import ROWS, Shadow
from edge.values import Mode, ModelKind
from edge.wire.codes import ModelAction
from edge.wire.device import ModelChange

_log = logging.getLogger("undertone.probation")


def has_probation(kind: ModelKind, config: Config) -> bool:
    """Whether a new model of this kind serves on probation first: one that judges calls in this box's mode, unless told otherwise."""
    judges = Mode(config.mode) in ROWS[kind].probation_in
    return judges and configured(kind, config) is None and config.models.probation_calls > 0


def on_probation(store: Store) -> Record | None:
    """The record of the model that serves now, if it is on probation."""
    record = read(store)
    return record if record is not None and record.candidate == store.serving().current and record.verdict is None else None


def path_of(store: Store) -> Path:
    """Where the record lies."""
    return store.folder / "probation.json"


def begin(store: Store, old: Serving, new: Serving, bundle: Bundle, *, since: float, transfer: str | None = None) -> Serving:
    """Leave the record that puts `bundle` on probation as soon as the pointer moves; returns the pointer to move to.

    A model that is still on probation itself is nobody's fallback: the new one goes back to the one before it.
    """
    if new.current is None or new.current == old.current:
        return new  # it serves already
    replaced = read(store)
    last_good = replaced.previous if replaced is not None and replaced.candidate == old.current else old.current
    # Without a fusion bundle the weights of the configuration serve.
    if not store.path_of(last_good).is_dir() and not (last_good is None and ROWS[store.kind].settings_serve):
        end(store)
        return new  # there is nothing to go back to
    previous = store.manifest_of(last_good)
    version, previous_version = bundle.manifest.version, previous.version if previous else None
    record = Record(
        candidate=new.current, previous=last_good, version=version, previous_version=previous_version, since=since, transfer=transfer
    )
    write(store, record)
    return msgspec.structs.replace(new, previous=last_good)


def read(store: Store) -> Record | None:
    """The record; None where there is none. It is of a model that serves no more if its `candidate` is not the store's current one."""
    path = path_of(store)
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("probation.unreadable path=%s error=%s", path, error)
        return None
    return record


def write(store: Store, record: Record) -> None:
    """Keep `record`. Raises StoreError."""
    try:
        replace_whole(path_of(store), msgspec.json.encode(record) + b"\n")
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=path_of(store), remedy=how_to_write(error)) from error


def end(store: Store) -> None:
    """Nobody is on probation any more."""
    path_of(store).unlink(missing_ok=True)


def conclude(store: Store, record: Record, verdict: Verdict) -> None:
    """Carry a verdict out, so that any start after a power cut in the midst of it can carry it out again."""
    write(store, msgspec.structs.replace(record, verdict=verdict.action, reason=verdict.reason))
    if verdict.action is ModelAction.ROLLED_BACK:
        store.take_back(record.candidate, record.previous)


def ended(kind: ModelKind, record: Record, verdict: Verdict, found: dict[str, float]) -> ModelChange:
    """The end of a probation as the bus is told of it, with the figures that were found."""
    return ModelChange(
        action=verdict.action,
        model=kind,
        version=record.version,
        previous=record.previous_version,
        reason=verdict.reason,
        figures=found,
        transfer=record.transfer,
    )


class Probation:
    """The probation of the models of one kind while the service runs. Owned by the model manager's thread but for `fail`."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store = store
        self.record: Record | None = None
        self._config, self._row = config, ROWS[store.kind]
        self._shadow: Shadow | None = None
        self._failure: str | None = None
        self._took_s = self._shadow_took_s = 0.0
        self._asked = 0

    def begin(self, current: str | None, engines: Engines, report: Callable[[TrialEvent], None]) -> tuple[Engines, ModelChange | None]:
        """`engines` with the model that serves (`current`) watched if it is on probation, and how that of the one before it ended."""
        left, change = read(self.store), None
        old = self.record or left
        if old is not None and old.candidate != current and old.verdict is None:
            by_hand = left is not None and left.candidate == old.candidate
            why = "taken back by hand" if by_hand else "another took its place before it was proven"
            change = ended(self._row.kind, old, Verdict(action=ModelAction.ROLLED_BACK, reason=why), figures(old))
            if by_hand:
                end(self.store)
        self._forget()
        self.record = on_probation(self.store) if has_probation(self._row.kind, self._config) else None
        if self.record is None:
            return engines.with_trial(self._row.kind, None), change
        self._shadow = self._before(self.record)
        self.keep(running=True)
        trial = Trial(kind=self._row.kind, candidate=self.record.candidate, quotes_words=self._row.quotes_words, report=report)
        return engines.with_trial(self._row.kind, trial), change

    def reconfigure(self, config: Config) -> None:
        """The site's own words and weights have changed, for the shadow too. Raises ModelError."""
        self._config = config
        if self.record is not None:
            self._shadow = self._before(self.record)

    def count(self, event: TrialEvent) -> None:
        """Count what the lines report."""
        if self.record is None or event.candidate != self.record.candidate:
            return
        match event:
            case TrialAnswer(question=question, answer=answer, took_s=took_s) if self._shadow is not None:
                began = time.thread_time()
                shadow = answer_of(self._shadow.judge(question))
                self._shadow_took_s += time.thread_time() - began
                self._took_s += took_s
                self._asked += 1
                self.record = compare(self.record, answer, shadow)
            case TrialCallOver():
                self.keep(calls=self.record.calls + 1)
                _log.info("probation.call kind=%s calls=%d utterances=%d", event.kind, self.record.calls, self.record.compared)
        if self._failure is not None:
            self.keep(failure=self._failure)

    def fail(self, failed: TrialFailed) -> None:
        """The new model could not answer; called by a line's thread."""
        if self.record is not None and failed.candidate == self.record.candidate:
            self._failure = failed.reason

    def verdict(self, engines: Engines) -> Verdict | None:
        """How it ends, if it does."""
        if self.record is None:
            return None
        cost, shadow = self._costs(engines)
        return judge(self.record, self._config.models, self._row.limits, now=time.time(), cost_ms=cost, shadow_ms=shadow)

    def conclude(self, verdict: Verdict, engines: Engines) -> ModelChange | None:
        """End it; what the bus is told. None where the disk does not let it: the next look tries again."""
        record = self.record or on_probation(self.store)
        if record is None:
            return None
        found = figures(record) if self.record is None else self._figures(record, engines)
        try:
            conclude(self.store, record, verdict)
        except StoreError as error:
            _log.error("probation.not_concluded kind=%s verdict=%s error=%s", self._row.kind, verdict.action, error)
            return None
        self._forget()
        return ended(self._row.kind, record, verdict, found)

    def standing(self, engines: Engines) -> ModelChange | None:
        """How it stands, as the bus is told; None where nobody is on probation. For any thread."""
        if (record := self.record) is None:
            return None
        limits = self._config.models
        wanted = {"calls_wanted": float(limits.probation_calls), "hours_wanted": limits.probation_hours}
        return ModelChange(
            action=ModelAction.PROBATION, model=self._row.kind, version=record.version, previous=record.previous_version, reason=None,
            figures=self._figures(record, engines) | wanted, transfer=record.transfer,
        )  # fmt: skip

    def keep(self, **changes: object) -> None:
        """Change the record, if there is one, here and on the disk."""
        if self.record is None:
            return
        self.record = msgspec.structs.replace(self.record, **changes)
        try:
            write(self.store, self.record)
        except StoreError as error:
            _log.warning("probation.unwritten kind=%s error=%s", self._row.kind, error)

    def _forget(self) -> None:
        self.record = self._shadow = self._failure = None
        self._took_s = self._shadow_took_s = 0.0
        self._asked = 0

    def _before(self, record: Record) -> Shadow | None:
        """The model before, as it judged. Raises ModelError."""
        return self._row.shadow(self.store.path_of(record.previous), self._config) if self._row.shadow else None

    def _costs(self, engines: Engines) -> tuple[float | None, float | None]:
        """Processor time of both in milliseconds: a window or a question, as the kind is measured; weights cost nothing."""
        shadow, asked = self._shadow, self._asked  # once: the thread may be at the end of it
        if self._row.window_ms is not None and shadow is not None:
            return self._row.window_ms(engines), shadow.window_ms()
        if not self._row.timed or not asked:
            return None, None
        return self._took_s * 1000 / asked, self._shadow_took_s * 1000 / asked

    def _figures(self, record: Record, engines: Engines) -> dict[str, float]:
        cost, shadow = self._costs(engines)
        return figures(record, cost_ms=cost, shadow_ms=shadow)
