"""Boxes on three NATS servers as shipped, of which some die: all that a box had to tell comes, and soon."""

import socket
import threading
from contextlib import ExitStack, closing

import pytest

from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from edge.outbox.outbox import Outbox
from edge.wire.codes import BoxState
from edge.wire.device import State
from tests.bench.fleet import round_robin
from tests.nats import needs_nats
from tests.nats_cluster import NatsCluster
from tests.telling import PATIENCE_S, text, until

pytestmark = needs_nats
NAMES = [f"leeds/desk-{number:03}" for number in range(20)]
# Without two of three nothing is taken; long enough for each box to have tried several times.
AWAY_S = 20.0
# What docs/scale.md promises: an election, and at most one wait of the box's own.
SOON_S = 60.0


@pytest.fixture
def one_name(monkeypatch):
    """`localhost` is a name with the addresses of all nodes."""
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)

    def of(cluster: NatsCluster) -> str:
        monkeypatch.setenv(round_robin.ADDRESSES, ",".join(cluster.hosts))
        round_robin.install()
        return cluster.url("localhost")

    return of


@pytest.mark.takes(50)
@pytest.mark.parametrize("dead", [[1], [0, 2]], ids=["one of three", "two of three, then back"])
def test_every_box_is_heard_again_soon_after_nodes_died(tmp_path, one_name, dead):
    with ExitStack() as stack:
        cluster = stack.enter_context(NatsCluster(tmp_path, NAMES))
        url, outboxes = one_name(cluster), []
        for name in NAMES:
            (tmp_path / name).mkdir(parents=True)
            site, device = name.split("/")
            outbox = Outbox(tmp_path / name / "outbox.sqlite", max_bytes=10_000_000, site=site, device=device)
            outboxes.append(stack.enter_context(closing(outbox)))
            mqtt = MqttConfig(
                url=url, ca=str(cluster.authority.ca), username=name, password_file=str(cluster.password_file), protocol="3.1.1"
            )
            publisher = Publisher(Config(site=site, device=device, mqtt=mqtt), outbox, lambda request: request.done())
            publisher.publish_state(State(state=BoxState.ONLINE, boot=outbox.boot, since=None, reasons=[], lines={}))
            publisher.start()
            stack.callback(publisher.stop, 1)
        tell(outboxes, 1, PATIENCE_S)
        for node in dead:
            cluster.kill(node)
        if len(dead) > 1:
            for outbox in outboxes:
                outbox.put([text(2)])
            threading.Event().wait(AWAY_S)
            assert sum(outbox.counts().rows for outbox in outboxes) == len(NAMES), "somebody took something without a majority"
            cluster.start(dead[0])
        tell(outboxes, 3, SOON_S)


def tell(outboxes: list[Outbox], n: int, within_s: float) -> None:
    """Each tells one more, and all of it is acknowledged in time."""
    for outbox in outboxes:
        outbox.put([text(n)])
    until(lambda: not any(outbox.counts().rows for outbox in outboxes), within_s)
