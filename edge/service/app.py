"""The service: one process, a few threads, put together here and ended here."""

import logging
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from msgspec.structs import replace as replaced

from edge import __version__
from edge.call.past_calls import PastCalls
from edge.call.understood import UnderstoodCalls
from edge.config import Config
from edge.errors import UndertoneError, for_box
from edge.models.boot import start_up
from edge.models.loading import changed, reconfigured
from edge.models.manager import ModelManager
from edge.mqtt.publisher import Publisher
from edge.outbox import store
from edge.outbox.outbox import Outbox
from edge.percentiles import Durations
from edge.service import status
from edge.service.announce import Announcer
from edge.service.answers import Answers
from edge.service.baselines import KeptBaselines
from edge.service.device_state import DeviceState
from edge.service.dispatch import Dispatcher
from edge.service.erasure import Eraser
from edge.service.lines import LineMaker, all_progress
from edge.service.open_alerts import open_alerts
from edge.service.selftest import SelfTester
from edge.service.spoken_call import warm_up_speech
from edge.service.standing import Standing
from edge.service.watchdog import Notifier
from edge.status_page.server import StatusPage
from edge.values import Mode, SourceState
from edge.wire.device import SelfTest, State
from edge.wire.events import Alert, Event, UtteranceHeard
from edge.wire.replies import Request

_log = logging.getLogger("undertone.app")

_HEALTH_EVERY_S = 60.0
# What is older than keep_days goes within the hour.
_ERASE_EVERY_S, _DAY_S = 3600.0, 86_400.0
# Status for `undertone status` and the watchdog's beat: often enough for a technician who is watching.
_TICK_S = 1.0
# systemd allows 8 s for a clean stop in our unit: 2 s for the lines (edge.service.live), 1 s for the models, and the bus gets this.
_STOP_BUS_S = 3.0
# A box that starts has other things to do, and hears its first calls with recognisers as they come.
_WARM_AFTER_S = 15.0

_Nudge = Literal["stop", "reload", "state", "alerts"]


