"""The service: one process, a few threads, put together here and ended here."""

import logging
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from edge import __version__
from edge.box import status
from edge.box.clock import now
from edge.box.condition import Condition
from edge.box.health import resources
from edge.box.reload import changed, reconfigured
from edge.box.selftest import SelfTester
from edge.box.watchdog import Notifier
from edge.bus import store
from edge.bus.commands import (
    AlertAction,
    AlertFeedback,
    CallContext,
    CallEnd,
    CallStart,
    Command,
    ModelInstall,
    SelfTestRun,
    UtteranceFeedback,
)
from edge.bus.device import Health, Info, SelfTest, State
from edge.bus.events import Event, UtteranceHeard
from edge.bus.feedback import feedback_event
from edge.bus.outbox import Outbox
from edge.bus.publisher import Publisher
from edge.bus.spread import Spread
from edge.bus.store import Counts
from edge.bus.topics import SELFTEST
from edge.capture.source import open_source
from edge.config import Config
from edge.engines import Engines
from edge.errors import UndertoneError
from edge.info import device_info
from edge.line import Line
from edge.live import LiveLine
from edge.startup import start_up
from edge.upkeep import Upkeep
from edge.values import FRAME_MS

_log = logging.getLogger("undertone.app")

_HEALTH_EVERY_S = 60.0
# What is older than keep_days goes within the hour.
_ERASE_EVERY_S, _DAY_S = 3600.0, 86_400.0
# Status for `undertone status` and the watchdog's beat: often enough for a technician who is watching.
_TICK_S = 1.0
# systemd allows 5 s for a clean stop in our unit; the bus gets what the lines leave of it.
_STOP_BUS_S = 3.0
# A line that is up and has had nothing judged for this long is stuck.
_PROGRESS_S = 15.0

_Nudge = Literal["stop", "reload", "tell"]


