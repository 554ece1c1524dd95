"""What only PostgreSQL can do to a desk, and a desk that serves from it."""

import pytest

from desk.store.opening import open_database
from edge.errors import StoreError
from tests.desk_process import DeskProcess, until
from tests.postgres import Postgres
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store


@pytest.fixture
def own_server():
    with Postgres() as server:
        yield server


def test_a_server_that_was_away_is_found_again(own_server):
    server = own_server
    store, box = Store(server.url()), ScriptedBox()
    store.tell(box, *box.call())
    assert store.case()["id"] == 1
    server.stop()
    with pytest.raises(StoreError, match="check that the server runs"):
        store.tell(box, *box.call())
    with pytest.raises(StoreError, match="check that the server runs"):
        store.case()
    server.start()
    store.tell(box, *box.call())
    assert store.case(2)["id"] == 2
    store.database.close()


def test_a_wrong_address_is_told_in_one_line_without_the_password():
    with pytest.raises(StoreError) as told:
        open_database("postgresql://desk:s3cret@127.0.0.1:1/desk")
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_the_desk_serves_from_it(tmp_path, server, broker, box):
    with DeskProcess(tmp_path / "desk", broker.url, database=server.url()) as desk:
        box.tell(*box.call(customer_ref="K-1"))
        api = desk.api()
        until(lambda: api.get("/api/cases").json()["cases"])
        assert api.post("/api/cases/1/claim", json={}).json()["owner"] == "program"
        until(lambda: box.commands)
        assert "made anew" in desk.command("rebuild").stdout
        assert api.get("/api/cases/1").json()["owner"] == "program"
