"""A tone out of the box comes back on its line, or the doctor says that it does not."""

import json
import subprocess
import sys

import pytest

from tests.pulse import PulseAudio

CONFIG = """\
state_dir: {folder}/state
lines:
  - {{name: phone, source: {{device: auto}}, channels: [customer, agent]}}
  - {{name: trunk, source: {{command: [cat, /dev/zero]}}}}
"""


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop")
    (folder / "undertone.yaml").write_text(CONFIG.format(folder=folder))
    with PulseAudio.start(folder, sinks=("phone", "elsewhere")) as pulse:
        yield folder, pulse


def doctor(folder, env, *more: str) -> tuple[int, dict, str]:
    command = [sys.executable, "-m", "edge", "doctor", "--config", str(folder / "undertone.yaml"), "--json", *more]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)
    return done.returncode, json.loads(done.stdout)[0] if done.stdout else {}, done.stderr


def test_a_tone_that_comes_back_is_told_with_its_level_on_each_channel(phone):
    folder, pulse = phone
    code, row, errors = doctor(folder, pulse.env, "--loop", "phone")
    assert (code, row["outcome"]) == (0, "good"), (row, errors)
    assert "came back: customer -20 dBFS, agent -20 dBFS" in row["says"]


def test_a_tone_that_goes_elsewhere_fails_with_the_remedy(phone):
    folder, pulse = phone
    code, row, _ = doctor(folder, pulse.env | {"PULSE_SINK": "elsewhere"}, "--loop", "phone")
    assert (code, row["outcome"]) == (1, "failed")
    assert "did not come back" in row["says"]
    assert "--output" in row["remedy"]


def test_an_output_that_is_not_there_and_a_line_that_is_none(phone):
    folder, pulse = phone
    code, row, _ = doctor(folder, pulse.env, "--loop", "phone", "--output", "serial:4711")
    assert (code, row["outcome"]) == (1, "failed")
    assert "serial:4711" in row["says"]
    assert doctor(folder, pulse.env, "--loop", "trunk")[1]["outcome"] == "skipped"
    code, _, errors = doctor(folder, pulse.env, "--loop", "trunc")
    assert code == 2
    assert "no such line; there are: phone, trunk" in errors
