"""The doctor tells: the outbox keeps an event, the broker takes one and gives it back."""

import tempfile
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from edge import __version__
from edge.box.clock import now, uuid7
from edge.box.finding import Finding, failed, good, look
from edge.bus.device import SelfTest
from edge.bus.envelope import envelope
from edge.bus.events import Event
from edge.bus.mqtt import Acknowledged, Heard, Link, Lost, Message, Subscribed
from edge.bus.outbox import Outbox
from edge.bus.topics import SELFTEST, Topics
from edge.config import Config

_Kind = TypeVar("_Kind", Acknowledged, Subscribed, Message)
# Ten times what a broker on a bad mobile line takes.
_ANSWER_S = 5.0


def outbox(config: Config) -> Finding:
    """Commit an event to an outbox beside the real one, open it again, and find it there. Raises StoreError."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".doctor-", dir=config.state_dir)
    except OSError as error:
        return failed(f"{config.state_dir}: {error.strerror}", "give this user a state_dir that it may write")
    with folder:
        path = Path(folder.name) / "outbox.sqlite"
        began = time.monotonic()
        first = Outbox(path, max_bytes=1_000_000, site=config.site, device=config.device)
        event = Event(id=f"doctor:{uuid7()}", topic="selftest", time=now(), data=SelfTest(passed=True, checks={"outbox": __version__}))
        first.put([event])
        first.close()
        took_ms = (time.monotonic() - began) * 1000
        second = Outbox(path, max_bytes=1_000_000, site=config.site, device=config.device)
        kept = second.counts().rows
        second.close()
    if kept != 1:
        return failed("an event that was committed is gone", "the disk lies about what it has written: replace it")
    return good(f"an event was committed in {took_ms:.0f} ms and was still there after opening again")


def broker(config: Config) -> Finding:
    """Connect as this box, publish a self-test event on the box's own topic, and read it back. Raises BusError."""
    inbox: SimpleQueue[Heard] = SimpleQueue()
    # A name of its own, or the broker would throw the running service out.
    link = Link(config.mqtt, client_id=f"undertone-doctor-{uuid7()}", inbox=inbox)
    url, topic = config.mqtt.url, Topics.of(config).full(SELFTEST)
    event = Event(id=f"doctor:{uuid7()}", topic=SELFTEST, time=now(), data=SelfTest(passed=True, checks={"broker": "good"}))
    body = envelope(event, site=config.site, device=config.device, sequence=None)
    began = time.monotonic()
    link.open()
    try:
        connected_ms = (time.monotonic() - began) * 1000
        link.subscribe(topic)
        subscribed = _next(inbox, Subscribed)
        began = time.monotonic()
        link.publish(topic, body)
        acknowledged = _next(inbox, Acknowledged)
        if acknowledged is None:
            return failed(f"{url}: connected, but it acknowledges nothing", "see the broker's log; is its disk full?")
        if acknowledged.refusal:
            return failed(
                f"{url}: may not publish on {topic}: {acknowledged.refusal}", "let this box write its own topics in the broker's ACL"
            )
        took_ms = (time.monotonic() - began) * 1000
        back = None if subscribed is None or subscribed.refusal else _next(inbox, Message)
    finally:
        link.goodbye()
        link.close()
    plain = "" if url.startswith("mqtts:") else "; without TLS"
    says = f"{url}: connected in {connected_ms:.0f} ms, published in {took_ms:.0f} ms"
    if back is None:
        # A broker may let a box write its topics and not read them; then PUBACK is the proof.
        return look(f"{says}, not read back", f"the ACL lets nobody read {topic} here; harmless if that is meant")
    if back.payload != body:
        return failed(f"{says}, came back changed", "something between this box and the broker changes messages: find it")
    return good(f"{says}, read back as it was sent{plain}")


def _next(inbox: "SimpleQueue[Heard]", kind: type[_Kind]) -> _Kind | None:
    """The next of `kind` that is heard; None where it does not come in time. What comes before it waits for its turn."""
    aside: list[Heard] = []
    give_up = time.monotonic() + _ANSWER_S
    found = None
    while found is None:
        try:
            heard = inbox.get(timeout=max(0.0, give_up - time.monotonic()))
        except Empty:
            break
        if isinstance(heard, kind):
            found = heard
        elif isinstance(heard, Lost):
            break
        else:
            aside.append(heard)
    for heard in aside:
        inbox.put(heard)
    return found
