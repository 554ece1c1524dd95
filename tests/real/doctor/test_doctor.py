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
from paho.mqtt import publish

from edge.capture import wavfile
from edge.config import Config, LineConfig, MqttConfig, SourceConfig
from edge.doctor import audio, bus, host, judges
from edge.doctor.checks import examine
from edge.doctor.finding import Outcome, look
from edge.errors import BusError
from edge.segment.synthetic import dialogue, speech
from edge.values import Mode, Role
from tests import scripted_broker as script
from tests.broker import Broker
from tests.pulse import SILENCED, PulseAudio, without_sound_card
from tests.scripted_broker import ScriptedBroker
from tests.telling import open_outbox
from tests.unit.wire.test_schema import EVERYTHING

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
        found = audio.listen(line(device="auto"), config)
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
        found = audio.listen(line(device="auto"), config)
    assert found.outcome is Outcome.LOOK
    assert found.remedy.startswith(remedy)


def test_a_device_that_is_not_there_fails_and_names_what_is(phone, config):
    found = audio.listen(line(device="serial:4F2A81"), config)
    assert found.outcome is Outcome.FAILED
    assert "serial:4F2A81" in found.says
    assert "name:default" in found.remedy


def test_a_command_that_fails_is_told_by_its_own_last_words(config):
    found = audio.listen(line(command=(sys.executable, "-c", "raise SystemExit('no route to the trunk')")), config)
    assert (found.outcome, found.says) == (Outcome.FAILED, "no route to the trunk")
    assert found.remedy


def test_a_recording_is_heard(tmp_path, config):
    wavfile.write(tmp_path / "call.wav", dialogue(3, 2).T, 16_000)
    found = audio.listen(line(file=str(tmp_path / "call.wav")), config)
    assert found.outcome is Outcome.GOOD


def test_one_sound_on_both_channels_is_to_be_looked_at(tmp_path, config):
    sound = dialogue(3, 1)[0]
    wavfile.write(tmp_path / "call.wav", np.stack([sound, sound]).T, 16_000)
    found = audio.listen(line(file=str(tmp_path / "call.wav")), config)
    assert (found.outcome, "both channels carry the same sound" in found.says) == (Outcome.LOOK, True)
    assert "[mixed]" in found.remedy


@pytest.fixture
def outbox(config):
    """Open, as a service that runs has it."""
    running = open_outbox(Path(config.state_dir))
    yield running
    running.close()


def service_says(config, problems=(), **changes) -> Path:
    """As a service that runs now would write it."""
    state = {"state": "online", "boot": 1, "since": None, "reasons": [], "lines": {"line-1": "up"}} | changes
    health = next(msgspec.to_builtins(event.data) for event in EVERYTHING if event.data.kind == "device.health")
    Path(config.state_dir).mkdir(exist_ok=True)
    status = Path(config.state_dir) / "status.json"
    status.write_text(
        json.dumps({"state": state, "problems": problems, "health": health, "connected": True, "bus_problem": None, "written_at": "now"})
    )
    return status


def test_a_device_that_a_running_service_holds_is_believed_to_its_fresh_status(config, outbox):
    status = service_says(config)
    assert "running service" in audio.listen(line(device="serial:none"), config).says
    os.utime(status, (time.time() - 60, time.time() - 60))
    assert audio.listen(line(device="serial:none"), config).outcome is Outcome.FAILED


def test_what_a_running_service_says_is_wrong_is_in_the_table_with_the_remedy(config, outbox):
    service_says(config)
    assert host.service(config).says == "runs, online, lines: line-1 up"
    wrong = {"fault": "line-1: customer: clipped", "remedy": "turn the capture gain down"}
    service_says(config, [wrong], state="degraded")
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
    assert bus.outbox(config).outcome is Outcome.GOOD
    assert list(Path(config.state_dir).iterdir()) == []


def test_a_broker_is_published_to_and_read_back(tmp_path):
    with Broker(tmp_path) as there:
        found = bus.broker(Config(mqtt=MqttConfig(url=there.url)))
        old = bus.broker(Config(mqtt=MqttConfig(url=there.url, protocol="3.1.1")))
    assert (found.outcome, old.outcome) == (Outcome.GOOD, Outcome.GOOD)
    assert "read back" in found.says


