"""A disk that is full: events are held in memory, those that do not fit are announced, and nothing is sent twice."""

import resource
import signal

import pytest

from edge.outbox.memory_buffer import MemoryBuffer
from tests.telling import alert, bodies, consumer, failed, open_outbox, started, take, text, until


@pytest.fixture
def full_disk():
    """While it holds, no file of this process can grow: what a full disk does to SQLite (it gets EFBIG instead of ENOSPC)."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Disk:
        def fill(self):
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))

        def free(self):
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    disk = Disk()
    yield disk
    disk.free()
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def test_a_full_disk_holds_events_back_and_loses_none_once_there_is_room(tmp_path, full_disk):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1)])
    full_disk.fill()
    outbox.put([text(n) for n in range(2, 2000)])
    held = outbox.counts().held
    full_disk.free()
    assert held == 1998
    outbox.put([alert()])
    until(lambda: outbox.pending(1) and outbox.counts().held == 0)
    assert [body["sequence"] for body in bodies(outbox)] == [1, *range(1, 2000)]
    outbox.close()


def test_what_a_full_disk_could_not_hold_is_announced_with_its_numbers_and_alerts_are_held_longest(tmp_path, full_disk):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1)])
    full_disk.fill()
    outbox.put([alert(), started()])
    for n in range(2, 3002):
        outbox.put([text(n)])
    full_disk.free()
    until(lambda: outbox.pending(1) and outbox.counts().held == 0)
    prove = consumer()(since=0)
    told = bodies(outbox)
    for event in told:
        prove.take(f"p/{'gap' if 'gap' in event['type'] else event['type']}".replace("undertone.call.text.v1", "text/line-1"), event)
    assert prove.missing() == {}
    assert [body["data"]["reason"] for body in told if "gap" in body["type"]] == ["not_stored"]
    assert sum(body["type"] in {"undertone.alert.v1", "undertone.call.started.v1"} for body in told) == 2
    assert len(told) == 2002
    outbox.close()


def test_acknowledged_events_are_not_sent_again_where_the_disk_does_not_take_their_deletion(tmp_path, full_disk):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n) for n in range(100)])
    full_disk.fill()
    take(outbox)
    assert outbox.pending(10) == []
    full_disk.free()
    outbox.close()
    outbox = open_outbox(tmp_path)
    assert outbox.counts().rows == 0
    outbox.close()


def test_what_is_held_in_memory_gives_up_hearing_before_starts_and_ends_and_alerts_last():
    from edge.outbox.memory_buffer import Arrived

    held = MemoryBuffer(limit=2)
    held.add(Arrived(event=event, uptime=0, wall=0) for event in [started(), alert(), text(1), failed()])
    held.keep_to_limit()
    assert [arrived.event.id for arrived in held] == ["c1:alert:0", "c1:failed:1"]
    assert dict(held.dropped) == {("text/line-1", False): 1, ("call/line-1/started", False): 1}
