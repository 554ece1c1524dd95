"""Recordings by the real commands: a batch with bad files in it, pipes, odd names, output that nobody can take, no home."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.capture import wavfile
from tests.paths import ROOT
from tests.terminal import Terminal

CALL = ROOT / "tests" / "demo" / "call.wav"
# Root may become anybody, and with that lose its home.
needs_root = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")


def undertone(*arguments: object, **how: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "edge", *map(str, arguments)]
    return subprocess.run(command, check=False, cwd=ROOT, timeout=240, **{"capture_output": True, **how})


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    """Half a minute of a call under a name that is not UTF-8."""
    folder = tmp_path_factory.mktemp("odd")
    path = folder / os.fsdecode(b"n\xffme.wav")
    pcm = np.concatenate([block.pcm for block in wavfile.blocks(CALL)])[: 16_000 * 12]
    wavfile.write(folder / "plain.wav", pcm, 16_000)
    return (folder / "plain.wav").rename(path)


@pytest.mark.parametrize("format_", [["--json"], []], ids=["json", "drawn"])
def test_a_bad_file_costs_itself_alone_and_names_need_not_be_utf_8(tmp_path, odd, format_):
    (tmp_path / "bad.wav").write_bytes(b"not sound")
    done = undertone("replay", tmp_path / "bad.wav", tmp_path / "missing.wav", odd, *format_)
    assert done.returncode == 2
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert f"{tmp_path}/bad.wav: is not a recording" in said
    assert f"{tmp_path}/missing.wav: no such file" in said
    assert b"utterance" in done.stdout if format_ else b"call on" in done.stdout


def test_voice_judges_what_stands_behind_a_bad_file(tmp_path, odd):
    done = undertone("voice", tmp_path / "missing.wav", odd, "--json")
    (judged,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, judged["file"].endswith("n\\udcffme.wav")) == (2, True)
    assert judged["label"] is not None


def test_a_pipe_gives_the_events_of_its_file(odd):
    def kinds(done: subprocess.CompletedProcess[bytes]) -> list[tuple]:
        return [(e["type"], e["data"].get("end_ms"), e["data"].get("words")) for e in map(json.loads, done.stdout.splitlines())]

    piped = undertone("replay", "-", "--json", input=odd.read_bytes())
    assert piped.returncode == 0, piped.stderr
    assert kinds(piped) == kinds(undertone("replay", odd, "--json"))


def test_explain_takes_a_pipe_of_a_recording_or_of_events_as_it_takes_the_file(tmp_path, odd):
    told = undertone("replay", odd, "--json")
    (tmp_path / "events.jsonl").write_bytes(told.stdout)
    for data, file in ((told.stdout, tmp_path / "events.jsonl"), (odd.read_bytes(), odd)):
        piped, by_file = (undertone("explain", name, "--json", **how) for name, how in (("-", {"input": data}), (file, {})))
        rules = [[(row["rule"], row["at_ms"]) for row in map(json.loads, done.stdout.splitlines())] for done in (piped, by_file)]
        assert (piped.returncode, rules[0]) == (0, rules[1])
        assert rules[0]


@pytest.mark.parametrize("command", [["replay", "--mode", "voice"], ["voice"], ["explain"]], ids=lambda command: command[0])
def test_a_pipe_that_brings_nothing_and_a_terminal_are_told_apart(command):
    done = undertone(*command, "-", input=b"")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"nothing came through the pipe; see what the command before the pipe says, or give a file" in done.stderr
    with Terminal([sys.executable, "-m", "edge", *command, "-"], dict(os.environ)) as terminal:
        terminal.until("nothing is piped in; give a recording, or pipe one: sox in.wav -t wav - | undertone replay -")
        assert terminal.end() == 2


@pytest.mark.parametrize("format_", [["--json"], []], ids=["json", "drawn"])
def test_a_full_disk_behind_the_output_is_one_line(odd, format_):
    with Path("/dev/full").open("wb") as full:
        done = undertone("replay", odd, *format_, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("undertone: the output cannot be written: No space left on device; ")
    assert b"Traceback" not in done.stderr


@needs_root
@pytest.mark.parametrize("command", [["replay", CALL.relative_to(ROOT)], ["fetch-model"], ["info"]], ids=lambda command: command[0])
def test_a_user_without_a_home_sees_no_traceback(command):
    bare = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_DATA_HOME")}
    done = subprocess.run(
        ["setpriv", "--reuid=54321", "--clear-groups", sys.executable, "-m", "edge", *map(str, command)],
        capture_output=True, check=False, cwd=ROOT, env=bare, timeout=240,
    )  # fmt: skip
    if b"Permission denied" in done.stderr and b"Traceback" not in done.stderr:
        pytest.skip("this checkout may be read by its owner alone")
    assert b"Traceback" not in done.stderr, done.stderr
    assert done.returncode == (2 if command[0] == "fetch-model" else 0)
