"""A real box on a real broker hears switchboards over the network: whole calls, refusals, floods, and what breaks."""

import socket
import ssl
import threading
import time
import uuid
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
import soxr
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from edge.service.spoken_call import spoken_call
from edge.values import SAMPLE_RATE, Pcm, Role
from tests.broker import Broker
from tests.real.listen.listening_box import TOKEN, Box
from tests.switchboards.clients import RATE, AudioSocket, MediaStream, mulaw, paced, packets
from tests.switchboards.clients import fork as fork_once
from tests.telling import PATIENCE_S, Subscriber

# Two sentences of the customer and one of the agent.
_SPEECH_S = 6


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listen")
    with Broker(folder) as broker, Subscriber(broker.url, "undertone/v1/#") as subscriber:
        made = Box(folder, broker, subscriber)
        with made.service:
            made.service.until(lambda status: set(status["state"]["lines"].values()) == {"listening"})
            yield made


@pytest.fixture(scope="module")
def speech() -> Pcm:
    """Some seconds of customer and agent, (samples, 2) at 8 kHz."""
    sound = spoken_call((Role.CUSTOMER, Role.AGENT))[:, 4 * SAMPLE_RATE : (4 + _SPEECH_S) * SAMPLE_RATE]
    made = soxr.resample(sound.T.astype(np.float32), SAMPLE_RATE, RATE)
    return np.clip(np.rint(made), -32768, 32767).astype(np.int16)


