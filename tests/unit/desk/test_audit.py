"""Who came in, who was not let in and who left is in the audit, whichever way they tried; a password never is."""

import asyncio

import httpx
import pytest
from argon2 import PasswordHasher

from desk.people import accounts
from desk.people.accounts import add_user, digest, log_in_known
from desk.people.roles import Role
from desk.web.app import make_app
from desk.web.ask import COOKIE
from desk.web.desk import Desk
from tests.unit.desk.pages import Client

PASSWORD = "a long enough password"


@pytest.fixture
def desk(store, monkeypatch):
    """Asks of the desk's pages, one after another, in one browser; ann has a password, gone had one. Its hashes cost a test little."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    for name in ("ann", "gone"):
        add_user(store.database, name, "lead", PASSWORD)
    with store.database.write() as tx:
        tx.run("user_disable", name="gone")
    app, cookies = make_app(Desk.of(store.config, store.database, None)), httpx.Cookies()

    def post(address, **form):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk", cookies=cookies) as client:
                answer = await client.post(address, data=form)
                cookies.update(answer.cookies)
                return answer

        return asyncio.run(ask())

    post.cookies = cookies
    return post


def audit(store):
    """Who did what, as a lead reads it; what the command line did is left out."""
    rows = sorted((dict(row) for row in store.table("audit")), key=lambda row: row["seq"])
    assert all(PASSWORD not in repr(row) and "guess" not in repr(row) for row in rows)
    return [(row["who"], row["what"]) for row in rows if row["who"] != "command line"]


@pytest.mark.parametrize(("name", "password", "told"), [
    ("ann", PASSWORD, ("ann", "login")), ("ann", "a guess", ("ann", "login refused")), ("nobody", PASSWORD, ("nobody", "login refused")),
    ("gone", PASSWORD, ("gone", "login refused")), ("", "", ("", "login refused")), ("<b>" * 40, "a guess", ("<b>" * 21, "login refused")),
])  # fmt: skip
def test_every_log_in_is_told_of_by_name_whether_or_not_it_was_let_in(store, desk, name, password, told):
    answer = desk("/login", name=name, password=password)
    assert answer.status_code == (303 if told[1] == "login" else 401)
    assert audit(store) == [told]
    page = Client(store, "lea", "lead").get("/audit").text
    assert f"<td>{told[1]}</td>" in page
    assert "<b>" not in page


def test_a_log_out_is_told_of_once_and_ends_the_session(store, desk):
    desk("/login", name="ann", password=PASSWORD)
    token = Desk.of(store.config, store.database, None).csrf(digest(desk.cookies[COOKIE]))
    assert desk("/logout", csrf=token).headers["location"] == "/login"
    assert audit(store) == [("ann", "login"), ("ann", "logout")]
    assert store.table("sessions") == []


def test_who_tries_for_ever_fills_no_audit(store, desk):
    refused = [desk("/login", name="ann", password=f"guess {n}").status_code for n in range(13)]
    assert refused.count(429) == 3
    assert audit(store) == [("ann", "login refused")] * 10


@pytest.mark.parametrize(("name", "told"), [("olive", "login"), ("ann", "login refused"), ("gone", "login refused")])
def test_whom_the_provider_brings_is_told_of_as_brought_by_it(store, desk, name, told):
    assert (log_in_known(store.database, name, Role.OPERATOR, hours=1) is not None) == (told == "login")
    assert audit(store) == [(name, told)]
    assert [dict(row)["detail"] for row in store.table("audit") if dict(row)["who"] == name] == ["by the provider"]
