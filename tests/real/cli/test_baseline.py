"""`undertone baseline learn` and `replay --baseline`: learnt from recordings, used by a replay, refused by name where it does not fit."""

import json

import numpy as np
import pytest

from edge.__main__ import main
from edge.capture import wavfile
from edge.segment.synthetic import dialogue
from edge.voice import baseline_file
from edge.voice.prior import shipped_prior

MODEL = shipped_prior().model


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Two calls of half a minute between syllables on two channels."""
    folder = tmp_path_factory.mktemp("calls")
    for seed in (1, 20):
        wavfile.write(folder / f"{seed}.wav", dialogue(30, 2, seed=seed).T, 16_000)
    return sorted(folder.glob("*.wav"))


@pytest.fixture(scope="module")
def learnt(calls, tmp_path_factory):
    path = tmp_path_factory.mktemp("learnt") / "line.json"
    assert main(["baseline", "learn", *map(str, calls), "--out", str(path)]) == 0
    return path


def voices(capsys, *arguments) -> list[dict]:
    assert main(["replay", *map(str, arguments), "--mode", "voice", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [event["data"]["voice"] for event in events if event["type"].endswith("call.utterance.v1") and event["data"]["voice"]]


def test_a_replay_hears_against_what_was_learnt(capsys, calls, learnt):
    line = baseline_file.read(learnt, model=MODEL)[baseline_file.ANY_LINE]
    assert line.calls == 2
    alone, against = voices(capsys, calls[0]), voices(capsys, calls[0], "--baseline", learnt)
    assert alone[0]["baseline"] == shipped_prior().negative.centre
    assert against[0]["baseline"] == line.negative.centre
    assert [one["probs"] for one in alone] == [one["probs"] for one in against]


def test_a_replay_teaches_nothing(capsys, calls, learnt):
    before = learnt.read_bytes()
    once = voices(capsys, calls[0], "--baseline", learnt)
    assert voices(capsys, calls[1], calls[0], "--baseline", learnt)[-len(once) :] == once
    assert learnt.read_bytes() == before


@pytest.mark.parametrize(
    "spoil",
    [lambda text: text[:-40], lambda text: text.replace(MODEL, "voice-0.0.1"), lambda text: text.replace('"calls": 2', '"calls": 9')],
)
def test_a_file_that_does_not_fit_is_refused_by_name_and_the_prior_used(capsys, calls, learnt, tmp_path, spoil):
    path = tmp_path / "spoilt.json"
    path.write_text(spoil(learnt.read_text()))
    assert main(["replay", str(calls[0]), "--mode", "voice", "--json", "--baseline", str(path)]) == 0
    captured = capsys.readouterr()
    assert str(path) in captured.err
    assert "shipped prior" in captured.err
    first = next(
        event for event in map(json.loads, captured.out.splitlines()) if event["type"].endswith("utterance.v1") and event["data"]["voice"]
    )
    assert first["data"]["voice"]["baseline"] == shipped_prior().negative.centre


def test_a_baseline_that_is_not_there_is_wrong_use(capsys, calls, tmp_path):
    assert main(["replay", str(calls[0]), "--mode", "voice", "--baseline", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_nothing_is_learnt_where_no_customer_is_heard(capsys, tmp_path):
    wavfile.write(tmp_path / "quiet.wav", np.zeros((16_000 * 4, 2), np.int16), 16_000)
    assert main(["baseline", "learn", str(tmp_path / "quiet.wav"), "--out", str(tmp_path / "out.json")]) == 2
    assert "no call with enough" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