def fork(url: str, metadata: dict, **options: object) -> ClientConnection:
    """A fork, begun. The box gives nobody more than 5 s to ask: who shares two cores with much else may come too late, and comes again."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return fork_once(url, metadata, **options)
        except InvalidStatus as refused:
            if refused.response.status_code != HTTPStatus.REQUEST_TIMEOUT or time.monotonic() > give_up:
                raise


def test_a_fork_is_a_call_with_exact_ends_and_the_context_it_brings(box, speech):
    client = fork(box.url(), {"pbx_call_id": "fork-1", "customer_ref": "c-7", "queue": "billing", "notice_given": True})
    paced(speech, lambda packet: client.send(packet.tobytes()))
    client.close()
    started, summary = box.call("fork-1", "started"), box.call("fork-1")
    assert (started["line"], started["opened_by"], started["customer_ref"], started["notice_given"]) == ("web/1", "connection", "c-7", True)
    assert (summary["closed_by"], summary["lost_ms"], summary["duration_ms"]) == ("hang_up", 0, _SPEECH_S * 1000)
    heard = [event["data"] for event in box.told("utterance") if event["data"]["call"] == summary["call"]]
    assert {one["role"] for one in heard} == {"customer", "agent"}
    assert {topic for topic, event, _ in box.subscriber.messages if event.get("subject") == summary["call"]} >= {
        f"undertone/v1/site/box/call/web/{kind}" for kind in ("started", "utterance", "summary")
    }


def test_a_media_stream_with_packets_lost_on_the_way_says_how_much(box, speech):
    client = MediaStream(box.url(TOKEN), pbx_call_id="stream-1", customer_ref="c-8", notice_given="true")
    began = time.monotonic()
    for number, packet in enumerate(packets(speech[: 4 * RATE])):
        for column, track in enumerate(("inbound", "outbound")):
            if 100 <= number < 110:
                client.lose(track)
            else:
                client.send(track, packet[:, column])
        time.sleep(max(0.0, began + (number + 1) * 0.02 - time.monotonic()))
    client.stop()
    summary = box.call("stream-1")
    assert (summary["closed_by"], summary["customer_ref"], summary["notice_given"]) == ("hang_up", "c-8", True)
    assert summary["lost_ms"] == 200
    assert summary["duration_ms"] == pytest.approx(4000, abs=60)


def test_two_announced_directions_are_one_call_and_hear_silence(box, speech):
    customer, agent = str(uuid.uuid4()), str(uuid.uuid4())
    said = {"media": {"customer": customer, "agent": agent}, "queue": "billing", "callback": "+441134960000"}
    ours = AudioSocket(("127.0.0.1", box.socket), customer)
    # The announcement takes a way of its own, and may come after the connection.
    assert box.reply(box.command("call/pbx/announce", said))["accepted"]
    theirs = AudioSocket(("127.0.0.1", box.socket), agent)
    # A UUID is one connection's.
    assert AudioSocket(("127.0.0.1", box.socket), customer).received() == b"\x00\x00\x00"
    paced(speech[2 * RATE :], lambda packet: (ours.send(packet[:, 0]), theirs.send(packet[:, 1])))
    ours.hang_up()
    silence = theirs.received()
    summary = box.call(customer)
    assert (summary["line"], summary["closed_by"], summary["queue"], summary["callback"]) == (
        "pbx/1",
        "hang_up",
        "billing",
        "+441134960000",
    )
    assert summary["duration_ms"] == pytest.approx(4000, abs=100)
    assert {one["role"]: one["talk_ms"] > 500 for one in summary["roles"]} == {"customer": True, "agent": True}
    assert silence.endswith(b"\x00\x00\x00")
    assert set(silence[:-3:323]) == {0x10}
    assert len(silence) == pytest.approx(4 * 50 * 323, rel=0.2)


def test_a_direction_that_broke_comes_back_with_its_uuid_while_the_other_goes_on(box, speech):
    customer, agent = str(uuid.uuid4()), str(uuid.uuid4())
    announced = box.command("call/pbx/announce", {"media": {"customer": customer, "agent": agent}})
    assert box.reply(announced)["accepted"]
    ours, theirs = (AudioSocket(("127.0.0.1", box.socket), media) for media in (customer, agent))
    second = speech[2 * RATE : 3 * RATE]
    paced(second, lambda packet: (ours.send(packet[:, 0]), theirs.send(packet[:, 1])))
    ours.frame(0xFF)
    # Until the box has let go of it.
    assert ours.received()
    again = AudioSocket(("127.0.0.1", box.socket), customer)
    paced(second, lambda packet: (again.send(packet[:, 0]), theirs.send(packet[:, 1])))
    # Nobody takes the place of one that is there.
    assert AudioSocket(("127.0.0.1", box.socket), customer).received() == b"\x00\x00\x00"
    again.hang_up()
    assert theirs.received().endswith(b"\x00\x00\x00")
    summary = box.call(customer)
    assert summary["closed_by"] == "hang_up"
    assert summary["duration_ms"] == pytest.approx(2000, abs=400)


def test_what_a_switchboard_says_of_a_call_lands_on_the_one_it_names(box):
    with fork(box.url(), {"pbx_call_id": "named-1"}) as one, fork(box.url(), {"pbx_call_id": "named-2"}) as other:
        for client in (one, other):
            client.send(bytes(3200))
        box.call("named-1", "started")
        box.call("named-2", "started")
        named = box.command("call/web/context", {"pbx_call_id": "named-2", "customer_ref": "c-2"})
        nobody, ended = box.command("call/web/context", {"customer_ref": "c-3"}), box.command("call/web/end", {})
        announced = box.command("call/web/announce", {"media": {"customer": str(uuid.uuid4()), "agent": str(uuid.uuid4())}})
        assert box.reply(named)["accepted"]
        assert [box.reply(name)["reason"] for name in (nobody, ended, announced)] == ["unknown_call", "by_connection", "by_connection"]
        # Both lines are taken: a third call is told so, by a status that every HTTP client understands.
        with pytest.raises(InvalidStatus) as full:
            fork(box.url(), {})
        assert full.value.response.status_code == 503
    assert box.call("named-2", "updated")["customer_ref"] == "c-2"
    assert box.call("named-1")["customer_ref"] is None


def test_over_tls_with_a_token_and_not_without(box, speech):
    trusts = ssl.create_default_context(cafile=box.authority.ca)
    url = f"wss://localhost:{box.tls}/"
    with fork(url, {"pbx_call_id": "tls-1", "rate": 16_000}, ssl=trusts, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        client.send(np.repeat(speech[:RATE, :1], 2).astype("<i2").tobytes())
        box.call("tls-1", "started")
    assert box.call("tls-1")["duration_ms"] == pytest.approx(1000, abs=60)
    with pytest.raises(InvalidStatus) as refused:
        fork(url, {}, ssl=trusts)
    assert refused.value.response.status_code == 401
    with pytest.raises((OSError, ConnectionClosed, Exception)):
        fork(f"ws://127.0.0.1:{box.tls}/?token={TOKEN}", {})


def test_a_connection_that_breaks_or_falls_silent_ends_its_call_as_lost_and_garbage_as_what_it_is(box):
    silent, broken = fork(box.url(), {"pbx_call_id": "silent-1"}), fork(box.url(), {"pbx_call_id": "broken-1"})
    for client in (silent, broken):
        client.send(bytes(3200))
    box.call("broken-1", "started")
    broken.socket.shutdown(socket.SHUT_RDWR)
    assert box.call("broken-1")["closed_by"] == "connection_lost"
    garbage = fork(box.url(), {"pbx_call_id": "garbage-1"})
    garbage.send(bytes(3200))
    box.call("garbage-1", "started")
    garbage.send(bytes(70_000))
    with pytest.raises(ConnectionClosed) as closed:
        garbage.recv(timeout=10)
    assert closed.value.rcvd.code == 1009
    assert box.call("garbage-1")["closed_by"] == "protocol_error"
    # Its line has 2 s of idle_s; the clock is a second behind where nothing comes.
    silent_over = box.call("silent-1")
    assert silent_over["closed_by"] == "connection_lost"
    assert 800 <= silent_over["lost_ms"] <= 2000
    with pytest.raises(ConnectionClosed):
        silent.recv(timeout=10)


def test_a_flood_of_strangers_disturbs_no_call_fills_no_memory_and_no_log(box, speech):
    client = fork(box.url(), {"pbx_call_id": "calm-1"})
    stop, made, lines = threading.Event(), [0], len(box.service.log)
    before_mb = _memory_mb(box.service.process.pid)

    def strangers() -> None:
        held: list[socket.socket] = []
        while not stop.is_set():
            for port, says in (
                (box.web, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                (box.web, b"\x16\x03\x01"),
                (box.socket, bytes(400)),
                (box.web, b""),
            ):
                with suppress(OSError):
                    stranger = socket.create_connection(("127.0.0.1", port), timeout=5)
                    stranger.sendall(says)
                    made[0] += 1
                    held.append(stranger)
            while len(held) > 200:
                held.pop(0).close()
        for stranger in held:
            stranger.close()

    thread = threading.Thread(target=strangers)
    thread.start()
    paced(speech[: 3 * RATE], lambda packet: client.send(packet.tobytes()))
    client.close()
    stop.set()
    thread.join()
    summary = box.call("calm-1")
    assert (summary["closed_by"], summary["lost_ms"], summary["duration_ms"]) == ("hang_up", 0, 3000)
    assert made[0] > 200
    assert _memory_mb(box.service.process.pid) - before_mb < 40
    assert len(box.service.log) - lines < 20
    # It takes calls on: who waited is let go.
    with fork(box.url(), {"pbx_call_id": "after-1"}) as after:
        after.send(bytes(3200))
        box.call("after-1", "started")


def test_mulaw_here_is_the_reference_of_the_standard():
    """ITU-T G.711, table 2a: decision values 8159 and 31 of 14 bits are codes 0x80 and 0xff and their neighbours."""
    assert mulaw(np.array([32_635, -32_636, 0, -1], np.int16)) == bytes([0x80, 0x00, 0xFF, 0x7F])


def test_a_box_that_is_stopped_ends_its_calls_and_says_so(box):
    client = fork(box.url(), {"pbx_call_id": "last-1"})
    client.send(bytes(3200))
    box.call("last-1", "started")
    assert box.service.stop() == 0
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=10)
    assert closed.value.rcvd.code == 1001
    assert box.call("last-1")["closed_by"] == "stop"


def _memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
