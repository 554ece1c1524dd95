"""People log in by a provider: the whole way over real sockets, and what nobody gets in by."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.broker import Broker
from tests.desk_process import DeskProcess
from tests.oidc_provider import CLIENT, SECRET, OidcProvider

CONFIG = """\
oidc:
  issuer: {issuer}
  client_id: {client}
  client_secret_file: secret
  callback: {desk}/oidc/back
  roles: {{operator: [recovery], lead: [recovery-leads, heads]}}
"""


@pytest.fixture(scope="module")
def provider():
    with OidcProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def desk(tmp_path_factory, provider):
    folder = tmp_path_factory.mktemp("oidc")
    with Broker(folder) as broker:
        desk = DeskProcess(folder / "desk", broker.url)
        (folder / "desk" / "secret").write_text(SECRET + "\n")
        with desk.config.open("a") as file:
            file.write(CONFIG.format(issuer=provider.issuer, client=CLIENT, desk=desk.url))
        with desk:
            yield desk


@pytest.fixture(autouse=True)
def usual(provider):
    before = dict(provider.person)
    yield
    provider.person, provider.wrong, provider.key = before, {}, provider.published


@pytest.fixture
def browser(desk):
    with httpx.Client(base_url=desk.url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=20) as client:
        yield client


def test_a_person_is_let_in_with_the_role_of_their_group_and_lands_where_they_were_going(desk, browser, provider):
    page = browser.get("/history?site=leeds")
    assert "/oidc/begin?next=/history" in page.text
    there = browser.get("/oidc/begin", params={"next": "/history?site=leeds"})
    assert str(there.url) == f"{desk.url}/history?site=leeds"
    assert "Log out olive" in there.text
    assert browser.get("/audit").status_code == 403
    provider.person["groups"] = ["recovery", "heads"]
    assert "Log out olive" in browser.get("/oidc/begin").text
    audit = browser.get("/audit")
    assert audit.status_code == 200
    assert "by the provider" in audit.text


@pytest.mark.parametrize(("person", "says"), [
    ({"groups": ["cleaning"]}, "olive has no role here"), ({"groups": None}, "has no role here"),
    ({"groups": [{"a": 1}]}, "has no role here"),
    ({"groups": "recovery", "preferred_username": "<b>"}, "no name that the desk can take"),
    ({"preferred_username": "ann"}, "is the name of a password log-in"),
])  # fmt: skip
def test_whoever_has_no_role_or_somebody_elses_name_is_told_so(browser, provider, person, says):
    provider.person |= person
    answer = browser.get("/oidc/begin")
    assert answer.status_code == 403
    assert says in answer.text
    assert browser.get("/").url.path == "/login"


@pytest.mark.parametrize("wrong", [
    {"nonce": "another"}, {"aud": "another"}, {"iss": "https://elsewhere.example"}, {"exp": 1_700_000_000}, {"key": True},
], ids=str)  # fmt: skip
def test_a_token_that_is_not_for_this_log_in_lets_nobody_in(browser, provider, wrong):
    if "key" in wrong:
        provider.key = RSAKey.generate_key(2048, {"kid": "one"}, auto_kid=False)
    else:
        provider.wrong = wrong
    answer = browser.get("/oidc/begin")
    assert (answer.status_code, "cannot be trusted" in answer.text or "refuses" in answer.text) == (403, True)
    assert browser.get("/").url.path == "/login"


def test_an_answer_that_was_begun_elsewhere_or_comes_again_lets_nobody_in(desk, provider):
    def client():
        return httpx.Client(base_url=desk.url, headers={"Accept": "text/html"}, timeout=20)

    with client() as ann, client() as eve:
        away = ann.get("/oidc/begin").headers["location"]
        asked = {key: values[0] for key, values in parse_qs(urlsplit(away).query).items()}
        back = httpx.get(away).headers["location"]
        # Eve has the address, and not the cookie; then a cookie of another log-in.
        assert eve.get(back).status_code == 400
        eve.get("/oidc/begin")
        assert eve.get(back).status_code == 403
        assert ann.get(back.replace(asked["state"], "x")).status_code == 403
        assert ann.get(back).status_code == 303
        assert ann.get(back).status_code in {400, 403}
        assert ann.get("/oidc/back?error=access_denied").status_code in {400, 403}


def test_who_was_disabled_here_stays_out(desk, browser, provider):
    provider.person["preferred_username"] = "gone"
    assert "Log out gone" in browser.get("/oidc/begin").text
    desk.command("user", "disable", "gone")
    assert browser.get("/oidc/begin").status_code == 403


def test_a_provider_that_is_away_is_told_and_passwords_still_work(tmp_path):
    with Broker(tmp_path) as broker:
        desk = DeskProcess(tmp_path / "desk", broker.url)
        (tmp_path / "desk" / "secret").write_text(SECRET)
        with desk.config.open("a") as file:
            file.write(CONFIG.format(issuer="http://127.0.0.1:9", client=CLIENT, desk=desk.url))
        with desk:
            answer = httpx.get(f"{desk.url}/oidc/begin", headers={"Accept": "text/html"})
            assert answer.status_code == 503
            assert "the provider does not answer" in answer.text
