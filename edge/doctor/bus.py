"""The doctor tells: the outbox keeps an event, the broker takes one and gives it back."""

import tempfile
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

import msgspec

from edge import __version__
from edge.clock import now, uuid7
from edge.config import Config
from edge.doctor.finding import Finding, Outcome, failed, good, look, skipped
from edge.errors import BusError
from edge.files.durable import how_to_write
from edge.mqtt.incoming import Acknowledged, LinkEvent, Lost, Message, Subscribed
from edge.mqtt.limits import EVENT_BYTES, MORE_ROOM, PACKET_BYTES, Limits
from edge.mqtt.link import Link
from edge.mqtt.publisher import SESSION_S
from edge.outbox.outbox import Outbox
from edge.service.status import read_running
from edge.wire.cloudevents import envelope
from edge.wire.codes import BoxState, CheckOutcome
from edge.wire.device import CheckData, SelfTest
from edge.wire.events import Event
from edge.wire.topics import SELFTEST, STATE, Topics

_Kind = TypeVar("_Kind", Acknowledged, Subscribed, Message)
# Ten times what a broker on a bad mobile line takes.
_ANSWER_S = 5.0
# A retained message comes right behind the SUBACK, or there is none.
_KEPT_S = 2.0


def outbox(config: Config) -> Finding:
    """Commit an event to an outbox beside the real one, open it again, and find it there. Raises StoreError."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".doctor-", dir=config.state_dir)
    except OSError as error:
        return failed(f"{config.state_dir}: {error.strerror}", how_to_write(error))
    with folder:
        path = Path(folder.name) / "outbox.sqlite"
        began = time.monotonic()
        first = Outbox(path, max_bytes=1_000_000, site=config.site, device=config.device)
        event = Event(
            id=f"doctor:{uuid7()}",
            topic="selftest",
            time=now(),
            data=_event_data("outbox"),
        )
        first.put([event])
        first.close()
        took_ms = (time.monotonic() - began) * 1000
        second = Outbox(path, max_bytes=1_000_000, site=config.site, device=config.device)
        kept = second.counts().rows
        second.close()
    if kept != 1:
        return failed("an event that was committed is gone", "the disk lies about what it has written: replace it")
    return good(f"an event was committed in {took_ms:.0f} ms and was still there after opening again")


def _event_data(name: str) -> SelfTest:
    return SelfTest(passed=True, checks={name: CheckData(outcome=CheckOutcome.GOOD, says=__version__)})


def broker(config: Config) -> Finding:
    """Connect as this box, publish a self-test event on the box's own topic, and read it back. Raises BusError."""
    inbox: SimpleQueue[LinkEvent] = SimpleQueue()
    link = _link(config, inbox)
    url, topic = config.mqtt.url, Topics.of(config).full(SELFTEST)
    event = Event(
        id=f"doctor:{uuid7()}",
        topic=SELFTEST,
        time=now(),
        data=_event_data("broker"),
    )
    body = envelope(event, site=config.site, device=config.device, sequence=None)
    began = time.monotonic()
    limits = link.open()
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
        says = f"{url}: connected in {connected_ms:.0f} ms, published in {took_ms:.0f} ms"
        if (finding := _small(limits, says)) is not None:
            return finding
        back = None if subscribed is None or subscribed.refusal else _next(inbox, Message)
    finally:
        link.goodbye()
        link.close()
    plain = "" if url.startswith("mqtts:") else "; without TLS"
    if back is None:
        # A broker may let a box write its topics and not read them; then PUBACK is the proof.
        return look(f"{says}, not read back", f"the ACL lets nobody read {topic} here; harmless if that is meant")
    if back.payload != body:
        return failed(f"{says}, came back changed", "something between this box and the broker changes messages: find it")
    return good(f"{says}, read back as it was sent{plain}; {_announced(config, limits)}")


def _link(config: Config, inbox: "SimpleQueue[LinkEvent]") -> Link:
    # A name of its own, or the broker would throw the running service out.
    return Link(config.mqtt, client_id=f"undertone-doctor-{uuid7()}", inbox=inbox)


def _announced(config: Config, limits: Limits) -> str:
    return f"it {limits}" if config.mqtt.protocol == "5" else "of its limits a broker says nothing with MQTT 3.1.1"


def _small(limits: Limits, says: str) -> Finding | None:
    """What of a broker's limits somebody should look at; one that no box can use has been refused before."""
    if limits.packet_bytes is not None and limits.packet_bytes < PACKET_BYTES:
        outcome = Outcome.FAILED if limits.packet_bytes < EVENT_BYTES else Outcome.LOOK
        return Finding(outcome=outcome, says=f"{says}; it {limits}: what is larger never arrives", remedy=MORE_ROOM)
    if limits.session_s is not None and limits.session_s < SESSION_S:
        remedy = f"let the broker keep sessions for {SESSION_S} s, or commands that are sent while the box is away are lost"
        return look(f"{says}; it {limits}", remedy)
    return None


def name(config: Config) -> Finding:
    """Whether the broker knows another box of this site and device: by the state that it keeps, and by what a service here says."""
    inbox: SimpleQueue[LinkEvent] = SimpleQueue()
    link, topics = _link(config, inbox), Topics.of(config)
    try:
        link.open()
    except BusError as error:
        return skipped(f"no broker that could know: {error.problem.fault}")
    try:
        link.subscribe(topics.full(STATE))
        kept = _next(inbox, Message, _KEPT_S)
    finally:
        link.goodbye()
        link.close()
    ours, told = read_running(Path(config.state_dir)), None if kept is None else _told(kept.payload)
    who = f"{config.site}/{config.device}"
    if told is None:
        return good(f"the broker keeps no state of {who}, or shows none to this box")
    here = "none runs here" if ours is None else f"the one here is in its start {ours.state.boot}"
    if told["state"] not in (BoxState.ONLINE, BoxState.DEGRADED) or (ours is not None and told["boot"] == ours.state.boot):
        return good(f"the broker knows {who} as {told['state']}, start {told['boot']}; {here}")
    says = f"the broker knows {who} as {told['state']}, in its start {told['boot']}, and {here}"
    return look(
        says,
        "does another box have this site and device? give each its own; if none has, the state is an old one that ends with the next start",
    )


def _told(payload: bytes) -> dict[str, object] | None:
    """What a state says; None where it is none."""
    try:
        data = msgspec.json.decode(payload)["data"]
        return {"state": data["state"], "boot": data["boot"]}
    except (msgspec.DecodeError, KeyError, TypeError):
        return None


def _next(inbox: "SimpleQueue[LinkEvent]", kind: type[_Kind], wait_s: float = _ANSWER_S) -> _Kind | None:
    """The next of `kind` that arrives; None where it does not come in time. What comes before it waits for its turn."""
    aside: list[LinkEvent] = []
    give_up = time.monotonic() + wait_s
    found = None
    while found is None:
        try:
            event = inbox.get(timeout=max(0.0, give_up - time.monotonic()))
        except Empty:
            break
        if isinstance(event, kind):
            found = event
        elif isinstance(event, Lost):
            break
        else:
            aside.append(event)
    for event in aside:
        inbox.put(event)
    return found