def test_a_box_that_may_write_but_not_read_its_topics_is_told_so(tmp_path):
    acl = "user box\ntopic write undertone/v1/site/box/#\n"
    secret = tmp_path / "password"
    secret.write_text("hush\n")
    mqtt = MqttConfig(username="box", password_file=str(secret))
    with Broker(tmp_path, passwords={"box": "hush"}, acl=acl) as there:
        found = bus.broker(Config(mqtt=msgspec.structs.replace(mqtt, url=there.url)))
        foreign = bus.broker(Config(device="other", mqtt=msgspec.structs.replace(mqtt, url=there.url)))
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
            bus.broker(Config(mqtt=mqtt))
    with pytest.raises(BusError, match="refused"):
        bus.broker(Config(mqtt=mqtt))


def test_what_a_broker_must_offer_is_told_and_what_is_small_is_to_be_looked_at():
    def found(**connack):
        with ScriptedBroker(connack={getattr(script, name): value for name, value in connack.items()}) as there:
            return bus.broker(Config(mqtt=MqttConfig(url=there.url)))

    small, tight, brief = found(MAXIMUM_PACKET=1000), found(MAXIMUM_PACKET=100_000), found(SESSION_EXPIRY=5)
    assert [one.outcome for one in (small, tight, brief)] == [Outcome.FAILED, Outcome.LOOK, Outcome.LOOK]
    assert "takes packets of at most 1,000 bytes, 20 unacknowledged, QoS 1, retained messages, wildcards" in small.says
    assert "max_packet_size" in small.remedy
    assert "keeps sessions for 5 s" in brief.says
    with pytest.raises(BusError, match="QoS 0 alone"):
        found(MAXIMUM_QOS=0)


def test_another_box_of_this_name_is_found_by_the_state_that_the_broker_keeps(tmp_path, config, outbox):
    with Broker(tmp_path) as there:
        mine = msgspec.structs.replace(config, mqtt=MqttConfig(url=there.url))

        def other(boot: int, how: str) -> None:
            told = json.dumps({"data": {"state": how, "boot": boot}})
            publish.single("undertone/v1/site/box/state", told, qos=1, retain=True, hostname="127.0.0.1", port=there.port)

        assert bus.name(mine).outcome is Outcome.GOOD
        other(7, "online")
        assert "none runs here" in bus.name(mine).says
        assert bus.name(mine).outcome is Outcome.LOOK
        service_says(mine, boot=3)
        assert "in its start 7, and the one here is in its start 3" in bus.name(mine).says
        assert "give each its own" in bus.name(mine).remedy
        service_says(mine, boot=7)
        assert bus.name(mine).outcome is Outcome.GOOD
        other(9, "lost")
        assert bus.name(mine).outcome is Outcome.GOOD
    assert bus.name(mine).outcome is Outcome.SKIPPED


def test_judging_is_skipped_where_the_mode_leaves_it_out():
    assert judges.recogniser(Config(mode=Mode.VOICE)).outcome is Outcome.SKIPPED
    assert judges.words(Config(mode=Mode.VOICE)).outcome is Outcome.SKIPPED
    assert judges.voice(Config(mode=Mode.WORDS)).outcome is Outcome.SKIPPED


@without_sound_card
def test_a_configuration_without_a_line_fails_as_the_service_would_and_a_new_box_does_not(config, monkeypatch):
    for name, value in SILENCED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(audio, "listen", lambda _line, _config: look("not asked", "nothing"))
    config = msgspec.structs.replace(config, mode=Mode.VOICE)
    found = {check.name: check.finding for check in examine(config)}
    assert (found["lines"].outcome, found["lines"].remedy) == (Outcome.FAILED, "undertone setup adds one")
    assert "lines" not in {check.name for check in examine(None)}


@without_sound_card
def test_a_box_without_configuration_is_examined_as_far_as_that_goes(monkeypatch):
    for name, value in SILENCED.items():
        monkeypatch.setenv(name, value)
    found = {check.name: check.finding for check in examine(None)}
    assert found["audio auto"].outcome is Outcome.FAILED
    assert "no sound card" in found["audio auto"].says
    assert {found[name].outcome for name in ("disk", "outbox", "broker", "name")} == {Outcome.SKIPPED}
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
