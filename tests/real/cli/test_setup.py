"""`undertone setup` on a terminal, before a real sound system and a real broker."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.config import load_config
from tests.broker import Broker
from tests.paths import ROOT
from tests.pulse import SILENCED, PulseAudio, without_sound_card
from tests.terminal import Terminal

SETUP = [sys.executable, "-m", "edge", "setup", "--no-speech"]


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    with PulseAudio.start(tmp_path_factory.mktemp("setup")) as pulse:
        yield pulse


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in {"mosquitto", "pulse"})


@pytest.mark.takes(14)
def test_somebody_answers_sees_the_level_and_the_doctor_finds_all_well(pulse, tmp_path):
    player = pulse.play(ROOT / "tests/demo/call.wav", latency_ms=50)
    path = tmp_path / "undertone.yaml"
    with Broker(tmp_path, passwords={"leeds/box-7": "hush"}) as broker, Terminal([*SETUP, "--config", str(path)], pulse.env) as terminal:
        terminal.answer("which is it?")
        terminal.answer("see its level", "y")
        terminal.until("2 ")
        terminal.until("dBFS")
        terminal.answer("dBFS", "")
        terminal.answer("a number [1]", "9")
        terminal.until("1 to 4")
        terminal.answer("a number [1]")
        terminal.answer("site", "leeds uk")
        terminal.until("cannot be one")
        terminal.answer("site", "leeds")
        terminal.answer("this box", "box-7")
        terminal.answer("name of the line", "reception")
        terminal.answer("whose desk", "4711")
        terminal.answer("broker:", broker.url)
        terminal.answer("user at the broker", "leeds/box-7")
        terminal.answer("password", "hush")
        terminal.until("written")
        code = terminal.end()
    player.terminate()
    player.wait()
    assert code == 0, terminal.screen
    assert "read back as it was sent" in terminal.screen
    assert "hush" not in terminal.screen
    config = load_config(path)
    assert (config.site, config.device, config.lines[0].name, config.lines[0].desk) == ("leeds", "box-7", "reception", "4711")
    assert config.lines[0].source.device == "name:default"


@pytest.mark.parametrize("asked", ["which is it?", "see its level", "this box", "password"])
def test_ctrl_c_leaves_everything_as_it_was(pulse, tmp_path, asked):
    path = tmp_path / "undertone.yaml"
    path.write_text("site: york\n")
    with Terminal([*SETUP, "--config", str(path)], pulse.env) as terminal:
        answers = {"which is it?": "", "see its level": "n", "a number": "", "site": "leeds", "this box": "b", "name of": "", "whose": ""}
        for question, said in {**answers, "broker:": "", "user at": "u", "password": ""}.items():
            if question == asked:
                terminal.interrupt(question)
                break
            terminal.answer(question, said)
        assert terminal.end() == 130
    assert "undertone: stopped" in terminal.screen
    assert path.read_text() == "site: york\n"
    assert names(tmp_path) == ["undertone.yaml"]


def test_a_script_gives_options_and_what_it_does_not_give_stays(pulse, tmp_path):
    path = tmp_path / "undertone.yaml"
    script = [*SETUP, "--yes", "--no-doctor", "--config", str(path)]

    def run(*more: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*script, *more], env=pulse.env | env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    first = run("--site", "leeds", "--channels", "mixed", "--url", "broker", "--username", "u", UNDERTONE_MQTT_PASSWORD="hush")
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "mqtt-password").read_text() == "hush\n"
    before = path.read_text()
    assert "as it was" in run().stdout
    assert path.read_text() == before
    assert run("--add-line", "--source", "auto").returncode == 0
    config = load_config(path)
    assert (config.site, config.mqtt.url, config.mqtt.username) == ("leeds", "mqtt://broker", "u")
    assert [(line.name, line.source.device) for line in config.lines] == [("line-1", "name:default"), ("line-2", "auto")]
    wrong = run("--site", "leeds uk")
    assert (wrong.returncode, "--site: 'leeds uk' cannot be one" in wrong.stderr) == (2, True)


@without_sound_card
def test_without_a_card_or_anybody_who_answers_it_says_so(tmp_path):
    command = [*SETUP, "--no-doctor", "--config", str(tmp_path / "undertone.yaml")]
    env = {**SILENCED, "PATH": "/usr/bin:/bin"}
    alone = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert alone.returncode == 2
    assert "nobody answers" in alone.stderr
    assert names(tmp_path) == []
    quiet = subprocess.run([*command, "--yes"], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert quiet.returncode == 0, quiet.stderr
    assert "no sound card" in quiet.stdout
    assert load_config(tmp_path / "undertone.yaml").lines[0].source.device == "auto"
