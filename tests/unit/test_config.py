"""The configuration: what is taken, and the one line that refuses the rest."""

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk.config import load_desk_config
from edge.__main__ import main
from edge.config import Config, MqttConfig, absent_files, broker_fault, load_config, mqtt_fault
from edge.errors import ConfigError
from edge.values import Mode, Privacy, Role

GOOD = """
site: leeds
device: desk-014
lines:
  - name: line-1
    desk: "4711"
    source: {device: auto}
    channels: [customer, agent]
mqtt: {url: "mqtts://broker.example:8883", username: box, password_file: secret}
mode: words
privacy: quotes
"""


def listening(said: str) -> tuple[str, str]:
    """The change that makes the good line one that listens."""
    return "source: {device: auto}", f"source: {{listen: {{{said}}}}}"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "undertone.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_becomes_frozen_types(tmp_path):
    config = load_config(written(tmp_path, GOOD))
    assert (config.site, config.mode, config.privacy) == ("leeds", Mode.WORDS, Privacy.QUOTES)
    assert config.lines[0].channels == (Role.CUSTOMER, Role.AGENT)
    with pytest.raises(AttributeError):
        config.site = "york"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("privacy:", "privcy:"), "key 'privcy': unknown key; did you mean 'privacy'?"),
        (("device: auto", "devise: auto"), "key 'lines[0].source.devise': unknown key; did you mean 'device'?"),
        (("mode: words", "mode: loud"), "key 'mode': 'loud' is none of them; give one of voice, words, both"),
        (("device: auto", "device: 7"), "key 'lines[0].source.device': 7 is a whole number, and this is text; put it in quotes: \"7\""),
        (("[customer, agent]", "[customer, caller]"), "'caller' is none of them; give one of customer, agent, mixed"),
        (('desk: "4711"', "desk: 4711"), "key 'lines[0].desk': 4711 is a whole number, and this is text; put it in quotes: \"4711\""),
        (('desk: "4711"', "desk: 47.11"), 'put it in quotes: "47.11"'),
        (('desk: "4711"', "desk: yes"), "key 'lines[0].desk': true is true or false, and this is text; put it in quotes: \"true\""),
        (("site: leeds", "site: leeds/uk"), "key 'site': 'leeds/uk' is not taken; give at most 64 letters, digits, '.', '_' and '-'"),
        (
            ("privacy: quotes", 'outbox_max_mb: "12"'),
            "'12' is text, and this is a whole number; write it without quotes",
        ),
        (("privacy: quotes", "outbox_max_mb: 0"), "key 'outbox_max_mb': 0 is out of bounds; give at least 1"),
        (("privacy: quotes", "keep_days: 1.5"), "key 'keep_days': 1.5 is a number, and this is a whole number"),
        (("- name: line-1", "- tones: us"), "key 'lines[0]': 'name' is missing; give it"),
        (("site: leeds", "\tsite: leeds"), "line 2: column 1: a tab; YAML takes spaces alone there"),
        (("    source: {device: auto}", "  \tsource: {device: auto}"), "line 7: column 3: a tab; YAML takes spaces alone there"),
        (
            ("broker.example:8883", "broker.example:999999"),
            "'mqtts://broker.example:999999' names a port that there is none of",
        ),
        (("broker.example:8883", "broker.example:0"), "names no port; give mqtt://HOST[:PORT]"),
        (("broker.example:8883", ":8883"), "names no host"),
        (("site: leeds", "models: {voice: none/voice}"), "key 'models.voice': no such folder as "),
        (("site: leeds", "models: {words: none/words}"), "key 'models.words': no such folder as "),
        (("site: leeds", f"models: {{voice: {'x' * 300}}}"), "key 'models.voice': no such folder as "),
        *((("site: leeds", f"{key}: {'x' * 300}"), f"key '{key}': no such file as ") for key in ("rules", "lexicon", "causes")),
        (("[customer, agent]", "[customer, mixed]"), "a mixed line has one, [mixed]"),
        (("mqtts://broker.example:8883", "http://broker"), "key 'mqtt.url'"),
        (("device: auto", "device: auto, file: a.wav"), "give exactly one of device, command, file, listen"),
        (listening("protocol: sip, port: 9092"), "websocket"),
        (listening("protocol: audiosocket"), "key 'lines[0].source.listen': 'port' is missing; give it"),
        (listening("protocol: audiosocket, port: 0"), "key 'lines[0].source.listen.port': 0 is out of bounds; give at least 1"),
        (listening("protocol: audiosocket, port: 9092, max_calls: 65"), "key 'lines[0].source.listen.max_calls'"),
        (listening("protocol: audiosocket, port: 9092, address: pbx.example"), "'pbx.example' is no IP address"),
        (
            listening("protocol: audiosocket, port: 9092, tokens_file: t"),
            "key 'lines[0].source.listen.tokens_file': AudioSocket has neither",
        ),
        (listening("protocol: websocket, port: 9092, address: 0.0.0.0"), "key 'lines[0].source.listen.tokens_file': there is none"),
        (listening("protocol: websocket, port: 9092, cert: c.pem"), "key 'lines[0].source.listen.key': there is none; give both"),
        (("site: leeds", "rules: none.yaml"), "key 'rules': "),
        (("site: leeds", "site: [leeds"), "line 3"),
        (("site: leeds", "site: le/eds"), "key 'site'"),
        (("site: leeds", "site: 2026-13-45"), "put it in quotes"),
    ],
)
def test_a_bad_key_or_value_is_refused_in_one_line_that_names_it(tmp_path, change, says):
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    message = str(refused.value)
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


