"""The doctor really uses each thing, and says what to do about what is wrong."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.box import hearing, host, judging, telling
from edge.box.doctor import examine
from edge.box.finding import Outcome
from edge.box.synthetic import dialogue, speech
from edge.bus.device import Health
from edge.capture import wavfile
from edge.config import Config, LineConfig, MqttConfig, SourceConfig
from edge.errors import BusError
from edge.values import Mode, Role
from tests.broker import Broker
from tests.pulse import SILENCED, PulseAudio, without_sound_card

TWO = (Role.CUSTOMER, Role.AGENT)


def line(**source: object) -> LineConfig:
    return LineConfig(name="line-1", source=SourceConfig(**source), channels=TWO)


@pytest.fixture
def config(tmp_path):
    return Config(state_dir=str(tmp_path / "state"))


# --- hearing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def phone(tmp_path, monkeypatch):
    with PulseAudio.start(tmp_path) as pulse:
        for name, value in pulse.env.items():
            monkeypatch.setenv(name, value)
        yield pulse


@contextmanager
def played(pulse, tmp_path, pcm):
    wavfile.write(tmp_path / "played.wav", pcm, 16_000)
    player = pulse.play(tmp_path / "played.wav")
    try:
        yield
    finally:
        player.kill()
        player.wait()


def test_a_line_with_speech_on_it_is_good_and_its_levels_are_told(phone, tmp_path, config):
    with played(phone, tmp_path, np.stack([speech(60), speech(60, seed=2)], axis=1)):
        found = hearing.hear(line(device="auto"), config)
    assert found.outcome is Outcome.GOOD
    told = re.search(r"customer (-\d+) dBFS, agent (-\d+) dBFS", found.says)
    assert all(-40 < int(level) < -20 for level in told.groups())


@pytest.mark.parametrize(
    ("left", "remedy"),
    [
        (np.zeros(320_000, np.int16), "customer: nothing but zeros"),
        ((32_767 * np.sign(np.sin(np.arange(320_000) / 20))).astype(np.int16), "customer: too loud"),
        (np.rint(4000 * np.sin(2 * np.pi * 50 * np.arange(320_000) / 16_000)).astype(np.int16), "customer: mains hum"),
    ],
)
def test_what_is_wrong_with_a_level_is_told_with_the_channel_and_the_remedy(phone, tmp_path, config, left, remedy):
    with played(phone, tmp_path, np.stack([np.tile(left, 3), speech(60)], axis=1)):
        found = hearing.hear(line(device="auto"), config)
    assert found.outcome is Outcome.LOOK
    assert found.remedy.startswith(remedy)


def test_a_device_that_is_not_there_fails_and_names_what_is(phone, config):
    found = hearing.hear(line(device="serial:4F2A81"), config)
    assert found.outcome is Outcome.FAILED
    assert "serial:4F2A81" in found.says
    assert "name:default" in found.remedy


def test_a_command_that_fails_is_told_by_its_own_last_words(config):
    found = hearing.hear(line(command=(sys.executable, "-c", "raise SystemExit('no route to the trunk')")), config)
    assert (found.outcome, found.says) == (Outcome.FAILED, "no route to the trunk")
    assert found.remedy


def test_a_recording_is_heard(tmp_path, config):
    wavfile.write(tmp_path / "call.wav", dialogue(3, 2).T, 16_000)
    found = hearing.hear(line(file=str(tmp_path / "call.wav")), config)
    assert found.outcome is Outcome.GOOD


def service_says(config, **changes) -> Path:
    """As a service that runs now would write it."""
    state = {"state": "online", "boot": 1, "since": None, "reasons": [], "lines": {"line-1": "up"}} | changes
    health = dict.fromkeys(Health.__struct_fields__) | {
        "uptime_s": 1.0, "cpu_s": 1.0, "memory_mb": 1.0, "disk_free_mb": 1.0, "outbox_rows": 0, "outbox_alert_rows": 0,
        "frames": {}, "dropped_ms": {},
    }  # fmt: skip
    Path(config.state_dir).mkdir(exist_ok=True)
    status = Path(config.state_dir) / "status.json"
    status.write_text(json.dumps({"state": state, "health": health, "connected": True, "bus_problem": None, "written_at": "now"}))
    return status


def test_a_device_that_a_running_service_holds_is_believed_to_its_fresh_status(config):
    status = service_says(config)
    assert "running service" in hearing.hear(line(device="serial:none"), config).says
    os.utime(status, (time.time() - 60, time.time() - 60))
    assert hearing.hear(line(device="serial:none"), config).outcome is Outcome.FAILED


def test_what_a_running_service_says_is_wrong_is_in_the_table_with_the_remedy(config):
    service_says(config)
    assert host.service(config).says == "runs, online, lines: line-1 up"
    service_says(config, state="degraded", reasons=["line-1: customer: clipped; turn the capture gain down"])
    found = host.service(config)
    assert found.outcome is Outcome.LOOK
    assert (found.says, found.remedy) == ("runs, degraded: line-1: customer: clipped", "turn the capture gain down")


# --- the box ---------------------------------------------------------------------------------------------------------


def test_the_state_directory_is_written_and_nothing_is_left_in_it(config):
    found = host.disk(config)
    assert found.outcome is not Outcome.FAILED
    assert "MB free" in found.says
    assert list(Path(config.state_dir).iterdir()) == []


def test_a_state_directory_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    found = host.disk(Config(state_dir=str(tmp_path / "file" / "state")))
    assert found.outcome is Outcome.FAILED
    assert str(tmp_path / "file") in found.says


def test_too_little_room_for_the_outbox_is_told(tmp_path):
    assert host.disk(Config(state_dir=str(tmp_path), outbox_max_mb=100_000)).outcome is not Outcome.SKIPPED
    shown = host.disk(Config(state_dir=str(tmp_path), outbox_max_mb=100_000))
    free_mb = float(shown.says.split(" MB free")[0].rsplit(" ", 1)[1])
    assert (shown.outcome is Outcome.FAILED) == (free_mb < 100_200)


def test_more_lines_than_memory_are_told():
    lines = tuple(LineConfig(name=f"l{number}", source=SourceConfig(device="auto"), channels=TWO) for number in range(2000))
    assert host.memory(Config(lines=lines)).outcome is Outcome.FAILED
    assert host.memory(Config()).outcome is Outcome.GOOD


def test_secrets_that_others_may_read_are_told(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hush")
    secret.chmod(0o644)
    config = Config(mqtt=MqttConfig(password_file=str(secret)))
    assert host.permissions(config).remedy == f"chmod 600 {secret}"
    secret.chmod(0o600)
    assert host.permissions(config).outcome is Outcome.GOOD
    secret.unlink()
    assert host.permissions(config).outcome is Outcome.FAILED


# --- judging and telling ---------------------------------------------------------------------------------------------


def test_the_outbox_keeps_an_event_over_opening_again_and_leaves_nothing(config):
    Path(config.state_dir).mkdir()
    assert telling.outbox(config).outcome is Outcome.GOOD
    assert list(Path(config.state_dir).iterdir()) == []


def test_a_broker_is_published_to_and_read_back(tmp_path):
    with Broker(tmp_path) as there:
        found = telling.broker(Config(mqtt=MqttConfig(url=there.url)))
        old = telling.broker(Config(mqtt=MqttConfig(url=there.url, protocol="3.1.1")))
    assert (found.outcome, old.outcome) == (Outcome.GOOD, Outcome.GOOD)
    assert "read back" in found.says


def test_a_box_that_may_write_but_not_read_its_topics_is_told_so(tmp_path):
    acl = "user box\ntopic write undertone/v1/site/box/#\n"
    secret = tmp_path / "password"
    secret.write_text("hush\n")
    mqtt = MqttConfig(username="box", password_file=str(secret))
    with Broker(tmp_path, passwords={"box": "hush"}, acl=acl) as there:
        found = telling.broker(Config(mqtt=msgspec.structs.replace(mqtt, url=there.url)))
        foreign = telling.broker(Config(device="other", mqtt=msgspec.structs.replace(mqtt, url=there.url)))
    assert found.outcome is Outcome.LOOK
    assert "not read back" in found.says
    assert foreign.outcome is Outcome.FAILED
    assert "ACL" in foreign.remedy


def test_a_wrong_password_and_a_closed_port_fail_in_one_line_with_the_remedy(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    with Broker(tmp_path, passwords={"box": "hush"}) as there:
        mqtt = MqttConfig(url=there.url, username="box", password_file=str(secret))
        with pytest.raises(BusError, match=r"mqtt\.password_file"):
            telling.broker(Config(mqtt=mqtt))
    with pytest.raises(BusError, match="refused"):
        telling.broker(Config(mqtt=mqtt))


def test_judging_is_skipped_where_the_mode_leaves_it_out():
    assert judging.recogniser(Config(mode=Mode.VOICE)).outcome is Outcome.SKIPPED
    assert judging.words(Config(mode=Mode.VOICE)).outcome is Outcome.SKIPPED
    assert judging.voice(Config(mode=Mode.WORDS)).outcome is Outcome.SKIPPED


@without_sound_card
def test_a_box_without_configuration_is_examined_as_far_as_that_goes(monkeypatch):
    for name, value in SILENCED.items():
        monkeypatch.setenv(name, value)
    found = {check.name: check.finding for check in examine(None)}
    assert found["audio auto"].outcome is Outcome.FAILED
    assert "no sound card" in found["audio auto"].says
    assert {found[name].outcome for name in ("disk", "outbox", "broker")} == {Outcome.SKIPPED}
    assert all(one.remedy for one in found.values() if one.outcome in (Outcome.FAILED, Outcome.LOOK))


def doctor(*more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge", "doctor", *more], capture_output=True, text=True, timeout=300, check=False)


def test_the_command_ends_1_and_names_what_failed_and_its_json_says_the_same(tmp_path):
    wavfile.write(tmp_path / "call.wav", dialogue(3, 2).T, 16_000)
    config = tmp_path / "undertone.yaml"
    config.write_text(
        f"state_dir: {tmp_path}/state\n"
        f"lines: [{{name: good, source: {{file: {tmp_path}/call.wav}}, channels: [customer, agent]}},\n"
        f"        {{name: bad, source: {{file: {tmp_path}/none.wav}}, channels: [customer, agent]}}]\n"
        "mqtt: {url: 'mqtt://127.0.0.1:9'}\n"
    )
    shown, told = doctor("--config", str(config)), doctor("--config", str(config), "--json")
    assert (shown.returncode, told.returncode) == (1, 1)
    rows = {row["check"]: row for row in json.loads(told.stdout)}
    assert rows["audio good"]["outcome"] == "good"
    assert rows["audio bad"]["outcome"] == "failed"
    assert "no such file" in rows["audio bad"]["says"]
    assert rows["broker"]["outcome"] == "failed"
    assert "audio bad" in shown.stderr.splitlines()[-1]
    assert "Traceback" not in shown.stderr + told.stderr
