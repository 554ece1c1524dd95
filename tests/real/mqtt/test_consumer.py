"""The consumer of the docs as a program: what it is told of the broker is what it does."""

import json
import subprocess
import sys

import pytest
from paho.mqtt import publish

from tests.broker import Broker
from tests.paths import ROOT

PROGRAM = [sys.executable, str(ROOT / "docs" / "consumer.py")]
EVENT = {"source": "/leeds/desk-1", "id": "1", "type": "undertone.call.text.v1", "sequence": 1, "data": {}}


def test_it_speaks_tls_as_the_user_that_it_was_given(tmp_path):
    (tmp_path / "pw").write_text("hush\n")
    with Broker(tmp_path, passwords={"recovery": "hush"}, tls=True) as broker:
        options = ["--user", "recovery", "--password-file", str(tmp_path / "pw"), "--ca", str(broker.authority.ca)]
        program = subprocess.Popen([*PROGRAM, broker.url, *options], stdout=subprocess.PIPE, text=True)
        publish.single(
            "undertone/v1/leeds/desk-1/text/line-1", json.dumps(EVENT), qos=1, retain=True, hostname="127.0.0.1", port=broker.port,
            auth={"username": "recovery", "password": "hush"}, tls={"ca_certs": str(broker.authority.ca)},
        )  # fmt: skip
        try:
            assert json.loads(program.stdout.readline()) == EVENT
        finally:
            program.terminate()
            program.communicate()


def test_a_wrong_password_is_told(tmp_path):
    (tmp_path / "pw").write_text("wrong\n")
    with Broker(tmp_path, passwords={"recovery": "hush"}) as broker:
        program = subprocess.Popen(
            [*PROGRAM, broker.url, "--user", "recovery", "--password-file", str(tmp_path / "pw")], stderr=subprocess.PIPE, text=True
        )
        try:
            assert "the broker refuses: Not authorized" in program.stderr.readline()
        finally:
            program.terminate()
            program.communicate()


@pytest.mark.parametrize(("arguments", "says"), [
    (["mqtts://u:p@127.0.0.1"], "--password-file"),
    (["http://127.0.0.1"], "mqtt://HOST"),
    (["mqtt://127.0.0.1", "--ca", __file__], "--ca changes nothing"),
    (["mqtt://127.0.0.1:1"], "refused"),
    (["mqtts://127.0.0.1", "--ca", "none.pem"], "--ca: none.pem: No such file"),
    (["mqtt://127.0.0.1", "--user", "x", "--password-file", "none"], "--password-file: none: No such file"),
    (["mqtt://127.0.0.1:99999"], "mqtt://HOST[:PORT]"),
    (["mqtt://"], "mqtt://HOST[:PORT]"),
    (["mqtt://[::1"], "mqtt://HOST[:PORT]"),
    (["mqtts://127.0.0.1", "--ca", __file__], "is --ca of who signed it?"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_a_line(arguments, says):
    ended = subprocess.run([*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode
    assert says in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