@pytest.mark.parametrize(("url", "good"), [
    ("mqtt://broker", True), ("mqtts://broker:1", True), ("mqtt://broker:65535", True), ("mqtt://[::1]:1883", True),
    ("mqtt://u:p@broker:1883", False), ("mqtt://broker:99999", False), ("mqtt://broker:abc", False), ("mqtt://broker?x", False),
    ("mqtt://broker:65536", False), ("mqtt://broker:999999", False), ("mqtt://broker:-1", False),
    ("mqtt://broker:0", False), ("mqtt://broker:x", False), ("http://broker", False), ("mqtt://", False), ("mqtt://:1883", False),
])  # fmt: skip
def test_a_brokers_address_has_a_host_and_a_port_that_there_is(url, good):
    assert (broker_fault(url) is None) == good


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"ca": "x"}, "ca"),
        ({"cert": "x"}, "cert"),
        ({"cert": "x", "key": "x"}, "cert"),
        ({"key": "x"}, "key"),
        ({"url": "mqtts://broker", "key": "x"}, "key"),
        ({"password_file": "x"}, "password_file"),
        ({"url": "http://broker", "ca": "x"}, "url"),
        ({"url": "mqtts://broker", "ca": "x", "cert": "x", "key": "x", "username": "box", "password_file": "x"}, None),
        ({"url": "mqtts://broker", "cert": "with-its-key"}, None),
        ({"username": "box"}, None),
    ],
)
def test_a_key_of_the_broker_that_would_change_nothing_is_refused_wherever_it_is_given(tmp_path, capsys, keys, key):
    fault = mqtt_fault(MqttConfig(**keys))
    assert (fault and fault[0]) == key
    if key is None:
        return
    for load, name in ((load_config, "undertone.yaml"), (load_desk_config, "desk.yaml")):
        path = tmp_path / name
        path.write_text(f"mqtt: {json.dumps(keys)}\n")
        with pytest.raises(ConfigError, match=rf"{name}: key 'mqtt\.{key}': .*; give "):
            load(path)
    (tmp_path / "x").touch()
    options = [part for name, value in keys.items() for part in (f"--{name.replace('_', '-')}", value.replace("x", str(tmp_path / "x")))]
    assert main(["listen", *options]) == 2
    assert f"undertone: --{key.replace('_', '-')}: " in capsys.readouterr().err


@pytest.mark.parametrize("url", [
    "mqtt://jo:hush@broker", "mqtts://jo:hush@broker:8883", "mqtt://jo:hush@broker:99999", "http://jo:hush@broker", "jo:hush@broker",
    "mqtt://jo:hush @ broker", "mqtt://jo:hush@", "mqtt://hush@broker",
])  # fmt: skip
def test_a_user_or_password_in_the_address_is_refused_with_the_keys_to_use_and_never_repeated(tmp_path, capsys, url):
    path = written(tmp_path, f"mqtt: {{url: '{url}'}}\nlines: [{{name: a, source: {{device: auto}}}}]\n")
    for command in (["run"], ["doctor"], ["status"], ["listen"]):
        assert main([*command, "--config", str(path)]) == 2
    assert main(["listen", "--url", url]) == 2
    said = capsys.readouterr()
    assert said.err.count("mqtt.username") == said.err.count("mqtt.password_file") == 5
    assert f"{path}: key 'mqtt.url': a user or password stands in the address; " in said.err
    assert "hush" not in said.err + said.out


def test_the_desk_takes_the_same_addresses(tmp_path):
    for url in ("mqtt://jo:hush@broker", "mqtt://broker:99999", "http://broker"):
        (tmp_path / "desk.yaml").write_text(f"mqtt: {{url: '{url}'}}\n")
        with pytest.raises(ConfigError, match=r"mqtt\.url") as refused:
            load_desk_config(tmp_path / "desk.yaml")
        assert "hush" not in str(refused.value)


