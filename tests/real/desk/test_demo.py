"""`make desk` as somebody who has just cloned the project meets it."""

import re
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from tests.demo.__main__ import alerts_in, why_none
from tests.desk_process import until
from tests.paths import ROOT
from tests.ports import free_port


def test_an_alert_that_moves_to_another_route_is_counted_once():
    def told(alert, state, route):
        return {"type": "undertone.alert.v1", "data": {"alert": alert, "state": state, "route": route}}

    moved = [told("a", "new", "billing"), told("a", "end", "billing"), told("a", "new", "complaints"), told("a", "update", "complaints")]
    assert alerts_in(moved) == {"a"}
    assert alerts_in([*moved, told("b", "new", "billing"), {"type": "undertone.call.started.v1", "data": {}}]) == {"a", "b"}


def summary(lost_ms: int) -> dict:
    return {"type": "undertone.call.summary.v1", "data": {"lost_ms": lost_ms}}


def utterance(reason: str | None) -> dict:
    return {"type": "undertone.call.utterance.v1", "data": {"words_reason": reason}}


@pytest.mark.parametrize(
    ("events", "load", "says"),
    [
        ([utterance(None), summary(0)], 9.0, "something is wrong; try `undertone doctor`"),
        ([utterance(None)], 0.5, "something is wrong; try `undertone doctor`"),
        ([], 9.0, "this machine has too much to do (load 9.0, cores: 2): it was not heard to its end; end other programs"),
        ([summary(12_300)], 9.0, "this machine has too much to do (load 9.0, cores: 2): 12 s of sound were lost; end"),
        ([utterance("overload"), utterance("too_short"), summary(0)], 1.5, "(load 1.5, cores: 2): utterances without words: 1; end"),
    ],
)
def test_a_demo_without_an_alert_blames_a_busy_machine_only_where_it_was_one(events, load, says):
    assert says in why_none(events, load, 2)


@pytest.mark.takes(60)
def test_two_boxes_hear_calls_and_a_person_logs_in_and_finds_the_case_of_one(tmp_path):
    command = [sys.executable, "-m", "tests.demo.desk", "--listen", str(free_port())]
    said: list[str] = []
    with (tmp_path / "log").open("w+") as log, subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as demo:
        threading.Thread(target=lambda: said.extend(demo.stdout), daemon=True).start()
        try:
            until(lambda: demo.poll() is not None or any("the password is" in line for line in said), 90)
            address, password = re.search(r"(http://\S+) .*the password is (\S+)", "".join(said)).groups()
            until(lambda: any(re.search(r"mqtt://127\.0\.0\.1:\d+ ", line) for line in said), 90)
            with httpx.Client(base_url=address, timeout=30, headers={"Accept": "text/html"}, follow_redirects=True) as ann:
                assert ann.post("/login", data={"name": "ann", "password": password}).url.path == "/"
                until(lambda: "Case 1" in ann.get("/").text, 200)
                # Heard on a box, and whose it was told by the switchboard.
                assert re.search(r"K-10\d\d · \+44113496\d{4}", ann.get("/case/1").text)
                assert "leeds/desk-014" in ann.get("/boxes").text
        finally:
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(60) == 0, (tmp_path / "log").read_text()
