"""The page says how a box is, whatever that is, and lets nothing that it shows become part of it."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Problem
from edge.status_page.server import is_own_name
from edge.status_page.view import POLICY, draw
from edge.values import SourceState
from edge.wire.device import SelfTest
from tests.snapshots import snapshot


def seen(page):
    """What a reader reads: the page without its tags, on one line."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())


@pytest.mark.parametrize(
    "says",
    [
        "leeds/desk-014 degraded", "As of 2026-11-29 14:11:01 UTC", "Up 2.5 h, start 7", "line-2: absent Do: plug the line tap in",
        "line-1 desk 4711 up", "customer \N{MINUS SIGN}27 dBFS", "agent digital silence", "heard 2.5 h, 2 s lost",
        "line-2 absent level no sound comes",
        "not connected", "12 events, 2 of them alerts; the oldest is 3 min old", "95 in 100 within 412 ms",
        "voice 1.3.0 signed by 2fdc668e6201afc8", "fusion weights as they are set", "1.6.0 on probation: 3 of 20 calls",
        "Last self-test failed 2026-11-29 14:10:49 UTC", "failed: gives other answers; do: install it again",
    ],
)  # fmt: skip
def test_everything_that_a_technician_looks_for_is_there(says):
    assert says in seen(draw(snapshot()))


def test_a_box_that_has_only_started_says_so():
    assert "is starting" in draw(None)
    assert "It runs." in draw(snapshot(selftest=None, tested_at=None, levels={}))
    assert "passed" in draw(snapshot(selftest=SelfTest(passed=True, checks={}), problems=[]))


@given(st.text(min_size=1))
def test_nothing_that_is_shown_becomes_markup(text):
    page = draw(snapshot(problems=[Problem(what=f"<i>{text}", remedy=f"{text}</i>")]))
    assert "<i>" not in page
    assert "</i>" not in page


def test_the_page_holds_no_script_and_its_policy_lets_none_in_but_its_own():
    page = draw(snapshot())
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert re.findall(r"\son\w+=|\sstyle=|javascript:", page) == []
    assert "unsafe" not in POLICY
    assert "default-src 'none'; script-src 'self';" in POLICY


def test_the_same_is_there_for_a_program():
    told = msgspec.json.decode(msgspec.json.encode(snapshot(), enc_hook=str))
    assert told["levels"]["line-1"] == {"customer": -27.4, "agent": None}
    assert told["problems"][0]["remedy"] == "plug the line tap in"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8650", "localhost:8650", "[::1]:8650", "192.168.1.7", "LOCALHOST."])
def test_a_name_that_nobody_else_can_have_is_this_box(host):
    assert is_own_name(host)


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8650", "127.0.0.1.evil.example", "[evil]:80", "localhost.evil.example", ":8650"]
)
def test_any_other_name_is_refused(host):
    assert not is_own_name(host)


def test_a_line_that_listens_for_calls_is_well_without_one():
    quiet = snapshot()
    lines = {**quiet.state.lines, "line-2": SourceState.LISTENING}
    page = draw(msgspec.structs.replace(quiet, state=msgspec.structs.replace(quiet.state, lines=lines)))
    assert "line-2 listening level no call now" in seen(page)
