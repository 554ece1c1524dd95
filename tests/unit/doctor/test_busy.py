"""A machine that has too much to do is called that: neither the box nor its models are blamed for it."""

import os
from pathlib import Path

import pytest

from edge.config import Config, MqttConfig
from edge.doctor import bus, finding, host
from edge.doctor.finding import Outcome, Stopwatch


@pytest.mark.parametrize(
    ("took_s", "worked_s", "says"),
    [
        (4.0, 3.9, "this box is slow: use a faster one, or mode: voice"),
        (4.0, 6.0, "this box is slow: use a faster one, or mode: voice"),
        (4.0, 0.5, "other programs keep this box busy (load 9.1, cores: "),
    ],
)
def test_work_that_waited_for_a_processor_is_not_the_boxs_fault(monkeypatch, took_s, worked_s, says):
    monkeypatch.setattr(os, "getloadavg", lambda: (9.1, 0.0, 0.0))
    times = {"monotonic": [0.0, took_s], "process_time": [0.0, worked_s]}
    for name, values in times.items():
        monkeypatch.setattr(finding.time, name, lambda values=values: values.pop(0) if len(values) > 1 else values[0])
    assert Stopwatch().slow("mode: voice").startswith(says)


@pytest.mark.parametrize(("load", "outcome"), [(0.2, Outcome.GOOD), (1000.0, Outcome.LOOK)])
def test_the_table_says_first_whether_other_programs_keep_the_box_busy(monkeypatch, load, outcome):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    found = host.load()
    assert (found.outcome, found.says.startswith(f"load {load:.1f}, cores: ")) == (outcome, True)
    # The service is such a program to the doctor, and is not to be ended.
    assert ("not Undertone's" in (found.remedy or "")) == (outcome is Outcome.LOOK)


def test_who_cannot_ask_a_broker_says_which_key_and_file_are_missing(tmp_path: Path):
    found = bus.name(Config(mqtt=MqttConfig(url="mqtts://127.0.0.1:1", ca=str(tmp_path / "none.pem"))))
    assert found.says == f"no broker that could know: key 'mqtt.ca': no such file at {tmp_path / 'none.pem'}"
