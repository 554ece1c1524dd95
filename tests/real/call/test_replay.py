"""The shipped call through the whole way of a call, by the command line: what a central system would get."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from edge.asr.vosk_model import find_vosk
from edge.capture import wavfile
from edge.config import Config
from edge.wire.schema import schemas
from tests.paths import TESTS

CALL = TESTS / "demo" / "call.wav"

needs_vosk = pytest.mark.skipif(find_vosk(Config()) is None, reason="no speech recogniser here: run `undertone fetch-model`")


def undertone(*arguments: object, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the real command."""
    return subprocess.run([sys.executable, "-m", "edge", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)


def replayed(*arguments: object) -> list[dict]:
    done = undertone("replay", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def events() -> list[dict]:
    return replayed(CALL, "--privacy", "transcript")


@pytest.fixture(scope="module")
def default(tmp_path_factory) -> tuple[list[dict], str]:
    """The call at the default tier: its events, and its report page."""
    page = tmp_path_factory.mktemp("report") / "call.html"
    return replayed(CALL, "--report", page), page.read_text(encoding="utf-8")


def without_ids_and_times(events: list[dict]) -> list[dict]:
    """Everything that must be the same from run to run."""

    def bare(value: object, call: str) -> object:
        if isinstance(value, dict):
            return {
                k: bare(v, call)
                for k, v in value.items()
                if k not in {"time", "started_at", "ended_at", "opened_at", "updated_at", "page_until", "answerable_until"}
            }
        if isinstance(value, list):
            return [bare(v, call) for v in value]
        return value.replace(call, "CALL") if isinstance(value, str) else value

    return [bare(event, event["data"]["call"]) for event in events]


@needs_vosk
def test_every_event_obeys_the_shipped_schema(events):
    known = {f"undertone.{kind}.v1": schema for kind, schema in schemas().items()}
    for event in events:
        jsonschema.validate(event, known[event["type"]])


@needs_vosk
def test_the_call_is_told_from_start_to_summary_with_an_alert(events):
    kinds = [event["type"] for event in events]
    assert kinds[0] == "undertone.call.started.v1"
    assert kinds[-1] == "undertone.call.summary.v1"
    opened = [e["data"] for e in events if e["type"] == "undertone.alert.v1" and e["data"]["state"] == "new"]
    assert opened
    assert all(reason["evidence"] and reason["drivers"] for alert in opened for reason in alert["reasons"])


@needs_vosk
def test_the_customer_is_scored_by_voice_and_words_and_the_agent_by_neither(events):
    heard = [e["data"] for e in events if e["type"] == "undertone.call.utterance.v1"]
    customer = [u for u in heard if u["role"] == "customer"]
    agent = [u for u in heard if u["role"] == "agent"]
    assert any(u["voice"] for u in customer)
    assert any(u["words"] for u in customer)
    assert agent
    assert all(u["voice"] is None and u["verdict"] is None and u["voice_reason"] == "agent" for u in agent)


@needs_vosk
def test_the_events_do_not_depend_on_chunking_nor_on_the_run(events):
    for chunk_ms in (7, 200):
        again = replayed(CALL, "--privacy", "transcript", "--chunk-ms", chunk_ms)
        assert without_ids_and_times(again) == without_ids_and_times(events)


@needs_vosk
def test_the_default_tier_sends_no_words(default):
    said = json.dumps(default[0]).lower()
    assert "undertone.call.text.v1" not in said
    for word in ("ombudsman", "unacceptable", "disgrace", "charged"):
        assert f"{word} " not in said


def test_the_voice_alone_needs_no_recogniser(tmp_path):
    events = replayed(CALL, "--mode", "voice")
    heard = [e["data"] for e in events if e["type"] == "undertone.call.utterance.v1" and e["data"]["role"] == "customer"]
    assert any(u["verdict"]["label"] for u in heard)
    assert {u["words_reason"] for u in heard} == {"mode"}


@needs_vosk
def test_a_mixed_line_is_judged_by_words_only(tmp_path):
    blocks = list(wavfile.blocks(CALL))
    mono = np.concatenate([b.pcm for b in blocks]).astype(np.int32).sum(axis=1).clip(-32768, 32767).astype(np.int16)
    path = tmp_path / "mixed.wav"
    wavfile.write(path, mono, blocks[0].rate)
    heard = [e["data"] for e in replayed(path) if e["type"] == "undertone.call.utterance.v1"]
    assert heard
    assert {u["voice_reason"] for u in heard} == {"mixed_channel"}
    assert all(u["voice"] is None for u in heard)


@pytest.mark.parametrize(
    ("content", "says", "code"),
    [(None, "no such file", 2), (b"", "empty", 1), (b"hello, this is no sound at all", "not a recording", 1)],
)
def test_what_cannot_be_heard_is_one_line_and_exit_1_and_what_is_not_there_2(tmp_path, content, says, code):
    path = tmp_path / "call.wav"
    if content is not None:
        path.write_bytes(content)
    done = undertone("replay", path)
    assert done.returncode == code
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr
    assert says in done.stderr


def test_a_silent_file_has_no_call_and_says_so(tmp_path):
    path = tmp_path / "silent.wav"
    wavfile.write(path, np.zeros((16_000 * 5, 2), np.int16), 16_000)
    done = undertone("replay", path, "--json", "--mode", "voice")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no call in it" in done.stderr


def test_roles_that_do_not_fit_the_recording_are_wrong_use(tmp_path):
    done = undertone("replay", CALL, "--channels", "customer")
    assert done.returncode == 2
    assert "2 channel(s)" in done.stderr


@needs_vosk
def test_the_report_page_shows_the_call(default):
    _, text = default
    assert "<svg" in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "Undertone" in text


@needs_vosk
def test_explain_says_of_the_demo_call_why_one_alert_came_and_another_did_not(events):
    done = undertone("explain", CALL, "--json")
    assert done.returncode == 0, done.stderr
    looks = [json.loads(line) for line in done.stdout.splitlines()]
    told = {look["rule"]: look["at_ms"] for look in looks if look["decision"] == "opened"}
    opened = {r["rule"]: r["offset_ms"] for e in events if e["type"] == "undertone.alert.v1" for r in e["data"]["reasons"]}
    assert told == opened
    assert "regulator-threat" in told
    silent = max((look for look in looks if look["rule"] == "dead-air-after-complaint"), key=lambda look: look["nearness"])
    held = {one["asked"]: one["holds"] for one in silent["conditions"]}
    assert held == {"fused p_negative": True, "silence": False}