class App:
    """Everything that `undertone run` keeps alive."""

    def __init__(self, config: Config, path: Path) -> None:
        self._config, self._path = config, path
        # What the main thread sleeps on, and all that a signal handler may touch: whatever has a lock could be held by what it interrupts.
        self._nudges: SimpleQueue[_Nudge] = SimpleQueue()
        self._fatal: str | None = None
        self._state_dir = Path(config.state_dir)
        engines, self._model_changes = start_up(config)
        self._baselines = KeptBaselines(self._state_dir, engines.emotion)
        engines = replace(engines, baselines=self._baselines.baselines)
        self._outbox = Outbox(
            self._state_dir / store.FILE, max_bytes=config.outbox_max_mb * 1_000_000, site=config.site, device=config.device
        )
        self._publisher = Publisher(config, self._outbox, self._handle_request, died=self._thread_died)
        self._answers = Answers(self._put, self._publisher.respond, boot=self._outbox.boot)
        self._announcer = Announcer(self._outbox.put, boot=self._outbox.boot)
        self._models = ModelManager(
            config,
            engines,
            announce=self._announcer.model,
            swapped=lambda: self._publisher.publish_info(self._standing.info()),
            died=self._thread_died,
        )
        self._past = PastCalls(self._outbox.records, outcomes=config.alerts.outcomes)
        self._understood_calls = UnderstoodCalls()
        made_with = LineMaker(
            serving=self._models.serving, past=self._past, understood_calls=self._understood_calls, put=self._put,
            answer=self._answers.give, on_state=self._line_state, died=self._thread_died, keep_s=config.context_keep_s,
        )  # fmt: skip
        self._lines = {line.name: made_with.make(line) for line in config.lines}
        self._device_state = DeviceState(self._lines, boot=self._outbox.boot)
        self._tester = SelfTester(lambda: self._standing.engines, config, report=self._take_selftest)
        eraser = Eraser(lines=self._lines.values(), outbox=self._outbox, answers=self._answers, erased=self._alerts_changed)
        self._dispatcher = Dispatcher(
            lines=self._lines, models=self._models, outbox=self._outbox, answers=self._answers, past=self._past, tester=self._tester,
            eraser=eraser,
        )  # fmt: skip
        self._page = StatusPage(config.status_page)
        self._verdicts = Durations()
        self._notifier = Notifier()
        self._status = status.StatusFile(self._state_dir)
        self._standing = Standing(
            config=lambda: self._config, path=path, state_dir=self._state_dir, lines=self._lines, models=self._models, outbox=self._outbox,
            publisher=self._publisher, device_state=self._device_state, baselines=self._baselines, understood_calls=self._understood_calls,
            verdicts=self._verdicts,
        )  # fmt: skip

    def run(self) -> int:
        """Serve until a signal, until every recording has ended, or until a thread dies. Returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._nudges.put("stop"))
        signal.signal(signal.SIGHUP, lambda *_: self._nudges.put("reload"))
        self._outbox.recover()
        self._models.start(self._model_changes)
        self._publisher.publish_info(self._standing.info())
        self._publisher.publish_state(self._standing.state(self._outbox.counts()))
        self._publisher.publish_alerts(open_alerts(self._outbox.records.answerable_alerts()))
        self._publisher.start()
        self._page.start()
        for line in self._lines.values():
            line.start()
        self._notifier.ready()
        _log.info("app.started lines=%s version=%s", ",".join(self._lines), __version__)
        # After the lines: a box that tests itself is not deaf meanwhile.
        self._tester.start()
        self._serve()
        return self._shut_down()

    def _serve(self) -> None:
        next_health = time.monotonic() + _HEALTH_EVERY_S
        next_erase = time.monotonic()
        published: State | None = None
        while "stop" not in (nudges := self._nudged_within(_TICK_S)):
            if "reload" in nudges:
                self._take_configuration()
            if "alerts" in nudges:
                self._publisher.publish_alerts(open_alerts(self._outbox.records.answerable_alerts()))
            counts = self._outbox.counts()
            if (state := self._standing.state(counts)) != published:
                self._publisher.publish_state(published := state)
            health = self._standing.health(counts)
            if time.monotonic() >= next_health:
                next_health += _HEALTH_EVERY_S
                self._publisher.publish_health(health)
            if time.monotonic() >= next_erase and self._config.keep_days is not None:
                next_erase = time.monotonic() + _ERASE_EVERY_S
                self._outbox.erase(time.time() - self._config.keep_days * _DAY_S)
            self._keep_warm()
            problems = self._standing.problems(counts, for_bus=False)
            shown = self._device_state.state(problems, for_bus=False)
            self._status.write(self._standing.shown(shown, problems, health))
            self._page.show(self._standing.snapshot(shown, problems, health))
            if all_progress(self._lines, self._device_state.states):
                self._notifier.beat()
            if all(line.finished.is_set() for line in self._lines.values()):
                return

    def _keep_warm(self) -> None:
        """A recogniser that has heard speech already, for each channel that may begin to speak: eight calls may begin in one moment."""
        if time.monotonic() - self._standing.started < _WARM_AFTER_S or self._config.mode is Mode.VOICE:
            return
        if (recogniser := self._standing.engines.recogniser) is not None:
            shared = [line for line in self._config.lines if line.name not in self._standing.engines.line_recognisers]
            recogniser.keep_warm(sum(len(line.recognised) * line.most_calls for line in shared), warm_up_speech)

    def _nudged_within(self, seconds: float) -> set[_Nudge]:
        """Sleep for so long, or until there is something to do; what that is, each once however often it was asked for."""
        nudges: set[_Nudge] = set()
        with suppress(Empty):
            nudges.add(self._nudges.get(timeout=seconds))
            while True:
                nudges.add(self._nudges.get_nowait())
        return nudges

    def _shut_down(self) -> int:
        self._notifier.stopping()
        self._page.stop()
        self._tester.stop()
        for line in self._lines.values():
            # All at once: each ends a child or calls over the network, and judges what was being said.
            line.begin_to_stop()
        for line in self._lines.values():
            line.stop()
        self._models.stop()
        self._publisher.publish_alerts(open_alerts(self._outbox.records.answerable_alerts()))
        stopped = self._device_state.stopped()
        self._publisher.publish_state(stopped)
        self._publisher.stop(_STOP_BUS_S)
        self._status.close(self._standing.shown(stopped, [], self._standing.health(self._outbox.counts())))
        self._outbox.close()
        if self._fatal:
            _log.error("app.died thread=%s", self._fatal)
            return 1
        _log.info("app.stopped")
        return 0

    def _take_configuration(self) -> None:
        """Take what can change without a restart; a file that cannot be taken changes nothing."""
        self._notifier.reloading()
        try:
            config, waiting = changed(self._path, self._config)
            # Tried here, where it can still be refused; the model manager does it again between two models.
            reconfigured(self._standing.engines, config)
        except UndertoneError as error:
            _log.error("config.refused kept=old reason=%r", str(error))
        else:
            self._config = config
            self._models.reconfigure(config)
            _log.info("config.taken from=next_call waits_for_restart=%s", ",".join(waiting) or "nothing")
        self._notifier.ready()

    def _line_state(self, name: str, state: SourceState) -> None:
        if self._device_state.states[name] != state:
            self._device_state.states[name] = state
            _log.info("line.state line=%s state=%s", name, state)
            # That a line is deaf is told at once.
            self._nudges.put("state")

    def _thread_died(self, thread: str) -> None:
        self._fatal = thread
        self._nudges.put("stop")

    def _put(self, events: Iterable[Event]) -> None:
        batch = list(events)
        for event in batch:
            if isinstance(event.data, UtteranceHeard) and event.data.latency.verdict_ms is not None:
                self._verdicts.add(event.data.latency.verdict_ms / 1000)
        self._outbox.put(batch)
        if any(isinstance(event.data, Alert) for event in batch):
            self._nudges.put("alerts")

    def _alerts_changed(self) -> None:
        """Called by any thread."""
        self._nudges.put("alerts")

    def _handle_request(self, request: Request) -> None:
        """Called by the publisher's thread for each command."""
        self._dispatcher.take(request)

    def _take_selftest(self, found: SelfTest) -> None:
        """Called by the self-test's thread."""
        checks = {
            name: replaced(check, remedy=for_box(check.remedy or "", self._path.absolute()) or None) for name, check in found.checks.items()
        }
        found = replaced(found, checks=checks)
        self._device_state.take_selftest(found)
        self._announcer.selftest(found)