def test_a_line_that_listens_has_files_beside_the_configuration_and_so_many_calls(tmp_path):
    said = "protocol: websocket, port: 9092, address: 0.0.0.0, tokens_file: tokens, cert: box.crt, key: box.key, max_calls: 4"
    (line,) = load_config(written(tmp_path, GOOD.replace(*listening(said)))).lines
    listen = line.source.listen
    assert [listen.tokens_file, listen.cert, listen.key] == [str(tmp_path / name) for name in ("tokens", "box.crt", "box.key")]
    assert (line.most_calls, line.trunk, listen.local) == (4, line.name, False)


# Each file that a service needs, by its key: what is named and missing is refused where it starts, and found by the doctor.
NEEDED = {
    "lines[0].source.file": "lines: [{name: a, source: {file: FILE}}]",
    "lines[0].source.listen.tokens_file": "lines: [{name: a, source: {listen: {protocol: websocket, port: 9092, tokens_file: FILE}}}]",
    "mqtt.ca": "mqtt: {url: 'mqtts://broker', ca: FILE}",
    "mqtt.cert": "mqtt: {url: 'mqtts://broker', cert: FILE}",
    "mqtt.key": "mqtt: {url: 'mqtts://broker', cert: undertone.yaml, key: FILE}",
    "mqtt.password_file": "mqtt: {username: box, password_file: FILE}",
    "models.trusted_keys[0]": "models: {trusted_keys: [FILE]}",
}


@pytest.mark.parametrize("key", NEEDED)
def test_a_file_that_a_service_needs_is_named_with_its_key_when_it_is_missing_or_a_folder(tmp_path, key):
    path = written(tmp_path, NEEDED[key].replace("FILE", "there"))
    for fault in ("no such file", "a folder"):
        (error,) = absent_files(load_config(path))
        assert error.problem.where == key
        assert error.problem.what == f"{fault} at {tmp_path / 'there'}"
        assert error.problem.remedy
        (tmp_path / "there").mkdir(exist_ok=True)
    (tmp_path / "there").rmdir()
    (tmp_path / "there").write_text("x")
    assert list(absent_files(load_config(path))) == []


@pytest.mark.parametrize("key", NEEDED)
def test_the_service_does_not_start_without_a_file_that_it_needs(tmp_path, capsys, key):
    lines = "" if key.startswith("lines") else "\nlines: [{name: a, source: {device: auto}}]"
    path = written(tmp_path, NEEDED[key].replace("FILE", "missing") + lines)
    assert main(["run", "--config", str(path)]) == 2
    says = capsys.readouterr().err
    assert f"{path}: key '{key}'" in says
    assert f"no such file at {tmp_path / 'missing'}" in says


@pytest.mark.parametrize(("code", "says"), [(errno.EACCES, "this user may not read it; run"), (errno.EIO, "cannot be read: ")])
def test_a_file_that_cannot_be_read_says_why_and_nothing_of_utf_8(tmp_path, monkeypatch, code, says):
    def fail(*_given, **_named):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("pathlib.Path.read_text", fail)
    with pytest.raises(ConfigError) as refused:
        load_config(tmp_path / "undertone.yaml")
    assert says in str(refused.value)
    assert "UTF" not in str(refused.value)


def test_a_folder_and_a_text_in_another_encoding_are_called_what_they_are(tmp_path):
    with pytest.raises(ConfigError, match="this is a folder; give the YAML file in it"):
        load_config(tmp_path)
    path = tmp_path / "latin.yaml"
    path.write_bytes("site: leeds\ndevice: b\u00fcro\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"line 2: is no UTF-8 text; save it as UTF-8"):
        load_config(path)


WITHOUT_A_KEY = ["", "\n\n", "# site: leeds\n", "{}", "---\n", "null\n"]


@pytest.mark.parametrize("text", WITHOUT_A_KEY)
@pytest.mark.parametrize("command", ["run", "status", "doctor", "info", "words hello", "model list", "listen"])
def test_a_file_without_any_key_is_no_configuration(tmp_path, capsys, text, command):
    path = written(tmp_path, text)
    assert main([*command.split(), "--config", str(path)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"undertone: {path}: says nothing: there is no key in it; let `undertone setup --config {path}` write it")
    assert path.read_text() == text


@pytest.mark.parametrize("text", WITHOUT_A_KEY)
def test_setup_takes_a_file_without_any_key_for_a_new_one(tmp_path, text):
    path = written(tmp_path, text)
    assert main(["setup", "--yes", "--no-speech", "--no-doctor", "--config", str(path)]) == 0
    assert load_config(path).lines


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.yaml")


def test_two_lines_cannot_share_a_name(tmp_path):
    text = "lines: [{name: a, source: {device: auto}}, {name: a, source: {device: auto}}]"
    with pytest.raises(ConfigError, match="used twice"):
        load_config(written(tmp_path, text))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_any_bytes_are_a_configuration_or_one_line(tmp_path, content):
    path = tmp_path / "any.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        taken, refusal = load_config(path), ""
    except ConfigError as error:
        taken, refusal = None, str(error)
    assert isinstance(taken, Config) or refusal.startswith(str(path))
    assert "\n" not in refusal
