"""The doctor and a line that listens: real ports, real files."""

import socket
import stat

import pytest

from edge.config import Config, LineConfig, ListenConfig, SourceConfig
from edge.doctor.checks import checked
from edge.doctor.finding import Outcome
from edge.doctor.listener import listener
from tests.certificates import Authority
from tests.ports import free_port


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("a-token-of-sixteen-characters\n")
    path.chmod(0o600)
    return path


def found(tmp_path, **listen):
    made = ListenConfig(**{"protocol": "websocket", "port": free_port(), **listen})
    line = LineConfig(name="pbx", source=SourceConfig(listen=made))
    finding = checked("pbx", lambda: listener(line, made, Config(state_dir=str(tmp_path)))).finding
    return finding.outcome, finding.says, finding.remedy or ""


def test_a_listener_that_works_says_where_and_for_whom(tmp_path, tokens):
    pair = Authority(tmp_path / "tls").issue("box")
    pair.key.chmod(0o600)
    outcome, says, _ = found(tmp_path, tokens_file=str(tokens), cert=str(pair.cert), key=str(pair.key))
    assert outcome is Outcome.GOOD, says
    assert says.endswith("(websocket, 8 calls), 1 token(s), TLS")


def test_a_port_that_is_taken_is_named(tmp_path, tokens):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        outcome, says, remedy = found(tmp_path, port=port, tokens_file=str(tokens))
    assert outcome is Outcome.FAILED
    assert f"127.0.0.1 port {port}: cannot be listened on: Address already in use" in says
    assert "ss -ltnp" in remedy


@pytest.mark.parametrize(
    ("listen", "outcome", "part"),
    [
        ({"protocol": "audiosocket"}, Outcome.GOOD, "announced calls alone"),
        ({"protocol": "audiosocket", "address": "0.0.0.0"}, Outcome.LOOK, "neither login nor TLS"),
        ({"address": "0.0.0.0"}, Outcome.LOOK, "without TLS"),
        ({"address": "192.0.2.1"}, Outcome.FAILED, "cannot be listened on"),
    ],
)
def test_what_is_open_to_others_is_said(tmp_path, tokens, listen, outcome, part):
    more = {} if listen.get("protocol") == "audiosocket" else {"tokens_file": str(tokens)}
    got, says, remedy = found(tmp_path, **listen, **more)
    assert (got, part in says) == (outcome, True), says
    assert (outcome is Outcome.GOOD) == (not remedy)


def test_a_tokens_file_that_others_may_read_or_that_holds_none_is_told_with_its_remedy(tmp_path, tokens):
    tokens.chmod(0o644)
    assert found(tmp_path, tokens_file=str(tokens))[::2] == (Outcome.LOOK, f"chmod 600 {tokens}")
    tokens.write_text("# none yet\n")
    tokens.chmod(stat.S_IRUSR | stat.S_IWUSR)
    outcome, says, remedy = found(tmp_path, tokens_file=str(tokens))
    assert (outcome, says) == (Outcome.FAILED, f"{tokens}: holds no token")
    assert "openssl rand -hex 24" in remedy
