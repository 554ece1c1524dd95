"""A publisher with an outbox of its own, for as long as a test lasts."""

from contextlib import contextmanager

from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from edge.wire.codes import BoxState
from edge.wire.device import State
from tests.telling import PATIENCE_S


def config(url: str, **mqtt) -> Config:
    return Config(site="leeds", device="desk-1", mqtt=MqttConfig(url=url, **mqtt))


def state(outbox, how=BoxState.ONLINE) -> State:
    return State(state=how, boot=outbox.boot, since=None, reasons=[], lines={})


@contextmanager
def publishing(outbox, url, on_request=lambda request: request.done(), *, ack_s=20.0, **mqtt):
    publisher = Publisher(config(url, **mqtt), outbox, on_request, ack_s=ack_s)
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop(PATIENCE_S)
