"""A file of a secret that cannot be read is told in plain words, and nothing of what is in it."""

from types import SimpleNamespace

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.cli import user
from desk.config import OidcConfig, WebhookConfig
from desk.notify.webhook import collect, deliver
from desk.people.oidc import Provider
from edge.errors import UndertoneError
from edge.listen import tokens
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store


def post(path, make):
    store, box = Store(make()), ScriptedBox()
    store.tell(box, *box.call())
    act(store.database, 1, wish("claim", {}), Actor(name="ann", role="operator"))
    collect(store.database)
    deliver(store.database, WebhookConfig(url="http://hook.example/", secret_file=str(path)), lambda *_: None)


def log_in(path, _make):
    config = OidcConfig(
        issuer="http://idp.example", client_id="desk", callback="http://desk/oidc/back", roles={}, client_secret_file=str(path)
    )
    Provider(config).begin("/")


READERS = {
    "webhook.secret_file": post,
    "oidc.client_secret_file": log_in,
    "user add --password-file": lambda path, _: user.run_add(SimpleNamespace(password_file=path)),
    "listen.tokens_file": lambda path, _: tokens.read(path),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read: No such file or directory"), (b"\xffs3cret", "is no UTF-8 text")])
def test_what_is_wrong_with_the_file_is_all_that_is_said(tmp_path, make, reader, content, says):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UndertoneError) as refused:
        READERS[reader](path, make)
    assert (refused.value.problem.what, refused.value.problem.path) == (says, path)
    assert refused.value.problem.remedy
