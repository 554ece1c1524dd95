"""Many boxes in one process that take models from the bus: real publisher, outbox, model manager, store and nets; sound left out.

python -m tests.bench.fleet.model_boxes JOB.json: prints "ready" once all are connected; on a line from stdin how each stands, as JSON
{box: {"serves": label, "told": [[action, monotonic, reason]]}}, and begins to count anew; ends with the end of stdin.

What is shared, which each box would have for itself: the models that they start with, loaded once a process; and boxes of a process
prove a new model one after the other, for each measures the memory and the time of its process. Those in `talking` have calls of
made-up voices while a model is on probation there.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from edge.config import Config, ModelsConfig, MqttConfig
from edge.models import manager
from edge.models.boot import start_up
from edge.models.install import Installed
from edge.values import Mode
from edge.wire.codes import ModelAction
from edge.wire.device import ModelChange
from edge.wire.events import Event
from tests.bench.fleet import round_robin
from tests.bench.fleet.job import Job
from tests.boxes import LINE, SimulatedBox

# Two calls of sixteen utterances are the fewest that probation judges.
_CALLS, _UTTERANCES = 2, 16
# A thousand at once, on a machine that does other things too.
_CONNECT_S = 600.0
_OVER = frozenset({ModelAction.KEPT, ModelAction.ROLLED_BACK})


class ModelJob(Job, frozen=True, kw_only=True):
    """`talking`: those that have calls; `public`: the key that all trust."""

    talking: list[str]
    public: str


class ModelBox(SimulatedBox):
    """One, which remembers when it told what."""

    def __init__(self, name: str, job: ModelJob, **more) -> None:
        site, device = name.split("/")
        super().__init__(config(site, device, Path(job.folder), Path(job.public), job.mqtt(name)), broker=True, **more)
        self.name, self.at = name, list[tuple[str, float, str | None]]()

    def _put(self, events: Sequence[Event]) -> None:
        super()._put(events)
        for event in events:
            if isinstance(event.data, ModelChange) and event.data.action is not ModelAction.RECEIVING:
                self.at.append((event.data.action.value, time.monotonic(), event.data.reason))

    def standing(self) -> dict[str, object]:
        """Since it was asked last."""
        told, self.at = self.at, []
        return {"serves": self.engines.models["voice"], "told": told}

    def talk(self) -> None:
        """Calls until the model on probation is kept or taken back."""
        while self.manager.standing() and not (self.at and self.at[-1][0] in _OVER):
            self.call(range(_UTTERANCES))


def config(site: str, device: str, folder: Path, public: Path, mqtt: MqttConfig) -> Config:
    """Of a box that judges by voice alone: no recogniser to load."""
    models = ModelsConfig(trusted_keys=(str(public),), probation_calls=_CALLS)
    return Config(site=site, device=device, lines=(LINE,), mode=Mode.VOICE, state_dir=str(folder / device), mqtt=mqtt, models=models)


@contextmanager
def boxes(job: ModelJob) -> Iterator[list[ModelBox]]:
    """All of `job`, connected; calls begin where they may."""
    _one_proof_at_a_time()
    first = config("none", "none", Path(job.folder), Path(job.public), MqttConfig())
    engines, _ = start_up(first)
    over = threading.Event()
    with ExitStack() as stack:
        made = [stack.enter_context(ModelBox(name, job, engines=engines)) for name in job.boxes]
        until = time.monotonic() + _CONNECT_S
        while not all(box.publisher.connected for box in made):
            assert time.monotonic() < until, "not all connect"
            time.sleep(0.05)
        talking = [box for box in made if box.name in job.talking]

        def talk() -> None:
            while not over.wait(0.2):
                for box in talking:
                    box.talk()

        caller = threading.Thread(target=talk)
        caller.start()
        stack.callback(caller.join)
        stack.callback(over.set)
        yield made


def _one_proof_at_a_time() -> None:
    proving, install = threading.Lock(), manager.install

    def alone(*given, **more) -> Installed:
        with proving:
            return install(*given, **more)

    manager.install = alone


def main(path: str) -> None:
    """Until stdin ends."""
    round_robin.install()
    job = msgspec.json.decode(Path(path).read_bytes(), type=ModelJob)
    with boxes(job) as made:
        print("ready", flush=True)
        for _ in sys.stdin:
            print(json.dumps({box.name: box.standing() for box in made}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
