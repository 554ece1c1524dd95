"""Several processes on one PostgreSQL: pages in two, the events of each site taken in by one of its own."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.desk_process import PASSWORD, DeskProcess, until
from tests.scripted_box import ScriptedBox


@pytest.fixture(scope="module")
def processes(tmp_path_factory, server, shared_broker):
    """Two that serve pages, two that take in events: leeds, york."""
    folder, database = tmp_path_factory.mktemp("processes"), server.url()
    with ExitStack() as stack:
        ingests = {}
        for site in ("leeds", "york"):
            more = f'client_id: desk-{site}, topics: ["undertone/v1/{site}/#"]'
            ingests[site] = DeskProcess(folder / site, shared_broker.url, mqtt=more, database=database, arguments=("--only", "ingest"))
        ingests["leeds"].people()
        for one in ingests.values():
            stack.callback(one.launch().stop)
        webs = [DeskProcess(folder / name, shared_broker.url, database=database, arguments=("--only", "web")) for name in ("one", "two")]
        for web in webs:
            stack.callback(web.start().stop)
        yield webs, ingests


@pytest.fixture(scope="module")
def boxes(shared_broker):
    boxes = [ScriptedBox(site, url=shared_broker.url) for site in ("leeds", "york")]
    yield boxes
    for box in boxes:
        box.close()


def person(web, name="ann"):
    client = web.client({"Accept": "text/html"})
    client.post("/login", data={"name": name, "password": PASSWORD})
    return client


def listen(client, found, wanted):
    """Reads a stream until `wanted` says so of what came."""
    with client.stream("GET", "/stream") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                found.append(json.loads(line[6:]))
                if wanted(found):
                    return


@pytest.mark.takes(20)
def test_what_one_process_takes_in_reaches_the_browsers_of_every_other(processes, boxes):
    webs, _ = processes
    found: list[list[dict]] = [[], []]
    threads = [
        threading.Thread(
            target=listen, args=(person(web), came, lambda came: len({one.get("key") for one in came if one.get("kind") == "case"}) >= 2)
        )
        for web, came in zip(webs, found, strict=True)
    ]
    for thread in threads:
        thread.start()
    until(lambda: all(found))
    for box in boxes:
        box.tell(*box.call(customer_ref="K-1"))
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    for web in webs:
        assert {case["site"] for case in web.api().get("/api/cases").json()["cases"]} == {"leeds", "york"}


def test_of_two_claims_in_two_processes_one_wins_and_the_box_is_told_once(processes, boxes):
    webs, _ = processes
    box = boxes[1]
    box.tell(*box.call())
    programs = [web.api(name=f"p{n}") for n, web in enumerate(webs)]
    case = until(lambda: programs[0].get("/api/cases?site=york&state=open").json()["cases"])[-1]
    told = len(box.commands)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda api: api.post(f"/api/cases/{case['id']}/claim", json={}), programs))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    won = next(answer.json()["owner"] for answer in answers if answer.status_code == 200)
    assert next(answer.json()["owner"] for answer in answers if answer.status_code == 409) == won
    until(lambda: len(box.commands) > told)
    until(lambda: "accepted" in person(webs[1]).get(f"/case/{case['id']}").text)
    assert [topic for topic, _ in box.commands[told:]] == ["alert/ack"]


def test_who_looks_in_one_process_is_seen_in_the_other(processes, boxes):
    webs, _ = processes
    boxes[0].tell(*boxes[0].call())
    ann, ben = person(webs[0]), person(webs[1], "ben")
    until(lambda: ann.get("/case/1").status_code == 200)
    assert "ann is looking" in ben.get("/case/1").text
    assert "ben is looking" in ann.get("/case/1").text


@pytest.mark.takes(25)
def test_a_killed_ingest_is_told_and_a_killed_web_process_is_missed_by_nobody_else(processes, boxes):
    webs, ingests = processes
    assert webs[0].healthy()
    webs[1].kill()
    ingests["york"].kill()
    leeds, york = boxes
    york.tell(*york.call(customer_ref="Y-1"))
    leeds.tell(*leeds.call(customer_ref="L-1"))
    api = webs[0].api()
    until(lambda: api.get("/api/cases?customer=L-1").json()["cases"])
    until(lambda: not api.get("/healthz").json()["broker"], 40)
    assert "desk-york <strong>not heard of" in person(webs[0]).get("/boxes").text
    ingests["york"].launch()
    webs[1].start()
    assert len(until(lambda: webs[1].api().get("/api/cases?customer=Y-1").json()["cases"])) == 1
    until(webs[0].healthy)
