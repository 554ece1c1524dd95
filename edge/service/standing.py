"""How the box is, put together for who asks: the bus, `undertone status`, the status page."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.call.engines import Engines
from edge.call.understood import UnderstoodCalls
from edge.config import Config
from edge.errors import Problem, for_box
from edge.models.manager import ModelManager
from edge.mqtt.publisher import Publisher
from edge.outbox.counts import Counts
from edge.outbox.outbox import Outbox
from edge.percentiles import Durations
from edge.service import status
from edge.service.baselines import KeptBaselines
from edge.service.device_state import DeviceState
from edge.service.health import health_data
from edge.service.info import device_info
from edge.service.live import LiveLine
from edge.service.resources import resources
from edge.service.trunk import Trunk
from edge.status_page.snapshot import Snapshot
from edge.wire.device import Health, Info, State


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Reads the parts of a running service; changes none. `config` is what it goes by now, `path` where that is written."""

    config: Callable[[], Config]
    path: Path
    state_dir: Path
    lines: Mapping[str, LiveLine | Trunk]
    models: ModelManager
    outbox: Outbox
    publisher: Publisher
    device_state: DeviceState
    baselines: KeptBaselines
    understood_calls: UnderstoodCalls
    verdicts: Durations
    started: float = field(default_factory=time.monotonic)

    @property
    def engines(self) -> Engines:
        """What calls that open now are judged by."""
        return self.models.serving()[0]

    def info(self) -> Info:
        """What the box is."""
        return device_info(self.config(), self.engines)

    def problems(self, counts: Counts, *, for_bus: bool) -> list[Problem]:
        """What is wrong. That there is no broker is for who stands before the box: the bus hears of it by the will."""
        bus = self.publisher.troubles.standing if for_bus else self.publisher.troubles.all
        missing = [replace(why, remedy=for_box(why.remedy or "", self.path.absolute())) for why in self.engines.missing.values()]
        missing += [*self.baselines.problems(self.lines), *self.understood_calls.problems(self.lines)]
        return self.device_state.problems(missing=missing, counts=counts, bus=bus)

    def state(self, counts: Counts) -> State:
        """How the box is, for the bus."""
        return self.device_state.state(self.problems(counts, for_bus=True), for_bus=True)

    def health(self, counts: Counts) -> Health:
        """How it fares, in figures."""
        return health_data(
            used=resources(self.state_dir), counts=counts, lines=self.lines, verdicts=self.verdicts, outbox=self.outbox,
            publisher=self.publisher, selftest=self.device_state.selftest, uptime_s=time.monotonic() - self.started,
            understood_calls=self.understood_calls,
        )  # fmt: skip

    def snapshot(self, state: State, problems: list[Problem], health: Health) -> Snapshot:
        """What the status page is to show."""
        return Snapshot(
            info=self.info(), state=state, problems=problems, health=health,
            levels={name: line.levels for name, line in self.lines.items()}, connected=self.publisher.connected,
            probation=self.models.standing(), selftest=self.device_state.selftest, tested_at=self.device_state.tested_at,
        )  # fmt: skip

    def shown(self, state: State, problems: Sequence[Problem], health: Health) -> status.Status:
        """What `undertone status` is to show."""
        bus_problem = next(iter(self.publisher.troubles.all), None)
        return status.Status(
            state=state, problems=status.listed(problems), health=health, baselines=self.engines.lines_used_to(self.lines),
            probation=self.models.standing(), connected=self.publisher.connected,
            bus_problem=None if bus_problem is None else str(bus_problem),
        )  # fmt: skip
