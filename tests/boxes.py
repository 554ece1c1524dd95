"""A box without sound cards: the real manager, store, engines and (with a broker) outbox and publisher; its calls are made up here."""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import msgspec

from edge.call.engines import Engines
from edge.clock import now
from edge.config import Config, LineConfig, ModelsConfig, MqttConfig, SourceConfig
from edge.models.boot import start_up
from edge.models.install import install
from edge.models.manager import ModelManager
from edge.mqtt.publisher import Publisher
from edge.outbox.outbox import Outbox
from edge.segment.crosstalk import CustomerUtterance
from edge.service.announce import Announcer
from edge.service.info import device_info
from edge.values import Absent, Mode
from edge.wire.codes import BoxState
from edge.wire.commands import ModelInstall, parse
from edge.wire.device import ModelChange, State
from edge.wire.events import Event
from edge.wire.replies import Request
from tests.nets import spoken

LINE = LineConfig(name="line-1", source=SourceConfig(file="none.wav"))


def config(folder: Path, public: Path, *, device: str = "box-01", url: str = "mqtt://127.0.0.1:1", calls: int = 2) -> Config:
    return Config(
        site="leeds", device=device, lines=(LINE,), mode=Mode.VOICE, state_dir=str(folder / device), mqtt=MqttConfig(url=url),
        models=ModelsConfig(trusted_keys=(str(public),), probation_calls=calls),
    )  # fmt: skip


def unproven(settings: Config) -> Config:
    """The same box without probation: what is installed has been there for long."""
    return msgspec.structs.replace(settings, models=msgspec.structs.replace(settings.models, probation_calls=0))


def chunks(path: Path, size: int = 60_000, **changes) -> list[ModelInstall]:
    """The commands that carry the file at `path`, through the same JSON as on the bus."""
    raw = path.read_bytes()
    said = {"model": "voice", "sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)} | changes
    bodies = [said | {"offset": at, "data": base64.b64encode(raw[at : at + size]).decode()} for at in range(0, len(raw), size)]
    return [parse("model/install", msgspec.json.encode(body)) for body in bodies]


class SimulatedBox:
    """See above. `first`: the bundle that it has had for long, if not the shipped one; `engines`: what it starts with, loaded already."""

    def __init__(self, settings: Config, *, first: Path | None = None, broker: bool = False, engines: Engines | None = None) -> None:
        self.config, self._broker, self._loaded = settings, broker, engines
        self.told: list[ModelChange] = []
        self.died: list[str] = []
        self._news = threading.Condition()
        if first is not None:
            install(first, unproven(settings))

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        engines, changes = (self._loaded, []) if self._loaded is not None else start_up(self.config)
        self.publisher = None
        if self._broker:
            outbox = Outbox(
                Path(self.config.state_dir) / "outbox.sqlite", max_bytes=10**7, site=self.config.site, device=self.config.device
            )
            self._stack.callback(outbox.close)
            self.publisher = Publisher(self.config, outbox, self._handle_request, died=self.died.append)
            self._outbox = outbox
        boot = self._outbox.boot if self._broker else 1
        self._announcer = Announcer(self._put, boot=boot)
        self.manager = ModelManager(self.config, engines, announce=self._announcer.model, swapped=self._publish_info, died=self.died.append)
        self.manager.start(changes)
        if self.publisher:
            self._publish_info()
            self.publisher.publish_state(State(state=BoxState.ONLINE, boot=boot, since=now(), reasons=[], lines={"line-1": "up"}))
            self.publisher.start()
            self._stack.callback(self.publisher.stop, 3.0)
        self._stack.callback(self.manager.stop)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        assert self.died == []

    def send(self, path: Path, **changes) -> None:
        for chunk in chunks(path, **changes):
            self.manager.offer(chunk)
            self.settle()

    def call(self, voices: Iterable[int | CustomerUtterance], *, during: Callable[[], None] = lambda: None) -> str:
        """One call of these utterances (a number is a synthetic one's) by the model that serves now; its name, the only one that judged."""
        models = self.engines.for_call(LINE, self.config)
        name = models.models["voice"]
        for number, one in enumerate(voices):
            if number == 1:
                during()
            reading = models.voice((spoken(one) if isinstance(one, int) else one).utterance)
            assert isinstance(reading, Absent) or reading.model == name
            self.settle()
        models.close()
        self.settle()
        return name

    def settle(self) -> None:
        """Until the model manager has taken what it was given."""
        while not self.manager._work.empty() and self.manager._thread.is_alive():
            threading.Event().wait(0.005)

    def until(self, action: str, version: str | None = None, seconds: float = 60.0) -> ModelChange:
        """The first change of this kind, of this version if one is given."""

        def found() -> list[ModelChange]:
            return [told for told in self.told if told.action == action and version in (None, told.version)]

        with self._news:
            assert self._news.wait_for(found, seconds), self.told
        return found()[0]

    def _handle_request(self, request: Request) -> None:
        assert isinstance(request.command, ModelInstall)
        self.manager.offer(request.command)
        request.done()

    @property
    def engines(self) -> Engines:
        """What serves now."""
        return self.manager.serving()[0]

    def _put(self, events: Sequence[Event]) -> None:
        if self._broker:
            self._outbox.put(events)
        with self._news:
            self.told += [event.data for event in events]
            self._news.notify_all()

    def _publish_info(self) -> None:
        if self.publisher:
            self.publisher.publish_info(device_info(self.config, self.engines))
