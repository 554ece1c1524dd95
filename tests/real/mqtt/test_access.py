"""Certificates, keys and clocks: what is wrong is named, and the remedy is about that thing."""

import shlex
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from queue import SimpleQueue

import pytest

from desk.config import DeskMqtt
from desk.ingest.link import Link as DeskLink
from edge.broker import access
from edge.config import MqttConfig
from edge.errors import BusError
from edge.mqtt.link import Link
from tests.certificates import Authority

# paho leaves its socket to be closed by Python where TLS fails, and Python warns of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def secured(pair):
    """A port that shows the certificate of `pair`; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)

    def answer():
        with suppress(OSError):
            connection, _ = server.accept()
            with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"mqtts://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def refusal(authority, pair) -> BusError:
    with secured(pair) as url, pytest.raises(BusError) as refused:
        Link(MqttConfig(url=url, ca=str(authority.ca)), client_id="x", inbox=SimpleQueue()).open()
    assert "\n" not in str(refused.value)
    return refused.value


CASES = {
    "expired": ({"days": -1}, "certificate has expired", "renew the certificate"),
    "not yet valid": ({"since": 3, "days": 30}, "not yet valid", "timedatectl set-ntp true"),
    "another host": ({"host": "broker.example"}, "mismatch", "mqtt.url"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_remedy_is_about_what_is_wrong_with_the_certificate(authority, case):
    given, fault, remedy = CASES[case]
    problem = refusal(authority, authority.issue(case, **given)).problem
    assert fault in problem.what
    assert remedy in problem.remedy
    assert "mqtt.ca" not in problem.remedy


def test_a_clock_that_has_lost_the_time_is_named_and_no_certificate_is_blamed(authority, monkeypatch):
    monkeypatch.setattr(access, "believable", lambda: False)
    monkeypatch.setattr(access, "now", lambda: "1970-01-01T00:00:12.000Z")
    for given in ({"since": 3, "days": 30}, {"days": -1}):
        problem = refusal(authority, authority.issue("early", **given)).problem
        assert problem.remedy.startswith("this box's clock says 1970-01-01T00:00:12.000Z: set it (timedatectl set-ntp true)")


def test_an_authority_that_is_not_ours_is_what_mqtt_ca_is_for(authority, tmp_path):
    foreign = Authority(tmp_path, "somebody else")
    assert "mqtt.ca" in refusal(authority, foreign.issue("foreign")).problem.remedy


# By key: what else the configuration says.
FILES = {
    "ca": {},
    "cert": {},
    "key": {"cert": "good.pem"},
    "password_file": {"username": "box"},
}


@pytest.mark.parametrize("key", FILES)
@pytest.mark.parametrize("content", [None, b"\xff\xfe no such thing"])
def test_a_file_that_cannot_serve_is_told_by_key_fault_file_and_remedy(authority, tmp_path, key, content):
    (tmp_path / "good.pem").write_bytes(authority.issue("fits").cert.read_bytes())
    given = {name: str(tmp_path / value) if name == "cert" else value for name, value in FILES[key].items()}
    named = tmp_path / "named"
    if content is not None:
        named.write_bytes(content)
    config = MqttConfig(url="mqtts://127.0.0.1:9", **given, **{key: str(named)})
    with pytest.raises(BusError) as refused:
        Link(config, client_id="x", inbox=SimpleQueue()).open()
    # A key that is none is told beside the certificate that it does not belong to.
    about = ("cert", given["cert"]) if key == "key" and content is not None else (key, named)
    fault = "no such file" if content is None else "no UTF-8 text" if key == "password_file" else "no PEM certificate"
    told = refused.value.problem
    assert told.where == f"mqtt.{about[0]}"
    assert told.what.startswith(fault)
    assert told.what.endswith(f" at {about[1]}")
    assert told.remedy
    assert "_ssl" not in told.what


@pytest.mark.parametrize("terminal", [False, True])
def test_an_encrypted_key_is_told_with_its_remedy_and_nobody_is_asked_for_a_passphrase(authority, tmp_path, terminal):
    pair = authority.issue(f"locked-{terminal}", passphrase="hush")
    # It fails before anything is sent: no port is needed.
    command = [sys.executable, "-m", "edge", "listen", "--url", "mqtts://127.0.0.1:9", "--cert", str(pair.cert), "--key", str(pair.key)]
    if terminal:
        # OpenSSL would open the terminal that the process belongs to, whatever its standard input is.
        command = ["script", "--quiet", "--return", "--command", shlex.join(command), str(tmp_path / "typescript")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"{pair.key}: mqtt.key: the key is encrypted" in said
    assert f"openssl pkey -in {pair.key}" in said
    assert "pass phrase" not in said
    remedy = ["openssl", "pkey", "-in", str(pair.key), "-passin", "pass:hush", "-out", str(tmp_path / "open.key")]
    subprocess.run(remedy, check=True, capture_output=True)
    access.tls(MqttConfig(url="mqtts://x", cert=str(pair.cert), key=str(tmp_path / "open.key")))


def test_the_desk_does_not_ask_either(authority):
    pair = authority.issue("desk", passphrase="hush")
    config = DeskMqtt(url="mqtts://127.0.0.1:9", cert=str(pair.cert), key=str(pair.key))
    with pytest.raises(BusError, match="the key is encrypted"):
        DeskLink(config, print)
