"""The command line on a desk that serves, and on one that cannot."""

import json

from tests.desk_process import PASSWORD, DeskProcess, until
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store


def test_check_says_what_is_well_and_what_to_do(desk, broker):
    said = desk.command("check", check=False).stdout
    assert "ok  database" in said
    assert "ok  broker" in said
    assert "ok  people: 3 may log in" in said
    broker.stop()
    done = desk.command("check", check=False)
    assert done.returncode == 1
    assert "BAD broker" in done.stdout
    broker.start()


def test_backup_export_rebuild_and_erase_while_it_serves(desk, box):
    box.tell(*box.call(customer_ref="K-1", callback="+441134960001"))
    api = desk.api()
    until(lambda: api.get("/api/cases").json()["cases"])
    api.post("/api/cases/1/close", json={"outcome": "resolved", "note": "spoke to K-1"})
    copy = desk.folder / "copy.db"
    assert "bytes" in desk.command("backup", str(copy)).stdout
    assert desk.command("backup", str(copy), check=False).returncode == 2
    store = Store(copy)
    assert store.case()["outcome"] == "resolved"
    store.database.close()
    events = [json.loads(line) for line in desk.command("export", "events").stdout.splitlines()]
    assert {event["specversion"] for event in events} == {"1.0"}
    assert "undertone.alert.v1" in {event["type"] for event in events}
    assert desk.command("export", "cases", "--csv").stdout.startswith("id,call,state")
    assert "made anew" in desk.command("rebuild").stdout
    assert "1 call and 1 case" in desk.command("erase", "--customer", "K-1").stdout
    assert "K-1" not in api.get("/api/cases").text
    assert api.get("/api/impact").json()["outcomes"] == {"resolved": 1}


def test_a_webhook_that_lags_is_shown(tmp_path, broker):
    (tmp_path / "key").write_text("s3cret")
    hook = f"webhook: {{url: 'http://127.0.0.1:1/', secret_file: {tmp_path / 'key'}}}\n"
    with DeskProcess(tmp_path / "hooked", broker.url, extra=hook) as desk:
        box = ScriptedBox(url=broker.url)
        box.tell(*box.call())
        ann = desk.client({"Accept": "text/html"})
        ann.post("/login", data={"name": "ann", "password": PASSWORD})
        until(lambda: "The webhook lags: " in ann.get("/boxes").text)
        box.close()


def test_what_a_user_can_cause_is_one_line(desk, tmp_path):
    (tmp_path / "bad.yaml").write_text("listen: here\n")
    (tmp_path / "short").write_text("abc")
    cases = [
        (["token", "drop", "nobody"], 2),
        (["user", "add", "x", "--role", "operator", "--password-file", str(tmp_path / "short")], 2),
        (["user", "add", "x", "--role", "operator", "--password-file", str(tmp_path / "none")], 2),
        (["user", "disable", "nobody"], 2),
        (["export", "events", "--csv"], 2),
    ]
    for arguments, code in cases:
        done = desk.command(*arguments, check=False)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (code, 1), arguments
        assert "Traceback" not in done.stderr
    desk.config.write_text("listen: here\n")
    done = desk.command("check", check=False)
    assert done.returncode == 2
    assert "key 'listen'" in done.stderr


def test_people_and_tokens_are_added_by_command(desk):
    assert (
        "may log in as admin"
        in desk.command("user", "add", "eve", "--role", "admin", "--password-file", str(desk.folder / "password")).stdout
    )
    token = desk.command("token", "add", "crm", "--role", "operator").stdout
    assert len(token.split()) == 1
    headers = {"Authorization": f"Bearer {token.strip()}"}
    assert desk.client(headers).get("/api/cases").json() == {"cases": [], "next": None}
    desk.command("token", "drop", "crm")
    assert desk.client(headers).get("/api/cases").status_code == 401


def test_who_was_disabled_is_out_at_once(desk):
    client = desk.client({"Accept": "text/html"})
    client.post("/login", data={"name": "ben", "password": (desk.folder / "password").read_text()})
    assert client.get("/").status_code == 200
    desk.command("user", "disable", "ben")
    assert client.get("/").status_code == 303
