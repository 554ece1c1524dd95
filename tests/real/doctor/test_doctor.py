"""The doctor really uses each thing, and says what to do about what is wrong."""

import json
import subprocess
import sys

import msgspec

from edge.capture import wavfile
from edge.config import Config
from edge.doctor import audio, judges
from edge.doctor.checks import examine
from edge.doctor.finding import Outcome, look
from edge.segment.synthetic import dialogue
from edge.values import Mode
from tests.pulse import SILENCED, without_sound_card


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
