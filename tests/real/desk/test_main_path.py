"""From the broker to a person and back: the API, the pages, the commands, over real sockets."""

import json
import re

import httpx
import pytest

from edge.clock import uuid7
from tests.desk_process import PASSWORD, PLAIN, until
from tests.scripted_box import ScriptedBox


def browser(desk, name="ann"):
    client = desk.client({"Accept": "text/html"})
    answer = client.post("/login", data={"name": name, "password": PASSWORD, "next": "/"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return client


def csrf(client, address="/"):
    return re.search(r'data-csrf="([^"]+)"', client.get(address).text)[1]


def first(api, **filters):
    return until(lambda: api.get("/api/cases", params=filters).json()["cases"])[0]


def test_the_main_path_by_programs(desk, box):
    box.tell(box.state(), *box.call(customer_ref="K-1", callback="+441134960000"))
    api = desk.api()
    case = first(api, state="open")
    expected = {
        "state": "open", "owner": None, "severity": "high", "route": "billing", "customer_ref": "K-1", "site": "leeds",
        "device": "desk-014", "line": "line-1",
    }  # fmt: skip
    assert {key: case[key] for key in expected} == expected
    assert all(case[key] for key in ("id", "call", "version", "opened_at", "due_at"))
    address = f"/api/cases/{case['id']}"
    claimed = api.post(f"{address}/claim", json={"version": case["version"]})
    assert (claimed.status_code, claimed.json()["owner"], claimed.json()["state"]) == (200, "program", "claimed")
    other = desk.api(name="other")
    refused = other.post(f"{address}/claim", json={"version": case["version"]})
    assert (refused.status_code, refused.json()["owner"], bool(refused.json()["at"])) == (409, "program", True)
    tried = api.post(f"{address}/attempt", json={"version": claimed.json()["version"], "result": "reached"}).json()
    closed = api.post(f"{address}/close", json={"version": tried["version"], "outcome": "resolved", "action": "refund", "note": "thanked"})
    assert (closed.status_code, closed.json()["state"], closed.json()["outcome"]) == (200, "closed", "resolved")
    until(lambda: len(box.commands) == 4)
    told = [(topic, body["by"], body["alert"]) for topic, body in box.commands]
    alert = f"{case['call']}:alert"
    assert told == [(topic, "program", alert) for topic in ("alert/ack", "alert/contacted", "alert/close", "feedback/alert")]
    until(lambda: api.get("/metrics").text.count("undertone_desk_commands_waiting 0.0"))
    assert api.get("/api/calls").json()["calls"][0]["call"] == case["call"]
    impact = api.get("/api/impact", params={"landmark_min": 30}).json()
    assert (impact["alerts"], impact["justified"]["k"], impact["justified"]["n"]) == (1, 1, 1)


def test_the_main_path_by_a_person_without_script(desk, box):
    box.tell(*box.call(customer_ref="K-1"))
    ann = browser(desk)
    until(lambda: "Case 1" in ann.get("/").text)
    token = csrf(ann)
    for verb, fields in (
        ("claim", {}),
        ("attempt", {"result": "reached"}),
        ("note", {"note": "over & <out>"}),
        ("close", {"outcome": "resolved", "action": "x"}),
    ):
        assert ann.post(f"/case/1/{verb}", data={"csrf": token, **fields}).status_code == 303
    page = ann.get("/case/1").text
    assert "over &amp; &lt;out&gt;" in page
    assert "state: open → claimed; owner: \N{EN DASH} → ann" in page
    assert "state: contacted → closed; outcome: \N{EN DASH} → resolved" in page
    assert "Case 1" not in ann.get("/").text
    assert "Case 1" not in ann.get("/queue/rows").text
    history = ann.get("/history", params={"outcome": "resolved"}).text
    assert '<a href="/case/1">' in history
    impact = ann.get("/impact").text
    assert "Justified" in impact
    # Both ends of the period with their dates, whichever day it is.
    day = r"<time datetime=[^>]+>\d\d \w{3} \d{4} \d\d:\d\d</time>"
    assert re.search(rf"<p>{day} to {day} ·", impact)
    assert "leeds/desk-014" in ann.get("/boxes").text


def test_several_cases_at_once_with_a_result_each(desk, box):
    for _ in range(3):
        box.tell(*box.call())
    ann = browser(desk)
    until(lambda: "Case 3" in ann.get("/").text)
    token = csrf(ann)
    page = ann.post("/bulk", data={"csrf": token, "verb": "snooze", "until_local": "2031-07-01T09:00", "case": ["1", "2"]}).text
    assert "snooze: 2 of 2 done" in page
    assert {case["snoozed_until"] for case in desk.api().get("/api/cases?state=snoozed").json()["cases"]} == {"2031-07-01T08:00:00.000Z"}
    desk.api(name="ben").post("/api/cases/3/claim", json={})
    closed = ann.post(
        "/bulk", data={"csrf": token, "verb": "close", "outcome": "false_alarm", "note": "a test", "case": ["1", "3", "99"]}
    ).text
    assert "close: 1 of 3 done" in closed
    assert "ben has it" in closed
    assert "there is no case 99" in closed
    for bad in ({"verb": "close", "case": "1"}, {"verb": "snooze", "until_local": "soon", "case": "1"}, {"verb": "claim"}):
        assert ann.post("/bulk", data={"csrf": token} | bad).status_code == 400


def test_who_may_do_what(desk, box):
    box.tell(*box.call())
    case = first(desk.api())
    assert httpx.get(f"{desk.url}/api/cases", **PLAIN).status_code == 401
    assert httpx.get(f"{desk.url}/api/cases", headers={"Authorization": "Bearer nonsense"}, **PLAIN).status_code == 401
    assert httpx.get(f"{desk.url}/", headers={"Accept": "text/html"}).headers["location"].startswith("/login")
    analyst = desk.api("analyst", "ana")
    assert analyst.get("/api/cases").status_code == 200
    assert analyst.post(f"/api/cases/{case['id']}/claim", json={}).status_code == 403
    assert desk.api("switchboard", "pbx").get("/api/cases").status_code == 403
    assert desk.api().get("/audit").status_code == 403
    ann = browser(desk)
    assert ann.post("/case/1/claim", data={}).status_code == 403
    assert ann.post("/case/1/claim", data={"csrf": csrf(ann)}, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert ann.post("/case/1/claim", data={"csrf": csrf(browser(desk, "ben"))}).status_code == 403
    assert first(desk.api())["owner"] is None
    ann.post("/logout", data={"csrf": csrf(ann)})
    assert ann.get("/").status_code == 303


def test_passwords_cannot_be_tried_for_ever(desk):
    tries = [httpx.post(f"{desk.url}/login", data={"name": "ann", "password": f"guess {n}"}, **PLAIN).status_code for n in range(13)]
    assert tries == [401] * 10 + [429] * 3
    assert httpx.post(f"{desk.url}/login", data={"name": "ann", "password": PASSWORD}, **PLAIN).status_code == 429


@pytest.mark.parametrize(("name", "kept"), [("ann", "ann"), ('<a "b">', "&lt;a &#34;b&#34;&gt;")])
def test_a_wrong_password_leaves_the_name_where_it_was_typed(desk, name, kept):
    page = httpx.post(f"{desk.url}/login", data={"name": name, "password": "guess"})
    assert page.status_code == 401
    assert f'name="name" autocomplete="username" required maxlength="63" value="{kept}">' in page.text
    assert re.search(r'name="password"[^>]* autofocus', page.text)


@pytest.mark.parametrize("there", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_a_login_leads_nowhere_else(desk, there):
    answer = httpx.post(f"{desk.url}/login", data={"name": "ann", "password": PASSWORD, "next": there})
    assert answer.headers["location"] == "/"


HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"


def test_html_in_any_field_stays_text_and_nothing_inline_may_run(desk, box):
    name = uuid7()
    reason = {"rule": HTML, "says": HTML, "severity": HTML, "evidence": [{"quote": HTML}], "offset_ms": 1}
    box.tell(
        box.started(name, customer_ref=HTML, queue=HTML, callback=HTML, desk=HTML, agent_ref=HTML),
        box.utterance(name, 1, -0.4, words={"cause": {"code": HTML}}),
        box.alert(name, route="x", cause=HTML, severity=HTML, reasons=[reason], acknowledged_by=HTML), box.state(HTML),
    )  # fmt: skip
    ann = browser(desk)
    until(lambda: "Case 1" in ann.get("/").text)
    ann.post("/case/1/note", data={"csrf": csrf(ann), "note": HTML})
    for address in ("/", "/case/1", "/history", "/boxes", "/impact", "/audit"):
        answer = ann.get(address)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<[^>]*\s(on\w+|style)=", answer.text)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_a_file_has_no_formula_and_the_sites_time(desk, box):
    name = uuid7()
    box.tell(box.started(name, customer_ref='=HYPERLINK("http://x")'), box.alert(name, opened_at="2026-07-01T12:00:00.000Z"))
    ann = browser(desk)
    until(lambda: "Case 1" in ann.get("/").text)
    text = ann.get("/history.csv").text
    assert "'=HYPERLINK" in text
    assert "2026-07-01 13:00:00+0100" in text
    rows = text.strip().splitlines()
    assert len(rows) == 2
    assert "history.csv" in ann.get("/audit").text
    assert desk.api().get("/api/cases?format=csv").text.startswith("id,call")
    assert "/api/cases?format=csv: 1 rows" in ann.get("/audit").text


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"\xff", 400), (b"x" * 200_000, 400), (b'{"version": "a"}', 400), (b"", 200)]
)
def test_bad_requests_are_told_in_one_line(desk, box, body, status):
    box.tell(*box.call())
    api = desk.api()
    first(api)
    answer = api.post("/api/cases/1/claim", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert status == 200 or "\n" not in answer.json()["error"]


def test_addresses_that_there_are_not(desk):
    api = desk.api()
    expected = {
        "/api/cases/9": 404, "/api/cases/x": 404, "/nothing": 404, "/api/cases?state=odd": 400, "/api/cases?after=-1": 400,
        "/api/impact?landmark_min=x": 400, "/api/impact?from=x": 400, "/api/cases/99999999999999999999": 404,
    }  # fmt: skip
    assert {address: api.get(address).status_code for address in expected} == expected


def test_the_stream_tells_replays_and_says_when_it_cannot(desk, box):
    ann = browser(desk)

    def listen(last, wanted):
        events = []
        with ann.stream("GET", "/stream", params={"last": last} if last else {}) as answer:
            assert answer.headers["x-accel-buffering"] == "no"
            event = {}
            for line in answer.iter_lines():
                key, _, value = line.partition(": ")
                if key:
                    event[key] = value
                elif event:
                    events.append(event)
                    if [one for one in events if one.get("event") == wanted]:
                        return events
                    event = {}
        return events

    hello = listen(None, "beat")[-1]
    box.tell(*box.call())
    until(lambda: "Case 1" in ann.get("/").text)
    changes = listen(hello["id"] if hello["id"] != "0" else "1", "change")
    assert json.loads(changes[-1]["data"])["kind"] in {"call", "case", "box"}
    assert listen("999999999", "refetch")[-1]["event"] == "refetch"


@pytest.mark.takes(25)
def test_a_desk_that_is_killed_loses_no_case_and_doubles_none(desk, box):
    for _ in range(5):
        box.tell(*box.call())
        desk.kill()
        box.tell(*box.call())
        desk.start()
        box.tell(*box.call())
    api = desk.api()
    cases = until(lambda: len(found := api.get("/api/cases", params={"limit": 500}).json()["cases"]) == 15 and found)
    assert len({case["call"] for case in cases}) == 15
    assert [case["id"] for case in cases] == list(range(1, 16))


def test_a_command_waits_for_its_broker_and_its_box(desk, broker):
    box = ScriptedBox(url=broker.url)
    box.tell(box.state(), *box.call())
    api = desk.api()
    first(api)
    box.close()
    broker.kill()
    assert api.post("/api/cases/1/claim", json={}).status_code == 200
    assert api.get("/healthz").json()["broker"] is False
    broker.start()
    until(desk.healthy, 60)
    back = ScriptedBox(url=broker.url)
    back.tell(back.state("lost", boot=1, n=2), back.state("online", boot=2, n=1))
    until(lambda: [topic for topic, _ in back.commands] == ["alert/ack"])
    until(lambda: "accepted" in browser(desk).get("/case/1").text)
    back.close()


def test_what_never_came_is_shown_and_what_was_announced_is_not_blamed(desk, box):
    name = uuid7()
    box.tell(box.started(name))
    box.utterance(name, 1, 0.0)
    box.tell(box.utterance(name, 2, 0.0), box.utterance(name, 3, 0.0))
    lost = box.utterance(name, 4, 0.0)
    box.tell(box.utterance(name, 5, 0.0), box.gap("call/line-1/utterance", lost["sequence"], lost["sequence"]))
    box.utterance(name, 6, 0.0)
    box.tell(box.health())
    ann = browser(desk)
    page = until(lambda: "announced as lost" in (text := ann.get("/boxes").text) and text)
    assert "1 announced as lost" in page
    assert "1 missing and nobody said so" in page
