"""The outbox: what is committed stays until acknowledged, in order, counted; what is lost is announced."""

import json
import signal
import subprocess
import sys

import pytest

from edge.errors import StoreError
from edge.outbox.counts import read_counts
from tests.telling import alert, bodies, consumer, open_outbox, started, take, text, waiting


def test_an_event_stays_until_it_is_acknowledged(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1)])
    [row] = outbox.pending(5)
    outbox.sent(row)
    assert outbox.pending(5) == []
    outbox.nothing_in_flight()
    assert [again.id for again in outbox.pending(5)] == [row.id]
    outbox.sent(row)
    outbox.acknowledged(row)
    outbox.close()
    outbox = open_outbox(tmp_path)
    assert outbox.counts().rows == 0
    outbox.close()


def test_the_end_of_a_topic_is_proved_by_the_numbers_that_health_tells(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n) for n in range(1, 6)] + [started()])
    topics = {"text/line-1": 5, "call/line-1/started": 1}
    assert outbox.counts().sequences == topics
    told = bodies(outbox)
    outbox.close()
    prove = consumer()(since=0)
    for event in told[:3]:
        prove.take(f"leeds/desk-1/{event['type'].split('.')[2]}/line-1", event)
    health = {"type": "undertone.device.health.v1", "id": "h1", "source": "/undertone/leeds/desk-1", "data": {"sequences": topics}}
    prove.take("leeds/desk-1/health", health)
    assert prove.missing() == {"leeds/desk-1/text/line-1": [(4, 5)], "leeds/desk-1/call/line-1/started": [(1, 1)]}


def test_what_was_put_is_there_after_kill_9(tmp_path):
    program = (
        "import os, signal; from pathlib import Path; from tests.telling import open_outbox, text\n"
        f"outbox = open_outbox(Path({str(tmp_path)!r}))\n"
        "for n in range(1, 51): outbox.put([text(n)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    outbox = open_outbox(tmp_path)
    assert [body["sequence"] for body in bodies(outbox)] == list(range(1, 51))
    outbox.close()


def test_the_same_event_put_twice_is_stored_once(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(1)])
    outbox.put([text(1), text(2)])
    assert [body["sequence"] for body in bodies(outbox)] == [1, 2]
    outbox.close()


def test_sequences_count_per_topic_and_go_on_after_everything_was_sent_and_the_box_restarted(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(1, line="line-2"), text(2)])
    take(outbox)
    outbox.close()
    outbox = open_outbox(tmp_path)
    outbox.put([text(3), text(2, line="line-2")])
    assert [(body["data"]["line"], body["sequence"]) for body in bodies(outbox)] == [("line-1", 3), ("line-2", 2)]
    outbox.close()


def test_an_alert_overtakes_a_backlog(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n) for n in range(5000)])
    outbox.put([alert()])
    assert outbox.pending(1)[0].topic == "alert/billing"
    outbox.close()


def test_a_topic_that_is_set_aside_does_not_hold_back_the_others(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(1, line="line-2")])
    assert [row.topic for row in outbox.pending(5, without=["text/line-1"])] == ["text/line-2"]
    outbox.close()


def test_what_is_too_much_goes_oldest_first_and_one_gap_tells_of_it_whoever_waits_for_how_long(tmp_path):
    outbox = open_outbox(tmp_path, max_bytes=40_000)
    for n in range(1, 301):
        outbox.put([text(n)])
    outbox.put([alert()])
    told = bodies(outbox)
    gaps = [body["data"] for body in told if body["type"] == "undertone.device.gap.v1"]
    kept = [body["sequence"] for body in told if body["type"] == "undertone.call.text.v1"]
    assert len(gaps) == 1
    assert (gaps[0]["topic"], gaps[0]["first"], gaps[0]["reason"]) == ("text/line-1", 1, "evicted")
    assert kept == list(range(gaps[0]["last"] + 1, 301))
    assert gaps[0]["lost"] == outbox.counts().evicted
    assert (tmp_path / "outbox.sqlite").stat().st_size < 3 * 40_000
    outbox.close()


def test_alerts_are_never_evicted_and_the_rest_gives_way_to_them(tmp_path):
    outbox = open_outbox(tmp_path, max_bytes=100_000)
    outbox.put([text(n) for n in range(100)])
    outbox.put([alert(call=f"c{n}") for n in range(300)])
    told = bodies(outbox)
    assert sum(body["type"] == "undertone.alert.v1" for body in told) == 300
    assert not any(body["type"] == "undertone.call.text.v1" for body in told)
    outbox.close()


def test_what_is_on_its_way_is_not_evicted_and_a_gap_that_was_sent_no_longer_grows(tmp_path):
    outbox = open_outbox(tmp_path, max_bytes=30_000)
    outbox.put([text(1)])
    [first] = outbox.pending(1)
    outbox.sent(first)
    take = consumer()(since=0)
    delivered = [json.loads(first.body)]
    for n in range(2, 200):
        outbox.put([text(n)])
        if n % 50 == 0:
            for row in outbox.pending(1):
                outbox.sent(row)
                delivered.append(json.loads(row.body))
    outbox.nothing_in_flight()
    for event in [*delivered, *bodies(outbox)]:
        take.take("p/gap" if event["type"] == "undertone.device.gap.v1" else "p/text/line-1", event)
    assert take.missing() == {}
    outbox.close()


def test_each_start_counts(tmp_path):
    boots = []
    for _ in range(3):
        outbox = open_outbox(tmp_path)
        boots.append(outbox.boot)
        outbox.close()
    assert boots == [1, 2, 3]


def test_status_reads_beside_the_running_box(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), alert()])
    counts = read_counts(tmp_path / "outbox.sqlite")
    assert (counts.rows, counts.alert_rows) == (2, 1)
    outbox.close()
    with pytest.raises(StoreError):
        read_counts(tmp_path / "none.sqlite")


def test_few_writes_an_sd_card_lives_long(tmp_path):
    outbox = open_outbox(tmp_path)
    begun = outbox.counts().commits
    for n in range(100):
        outbox.put([text(n)])
    before = outbox.counts().commits
    take(outbox)
    assert before - begun == 100
    assert outbox.counts().commits - before <= 4
    outbox.close()


def test_a_connection_that_ends_after_the_outbox_was_closed_is_no_trouble(tmp_path, caplog):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(1, line="line-2")])
    rows = outbox.pending(5)
    for row in rows:
        outbox.sent(row)
    outbox.acknowledged(rows[0])
    outbox.close()
    outbox.acknowledged(rows[1])
    outbox.nothing_in_flight()
    assert caplog.text == ""
    outbox = open_outbox(tmp_path)
    assert [row.id for row in waiting(outbox)] == [rows[1].id]
    outbox.close()


def test_what_the_broker_has_is_not_erased(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(2)])
    [first] = outbox.pending(2)
    outbox.sent(first)
    outbox.acknowledged(first)
    assert outbox.erase(None) == 1
    outbox.close()
