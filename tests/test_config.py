"""The configuration: what is taken, and the one line that refuses the rest."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.config import Config, load_config
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
        (("privacy:", "privcy:"), "unknown key 'privcy'; did you mean 'privacy'?"),
        (("device: auto", "devise: auto"), "unknown key 'lines[0].source.devise'; did you mean 'device'?"),
        (("mode: words", "mode: loud"), "key 'mode': invalid enum value 'loud'; give one of voice, words, both"),
        (("device: auto", "device: 7"), "key 'lines[0].source.device': expected `str | null`, got `int`"),
        (("[customer, agent]", "[customer, caller]"), "invalid enum value 'caller'; give one of customer, agent, mixed"),
        (("[customer, agent]", "[customer, mixed]"), "a mixed line has one, [mixed]"),
        (("mqtts://broker.example:8883", "http://broker"), "key 'mqtt.url'"),
        (("device: auto", "device: auto, file: a.wav"), "give exactly one of device, command, file"),
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
