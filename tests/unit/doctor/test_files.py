"""What is named and cannot be read or written is told with its key, its place and a remedy that helps."""

import errno
import os

import pytest

from edge.config import Config, MqttConfig
from edge.doctor import host
from edge.doctor.finding import Outcome


def test_a_missing_ca_and_a_missing_password_file_fail_by_key_and_file(tmp_path):
    mqtt = MqttConfig(url="mqtts://b", ca=str(tmp_path / "ca.pem"), username="x", password_file=str(tmp_path / "pw"))
    found = host.files(Config(mqtt=mqtt))
    assert found.outcome is Outcome.FAILED
    assert found.says == f"key 'mqtt.ca': no such file at {tmp_path}/ca.pem; key 'mqtt.password_file': no such file at {tmp_path}/pw"
    assert found.remedy == "give the PEM file of the authority that signed the broker"


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        (errno.EROFS, "mount it for writing"),
        (errno.EACCES, "give the folder to this user"),
        (errno.ENOSPC, "make room on that disk"),
        (errno.ENOTDIR, "something else has that name"),
        (errno.EIO, "another one"),
    ],
)
def test_a_state_directory_that_takes_nothing_is_told_what_helps_there(tmp_path, monkeypatch, code, helps):
    def refuse(_fd: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    found = host.disk(Config(state_dir=str(tmp_path)))
    assert (found.outcome, found.says) == (Outcome.FAILED, f"{tmp_path}: {os.strerror(code)}")
    assert helps in (found.remedy or "")
    assert ("room" in (found.remedy or "")) == (code == errno.ENOSPC)
