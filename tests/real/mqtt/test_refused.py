"""Brokers that will not have a box: one line, with the address and the remedy."""

import socket
import threading
from queue import SimpleQueue

import pytest

from edge.config import MqttConfig
from edge.errors import BusError
from edge.mqtt.link import Link
from tests.broker import Broker
from tests.certificates import Authority
from tests.ports import free_port

# paho leaves its socket to be closed by Python where TLS fails, and Python warns of it.
UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def refusal(config: MqttConfig) -> str:
    with pytest.raises(BusError) as refused:
        Link(config, client_id="x", inbox=SimpleQueue()).open()
    told = str(refused.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password(tmp_path, protocol):
    (tmp_path / "pw").write_text("wrong\n")
    with Broker(tmp_path, passwords={"box": "right"}) as broker:
        told = refusal(MqttConfig(url=broker.url, username="box", password_file=str(tmp_path / "pw"), protocol=protocol))
    assert broker.url in told
    assert "mqtt.username (box) and mqtt.password_file" in told


def test_a_closed_port():
    assert "is the broker running" in refusal(MqttConfig(url=f"mqtt://127.0.0.1:{free_port()}"))


def test_a_name_that_nobody_knows():
    assert "check mqtt.url" in refusal(MqttConfig(url="mqtt://no-such-host.invalid"))


@UNCLOSED
def test_a_certificate_of_a_foreign_authority(tmp_path):
    foreign = Authority(tmp_path / "foreign", "somebody else")
    with Broker(tmp_path, tls=True) as broker:
        assert "not to be trusted" in refusal(MqttConfig(url=broker.url, ca=str(foreign.ca)))


@UNCLOSED
def test_a_port_without_tls_and_one_with(tmp_path):
    with Broker(tmp_path / "plain") as plain, Broker(tmp_path / "tls", tls=True) as secure:
        assert "needs mqtt://" in refusal(MqttConfig(url=plain.url.replace("mqtt:", "mqtts:"), ca=str(secure.authority.ca)))
        assert "needs mqtts://" in refusal(MqttConfig(url=secure.url.replace("mqtts:", "mqtt:")))


def test_a_broker_that_asks_for_a_certificate_gets_ours(tmp_path):
    with Broker(tmp_path, tls=True, mutual=True) as broker:
        pair = broker.client_pair("box")
        assert broker.url in refusal(MqttConfig(url=broker.url, ca=str(broker.authority.ca)))
        link = Link(
            MqttConfig(url=broker.url, ca=str(broker.authority.ca), cert=str(pair.cert), key=str(pair.key)),
            client_id="x",
            inbox=SimpleQueue(),
        )
        link.open()
        link.close()


@pytest.mark.parametrize(("key", "remedy"), [("password_file", "first line"), ("ca", "PEM file"), ("cert", "key that belongs")])
def test_a_secret_that_is_not_there_is_named(tmp_path, key, remedy):
    given = {"username": "box", key: str(tmp_path / "none")}
    told = refusal(MqttConfig(url="mqtts://127.0.0.1:1", **given))
    assert f"mqtt.{key}" in told
    assert remedy in told


def test_a_port_where_something_else_answers(tmp_path):
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = server.accept()
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    told = refusal(MqttConfig(url=f"mqtt://127.0.0.1:{server.getsockname()[1]}"))
    thread.join()
    server.close()
    assert "closed the connection without an answer" in told or "is that an MQTT broker" in told