class App:
    """Everything that `undertone run` keeps alive."""

    def __init__(self, config: Config, path: Path) -> None:
        self._config, self._path = config, path
        # What the main thread sleeps on, and all that a signal handler may touch: whatever has a lock could be held by what it interrupts.
        self._nudges: SimpleQueue[_Nudge] = SimpleQueue()
        self._fatal: str | None = None
        self._state_dir = Path(config.state_dir)
        self._engines, self._model_changes = start_up(config)
        self._outbox = Outbox(
            self._state_dir / store.FILE, max_bytes=config.outbox_max_mb * 1_000_000, site=config.site, device=config.device
        )
        self._publisher = Publisher(config, self._outbox, self._obey, died=self._line_died)
        self._lines = {line.name: self._live_line(index) for index, line in enumerate(config.lines)}
        self._condition = Condition(self._lines, boot=self._outbox.boot)
        self._tester = SelfTester(lambda: self._engines, config, tell=self._tested)
        self._tests_told = 0
        self._upkeep = Upkeep(
            config, self._engines, boot=self._outbox.boot, tell=self._outbox.put, serve=self._serve_with, died=self._line_died
        )
        self._verdicts = Spread()
        self._notifier = Notifier()
        self._started = time.monotonic()

    def run(self) -> int:
        """Serve until a signal, until every recording has ended, or until a thread dies. Returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._nudges.put("stop"))
        signal.signal(signal.SIGHUP, lambda *_: self._nudges.put("reload"))
        self._outbox.recover()
        self._upkeep.start(self._model_changes)
        self._publisher.publish_info(self._info())
        self._publisher.publish_state(self._state(self._outbox.counts(), for_bus=True))
        self._publisher.start()
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
        told: State | None = None
        while "stop" not in (nudges := self._nudged_within(_TICK_S)):
            if "reload" in nudges:
                self._take_configuration()
            counts = self._outbox.counts()
            if (state := self._state(counts, for_bus=True)) != told:
                self._publisher.publish_state(told := state)
            health = self._health(counts)
            if time.monotonic() >= next_health:
                next_health += _HEALTH_EVERY_S
                self._publisher.publish_health(health)
            if time.monotonic() >= next_erase and self._config.keep_days is not None:
                next_erase = time.monotonic() + _ERASE_EVERY_S
                self._outbox.erase(time.time() - self._config.keep_days * _DAY_S)
            self._write_status(self._state(counts, for_bus=False), health)
            if self._alive():
                self._notifier.beat()
            if all(line.finished.is_set() for line in self._lines.values()):
                return

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
        self._tester.stop()
        for line in self._lines.values():
            line.stop()
        self._upkeep.stop()
        stopped = self._condition.stopped()
        self._publisher.publish_state(stopped)
        self._publisher.stop(_STOP_BUS_S)
        self._write_status(stopped, self._health(self._outbox.counts()))
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
            # Tried here, where it can still be refused; the upkeep does it again between two models.
            reconfigured(self._engines, config)
        except UndertoneError as error:
            _log.error("config.refused kept=old reason=%r", str(error))
        else:
            self._config = config
            self._upkeep.reconfigure(config)
            _log.info("config.taken from=next_call waits_for_restart=%s", ",".join(waiting) or "nothing")
        self._notifier.ready()

    def _live_line(self, index: int) -> LiveLine:
        line = self._config.lines[index]
        return LiveLine(
            name=line.name,
            line=Line(line=line, config=self._config, engines=self._engines),
            source=open_source(line.source, len(line.channels), lambda state: self._line_state(line.name, state)),
            roles=line.channels,
            paced=line.source.file is None or line.source.realtime,
            put=self._put,
            died=self._line_died,
        )

    def _line_state(self, name: str, state: str) -> None:
        if self._condition.states[name] != state:
            self._condition.states[name] = state
            _log.info("line.state line=%s state=%s", name, state)
            # That a line is deaf is told at once.
            self._nudges.put("tell")

    def _line_died(self, thread: str) -> None:
        self._fatal = thread
        self._nudges.put("stop")

    def _serve_with(self, engines: Engines) -> None:
        """Other models from each line's next call on; called by the upkeep's thread."""
        self._engines = engines
        for line in self._lines.values():
            line.serve(engines, self._config)
        self._publisher.publish_info(self._info())

    def _put(self, events: Iterable[Event]) -> None:
        batch = list(events)
        for event in batch:
            if isinstance(event.data, UtteranceHeard) and event.data.latency.verdict_ms is not None:
                self._verdicts.add(event.data.latency.verdict_ms / 1000)
        self._outbox.put(batch)

    def _obey(self, command: Command) -> None:
        """Called by the publisher's thread for each valid command."""
        if isinstance(command, AlertAction):
            # An alert's id holds its call, and each call knows its own.
            for line in self._lines.values():
                line.obey(command)
        elif isinstance(command, CallStart | CallEnd | CallContext) and command.line in self._lines:
            self._lines[command.line].obey(command)
        elif isinstance(command, ModelInstall):
            self._upkeep.offer(command)
        elif isinstance(command, UtteranceFeedback | AlertFeedback):
            self._outbox.put([feedback_event(command)])
        elif isinstance(command, SelfTestRun):
            self._tester.ask()
        else:
            _log.warning("command.ignored kind=%s", type(command).__name__)

    def _tested(self, found: SelfTest) -> None:
        """Called by the self-test's thread."""
        self._condition.selftest = found
        self._tests_told += 1
        event_id = f"selftest:{self._outbox.boot}:{self._tests_told}"
        self._outbox.put([Event(id=event_id, topic=SELFTEST, time=now(), data=found)])

    def _alive(self) -> bool:
        """Whether every line that is up has had fresh sound judged lately: what the watchdog is fed by."""
        now = time.monotonic()
        return all(
            self._condition.states[name] != "up" or line.finished.is_set() or now - line.progress_at < _PROGRESS_S
            for name, line in self._lines.items()
        )

    def _state(self, counts: Counts, *, for_bus: bool) -> State:
        """How the box is. That there is no broker is for who stands before the box: the bus hears of it by the will."""
        problem = self._publisher.problem if self._publisher.connected or not for_bus else None
        return self._condition.state(missing=self._engines.missing, counts=counts, bus_problem=problem, for_bus=for_bus)

    def _info(self) -> Info:
        return device_info(self._config, self._engines)

    def _health(self, counts: Counts) -> Health:
        used, test = resources(self._state_dir), self._condition.selftest
        verdict = self._verdicts.data()
        return Health(
            uptime_s=round(time.monotonic() - self._started, 1),
            cpu_s=used.cpu_s,
            memory_mb=used.memory_mb,
            outbox_rows=counts.rows,
            outbox_alert_rows=counts.alert_rows,
            oldest_unsent_s=counts.oldest_s,
            disk_free_mb=used.disk_free_mb,
            frames={name: line.frames_heard for name, line in self._lines.items()},
            dropped_ms={name: line.dropped_frames * FRAME_MS for name, line in self._lines.items()},
            latency_p50_ms=verdict.p50_ms if verdict else None,
            latency_p95_ms=verdict.p95_ms if verdict else None,
            latency_p99_ms=verdict.p99_ms if verdict else None,
            committed=self._outbox.committed.data(),
            sent=self._publisher.sent.data(),
            acknowledged=self._publisher.acknowledged.data(),
            selftest_passed=None if test is None else test.passed,
        )

    def _write_status(self, state: State, health: Health) -> None:
        status.write(self._state_dir, state=state, health=health, connected=self._publisher.connected, bus_problem=self._publisher.problem)
