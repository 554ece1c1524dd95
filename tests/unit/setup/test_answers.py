"""What setup asks becomes a configuration that keeps whatever else was in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import load_config
from edge.errors import ConfigError, UsageError
from edge.files.yamlfile import read_yaml
from edge.setup.answers import SERVICE, Answers, broker_of, known, merged, name_fault, roles_of, url_fault
from edge.setup.file import read, write
from edge.setup.meter import bar, dbfs
from edge.values import Role

ANSWERS = Answers(
    site="leeds", device="box-7", line="reception", desk="4711", source="usb:1-1.3", channels=(Role.MIXED,), url="mqtt://broker:1883",
    ca=None, username="leeds/box-7", password="hush",
)  # fmt: skip
RICH = {
    "site": "york",
    "lines": [
        {"name": "line-1", "source": {"device": "auto", "rate": 16000}, "idle_s": 20.0, "channels": ["customer"]},
        {"name": "line-2", "source": {"command": ["arecord"]}},
    ],
    "mqtt": {"url": "mqtts://old:8883", "ca": "ca.pem", "protocol": "3.1.1"},
    "privacy": "quotes",
    "state_dir": "kept",
}
names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z")
answers = st.builds(
    Answers, site=names, device=names, line=names.map(lambda name: f"x{name}"), desk=st.none() | st.text("0123456789", min_size=1),
    source=st.sampled_from(["auto", "serial:4F2A81", "usb:1-1.3"]), channels=st.sampled_from([(Role.MIXED,), (Role.AGENT, Role.CUSTOMER)]),
    url=st.sampled_from(["mqtt://broker:1883", "mqtts://broker.example"]), ca=st.none() | st.just("ca.pem"), username=st.none() | names,
    password=st.none(),
)  # fmt: skip


@given(answers)
def test_what_was_answered_is_what_is_offered_the_next_time(said):
    for raw in ({}, RICH):
        new = merged(raw, said, line="line-1" if raw else None, add=False, folder=Path("/somewhere"))
        assert known(new, said.line, add=False, host="other") == said
        assert merged(new, said, line=said.line, add=False, folder=Path("/somewhere")) == new


def test_every_key_that_was_not_asked_for_stays():
    new = merged(RICH, ANSWERS, line="line-1", add=False, folder=Path("/somewhere"))
    assert new["privacy"] == "quotes"
    assert new["state_dir"] == "kept"
    assert new["mqtt"]["protocol"] == "3.1.1"
    assert new["lines"][0]["idle_s"] == 20.0
    assert new["lines"][0]["source"] == {"device": "usb:1-1.3", "rate": 16000}
    assert new["lines"][1] == RICH["lines"][1]


def test_a_line_that_is_heard_by_a_command_stays_so_until_a_device_is_chosen():
    offered = known(RICH, "line-2", add=False, host="box")
    kept = merged(RICH, offered, line="line-2", add=False, folder=SERVICE)
    assert kept["lines"][1]["source"] == {"command": ["arecord"]}
    chosen = merged(RICH, ANSWERS, line="line-2", add=False, folder=SERVICE)
    assert chosen["lines"][1]["source"] == {"device": "usb:1-1.3"}


def test_secrets_are_handed_over_to_the_service_and_lie_beside_any_other_configuration():
    assert (
        merged({}, ANSWERS, line=None, add=False, folder=SERVICE)["mqtt"]["password_file"]
        == "/run/credentials/undertone.service/mqtt-password"
    )
    own = merged({}, ANSWERS, line=None, add=False, folder=Path("/home/ann"))
    assert (own["mqtt"]["password_file"], own["state_dir"]) == ("mqtt-password", "state")


def test_one_more_line_stands_beside_the_others():
    offered = known(RICH, None, add=True, host="box")
    assert offered.line == "line-3"
    new = merged(RICH, ANSWERS, line=None, add=True, folder=SERVICE)
    assert [line["name"] for line in new["lines"]] == ["line-1", "line-2", "reception"]


@pytest.mark.parametrize(("line", "add", "says"), [("line-9", False, "none of line-1, line-2"), ("line-2", True, "there already")])
def test_a_line_that_cannot_be_meant_is_told(line, add, says):
    with pytest.raises(UsageError, match=says):
        known(RICH, line, add=add, host="box")


@pytest.mark.parametrize("host", ["vm", "böx", "-x.y", "x" * 80, ""])
def test_whatever_the_machine_is_called_the_box_has_a_name(host):
    assert name_fault(known({}, None, add=False, host=host).device) is None


@pytest.mark.parametrize(
    ("said", "fault"), [("broker", None), ("mqtts://b:1", None), ("ann:pw@b", "stands in"), ("mqtt://b:0", "no port"), ("a b", "no broker")]
)
def test_a_broker_is_a_host_or_an_address(said, fault):
    found = url_fault(said)
    assert found is None if fault is None else fault in found
    assert "pw" not in (found or "")
    assert broker_of("broker") == "mqtt://broker"


def test_roles_are_said_as_the_configuration_has_them():
    assert roles_of("agent, customer") == (Role.AGENT, Role.CUSTOMER)
    with pytest.raises(UsageError, match="agent,agent"):
        roles_of("agent,agent")


# --- the file --------------------------------------------------------------------------------------------------------


def test_it_is_written_whole_for_the_service_to_read_and_its_secret_for_nobody_else(tmp_path):
    path = tmp_path / "new" / "undertone.yaml"
    raw = merged({}, ANSWERS, line=None, add=False, folder=path.parent)
    assert write(path, raw, "hush")
    assert (path.stat().st_mode & 0o777, path.with_name("mqtt-password").stat().st_mode & 0o777) == (0o644, 0o600)
    assert load_config(path).mqtt.username == "leeds/box-7"
    assert read(path) == raw
    assert not write(path, raw, None)
    assert write(path, {**raw, "site": "york"}, None)
    assert read_yaml(path.with_name("undertone.yaml.before")) == raw
    assert {one.name for one in path.parent.iterdir()} == {"undertone.yaml", "undertone.yaml.before", "mqtt-password"}


def test_what_no_box_would_take_changes_nothing_and_names_the_file(tmp_path):
    path = tmp_path / "undertone.yaml"
    path.write_text("site: leeds\n")
    with pytest.raises(ConfigError, match=r"undertone\.yaml: key 'rules'"):
        write(path, {"site": "york", "rules": "none.yaml"}, "hush")
    assert path.read_text() == "site: leeds\n"
    assert [one.name for one in tmp_path.iterdir()] == ["undertone.yaml"]


def test_a_file_that_is_broken_is_not_written_over(tmp_path):
    path = tmp_path / "undertone.yaml"
    path.write_text("sites: leeds\n")
    with pytest.raises(ConfigError, match="did you mean 'site'"):
        read(path)


# --- the meter -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loud", "says"), [(None, "silent"), (-70.0, "-70"), (-35.0, "-35"), (0.0, "0"), (6.0, "6"), (-99.0, "-99")])
def test_a_level_is_as_wide_whatever_it_is(loud, says):
    for plain in (True, False):
        drawn = bar(loud, plain=plain)
        assert len(drawn) == len(bar(-20.0, plain=plain))
        assert says in drawn
    assert bar(-35.0, plain=True).count("#") == 12


def test_silence_is_no_level():
    import numpy as np

    assert dbfs(np.zeros(3200, np.int16)) is None
    assert dbfs(np.full(3200, 16384, np.int16)) == -99.0  # a constant has no sound in it
    assert dbfs((16384 * np.sin(np.arange(3200))).astype(np.int16)) == pytest.approx(-9.03, abs=0.1)
