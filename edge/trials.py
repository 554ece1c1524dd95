"""One kind's probation while the service runs: who is watched, what its shadow answers, how it ends."""

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from edge.bundle import probation
from edge.bundle.installing import has_probation, on_probation
from edge.bundle.manifest import Kind
from edge.bundle.probation import Record, Verdict
from edge.bundle.shadow import Broke, CallOver, Happened, Heard, Judged, Trial, answer_of
from edge.bundle.shipped import trust_of
from edge.bundle.store import open_store
from edge.bus.device import ModelChange
from edge.config import Config
from edge.engines import Engines
from edge.errors import ModelError, StoreError
from edge.loading import fusion, load_judge
from edge.startup import conclude, ended
from edge.values import Absent, Mode
from edge.verdict.fuse import fuse
from edge.voice.emotion import EmotionModel

_log = logging.getLogger("undertone.models")


class _Shadow(Protocol):
    """The model before: answers what the new one was asked."""

    def __call__(self, question: Any, /) -> Judged | Absent:  # noqa: ANN401 (each kind has questions of its own)
        """How it judges that."""


class Watch:
    """The probation of `kind`. Owned by the upkeep's thread but for `broken`."""

    def __init__(self, kind: Kind, config: Config) -> None:
        self.kind, self._config = kind, config
        self.store = open_store(kind, config)
        self.record: Record | None = None
        self._broke: str | None = None
        self._shadow: _Shadow | None = None
        self._net: EmotionModel | None = None
        self._took_s = self._shadow_took_s = 0.0
        self._asked = 0

    def take_up(self, current: str | None, engines: Engines, hand_on: Callable[[Happened], None]) -> tuple[Engines, list[ModelChange]]:
        """Watch the model that serves (`current`) if it is on probation, end that of one that serves no more; what to tell of it."""
        changes, left = [], probation.read(self.store)
        old = self.record or left
        if old is not None and old.candidate != current and old.verdict is None:
            by_hand = left is not None and left.candidate == old.candidate
            why = "taken back by hand" if by_hand else "another took its place before it was proven"
            changes.append(ended(self.kind, old, Verdict(action="rolled_back", reason=why), probation.figures(old)))
            if by_hand:
                probation.end(self.store)
        self.record = on_probation(self.store) if has_probation(self.kind, self._config) else None
        self._broke, self._shadow, self._net = None, None, None
        self._took_s = self._shadow_took_s = 0.0
        self._asked = 0
        if self.record is None:
            return engines.with_trial(self.kind, None), changes
        self._shadow = self._before(self.record.previous)
        self.keep(running=True)
        trial = Trial(kind=self.kind, candidate=self.record.candidate, hand_on=hand_on)
        return engines.with_trial(self.kind, trial), [*changes, self.standing(engines)]

    def reconfigure(self, config: Config) -> None:
        """The site's own words and weights have changed, for the shadow too. Raises ModelError."""
        self._config = config
        if self.record is not None:
            self._shadow = self._before(self.record.previous)

    def follow(self, happened: Happened) -> None:
        """Count what the lines have handed on."""
        if self.record is None or happened.candidate != self.record.candidate:
            return
        match happened:
            case Heard(question=question, answer=answer, took_s=took_s) if self._shadow is not None:
                began = time.thread_time()
                shadow = answer_of(self._shadow(question))
                self._shadow_took_s += time.thread_time() - began
                self._took_s += took_s
                self._asked += 1
                self.record = probation.compare(self.record, answer, shadow)
            case CallOver():
                self.keep(calls=self.record.calls + 1)
                _log.info("probation.call kind=%s calls=%d utterances=%d", self.kind, self.record.calls, self.record.compared)
        if self._broke is not None:
            self.keep(failure=self._broke)

    def broken(self, broke: Broke) -> None:
        """The new model could not answer; called by a line's thread."""
        if self.record is not None and broke.candidate == self.record.candidate:
            self._broke = broke.reason

    def judge(self, engines: Engines) -> Verdict | None:
        """How it ends, if it does."""
        if self.record is None:
            return None
        cost, shadow = self._costs(engines)
        return probation.judge(self.record, self._config.models, self.kind, now=time.time(), cost_ms=cost, shadow_ms=shadow)

    def conclude(self, verdict: Verdict, engines: Engines) -> ModelChange | None:
        """End it; what to tell. None where the disk does not let it: the next look tries again."""
        record = self.record or on_probation(self.store)
        if record is None:
            return None
        figures = self._figures(engines) if self.record is not None else probation.figures(record)
        try:
            conclude(self.store, record, verdict)
        except StoreError as error:
            _log.error("probation.not_concluded kind=%s verdict=%s error=%s", self.kind, verdict.action, error)
            return None
        self.record, self._shadow, self._net = None, None, None
        return ended(self.kind, record, verdict, figures)

    def standing(self, engines: Engines) -> ModelChange:
        """How it stands, as the bus is told."""
        assert self.record is not None  # noqa: S101 (the callers have looked)
        limits = self._config.models
        return ModelChange(
            action="probation",
            model=self.kind,
            version=self.record.version,
            previous=self.record.previous_version,
            reason=None,
            figures=self._figures(engines) | {"calls_wanted": float(limits.probation_calls), "hours_wanted": limits.probation_hours},
            transfer=self.record.transfer,
        )

    def keep(self, **changes: object) -> None:
        """Change the record, here and on the disk."""
        assert self.record is not None  # noqa: S101 (the callers have looked)
        self.record = msgspec.structs.replace(self.record, **changes)
        try:
            probation.write(self.store, self.record)
        except StoreError as error:
            _log.warning("probation.unwritten kind=%s error=%s", self.kind, error)

    def _before(self, name: str | None) -> _Shadow:
        """The model before, as it judged. Raises ModelError."""
        folder, config = self.store.path_of(name), self._config
        match self.kind:
            case "voice":
                self._net = EmotionModel.load(folder, trust=trust_of(config))
                return self._net.read
            case "words":
                judge = load_judge(config, folder)
                return lambda asked: judge.judge(*asked)
            case "fusion":
                weights, _, _ = fusion(folder if folder.is_dir() else None, config)
                return lambda asked: fuse(mode=Mode(config.mode), voice=asked[0], words=asked[1], weights=weights)
            case "vosk":
                raise ModelError("a speech recogniser has no probation")

    def _costs(self, engines: Engines) -> tuple[float | None, float | None]:
        """Processor time of both in milliseconds: of a voice's net a window, of words an utterance; weights cost nothing."""
        if self.kind == "voice":
            return (engines.emotion.window_ms if engines.emotion else None), (self._net.window_ms if self._net else None)
        if self.kind == "fusion" or not self._asked:
            return None, None
        return self._took_s * 1000 / self._asked, self._shadow_took_s * 1000 / self._asked

    def _figures(self, engines: Engines) -> dict[str, float]:
        assert self.record is not None  # noqa: S101 (the callers have looked)
        cost, shadow = self._costs(engines)
        return probation.figures(self.record, cost_ms=cost, shadow_ms=shadow)
