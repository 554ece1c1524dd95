"""The docs' switchboard of thin air (docs/bring_call.py) as a program: a real box takes its call, and what cannot be is told in a line."""

import subprocess
import sys

import numpy as np
import pytest

from edge.capture import wavfile
from tests.paths import ROOT
from tests.ports import free_port
from tests.real.listen.test_calls import TOKEN, box, speech  # noqa: F401 (fixtures)


def bring(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docs" / "bring_call.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_recording_becomes_a_call(box, speech, tmp_path):  # noqa: F811
    wavfile.write(tmp_path / "call.wav", speech, 8000)
    done = bring(tmp_path / "call.wav", box.url(""), TOKEN)
    assert (done.returncode, done.stderr) == (0, "")
    told = [event["data"] for event in box.told("started")]
    assert [(one["line"], one["customer_ref"]) for one in told] == [("web/1", "K-1")]


@pytest.mark.parametrize(
    ("recording", "url", "token", "code", "says"),
    [
        ("none.wav", "{web}", TOKEN, 2, "none.wav: No such file or directory: check the path"),
        ("notes.txt", "{web}", TOKEN, 2, "notes.txt: file does not start with RIFF id: write it as one that a box takes: sox IN"),
        ("empty.wav", "{web}", TOKEN, 2, "empty.wav: no WAV: write it as one"),
        ("music.wav", "{web}", TOKEN, 2, "44100 samples a second of 2 bytes: write it as one that a box takes"),
        ("two.wav", "http://127.0.0.1/", TOKEN, 2, "no address of a WebSocket: give ws://HOST:PORT/"),
        ("two.wav", "ws://127.0.0.1:99999/", TOKEN, 2, "no address of a WebSocket"),
        ("two.wav", "ws://[::1/", TOKEN, 2, "no address of a WebSocket"),
        ("two.wav", "ws://a..b/", TOKEN, 2, "no address of a WebSocket"),
        ("two.wav", "{web}", "wrong", 1, "refused: token: No token of tokens_file.: is the token one of tokens_file"),
        ("two.wav", "{web}", None, 1, "refused: token: "),
        ("one.wav", "{web}", TOKEN, 1, "the box hung up: channels: see its log"),
        ("two.wav", "ws://127.0.0.1:{free}/", TOKEN, 1, "refused: does `undertone run` listen there?"),
        ("two.wav", "wss://127.0.0.1:{port}/", TOKEN, 1, "wss://127.0.0.1"),
        ("two.wav", "ws://127.0.0.1:{tls}/", TOKEN, 1, "wss:// where it has a cert"),
        ("two.wav", "ws://no.such.host.invalid/", TOKEN, 1, "ws://no.such.host.invalid/: "),
    ],
)
def test_what_cannot_be_is_told_in_a_line_with_what_to_do(box, tmp_path, recording, url, token, code, says):  # noqa: F811
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / "empty.wav").touch()
    silence = np.zeros((4000, 2), np.int16)
    for name, pcm, rate in (("two.wav", silence, 8000), ("one.wav", silence[:, 0], 8000), ("music.wav", silence, 44_100)):
        wavfile.write(tmp_path / name, pcm, rate)
    where = url.format(web=box.url(""), free=free_port(), port=box.web, tls=box.tls)
    done = bring(tmp_path / recording, where, *([token] if token else []))
    assert (done.returncode, done.stdout) == (code, "")
    (told,) = done.stderr.splitlines()
    assert told.startswith("bring_call: ")
    assert says in told
