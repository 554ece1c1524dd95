"""Another system that takes nothing: it is told of, and holds up nobody else."""

import socket
from datetime import UTC, datetime, timedelta
from http.client import BadStatusLine
from types import SimpleNamespace

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.config import DeskConfig, WebhookConfig
from desk.ingest.standing import Ingest
from desk.notify.webhook import collect, deliver
from desk.web.maintenance import Maintenance
from edge.clock import rfc3339
from tests.desk_process import until
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client


@pytest.fixture
def store(store):
    box = ScriptedBox()
    store.tell(box, *box.call())
    return store


def test_one_that_never_answers_keeps_no_claim_from_its_box(store, tmp_path):
    (tmp_path / "key").write_text("s3cret")
    sent = []

    def publish(messages):
        sent.extend(topic for topic, _ in messages)
        return len(messages)

    link = SimpleNamespace(connected=True, trouble=None, lag_s=0.0, publish=publish)
    ingest = Ingest(name="desk", link=link, writer=SimpleNamespace(counts={}))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = WebhookConfig(url=f"http://127.0.0.1:{silent.getsockname()[1]}/", secret_file=str(tmp_path / "key"))
        maintenance = Maintenance(DeskConfig(webhook=hook), store.database, ingest)
        maintenance.start()
        # It is being posted to, and says nothing.
        asked, _ = silent.accept()
        act(store.database, 1, wish("claim", {}), Actor(name="ann", role="operator"))
        until(lambda: any(topic.endswith("alert/ack") for topic in sent), 5)
        asked.close()
    maintenance.stop()


@pytest.mark.parametrize("error", [ConnectionRefusedError("refused"), BadStatusLine("SSH-2.0-x")])
def test_what_refuses_or_speaks_something_else_is_tried_again_and_named(store, tmp_path, error):
    (tmp_path / "key").write_text("s3cret")

    def post(_url, _body, _headers):
        raise error

    collect(store.database)
    assert deliver(store.database, WebhookConfig(url="http://hook.example/", secret_file=str(tmp_path / "key")), post) == 0
    waiting = [dict(row) for row in store.table("deliveries")]
    assert [(row["tries"], row["last_error"]) for row in waiting] == [(1, str(error))] * 2


@pytest.mark.parametrize(("minutes", "shown"), [(0, False), (2, True)])
def test_one_that_is_slow_is_told_of_though_it_refuses_nothing(store, minutes, shown):
    collect(store.database)
    made = rfc3339(datetime.now(UTC) - timedelta(minutes=minutes))
    with store.database.write() as tx:
        tx._connection.execute(f"UPDATE deliveries SET created_at = '{made}'")
    assert ("The webhook lags: 2 wait, the first since" in Client(store).get("/boxes").text) is shown
