"""The short form of `python -m tests.fuzz`, what it has found so far, and proof that it would find something."""

import json
import os
import signal
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from edge.bundle import archive, golden, manifest
from edge.bundle.signature import Trust, verify
from edge.capture import wavfile
from edge.config import load_config
from edge.errors import ConfigError, ModelError, UndertoneError
from edge.wire.commands import Refused, parse
from tests.fuzz import stored
from tests.fuzz.__main__ import Finding, Late, broken, fuzz, make
from tests.fuzz.targets import Target, targets

NAMES = (
    "config",
    "rules",
    "lexicon",
    "causes",
    "wav",
    "pipe",
    "commands",
    "bundle",
    "models",
    "archive",
    "outbox",
    "audiosocket",
    "websocket",
)
# 150 of each but of these, which take long.
INPUTS = {"rules": 60, "outbox": 20, "archive": 60}


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    return targets(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture
def deadline():
    def late(*_):
        raise Late

    before = signal.signal(signal.SIGPROF, late)
    yield
    signal.signal(signal.SIGPROF, before)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_input_brings_out_nothing_but_errors_of_one_line(every, deadline, name):
    target = every[name]
    found = {number: broken(target, make(name, target, number, 7)) for number in range(1, INPUTS.get(name, 150) + 1)}
    assert {number: what for number, what in found.items() if what} == {}


def test_every_target_is_fuzzed_and_shares_are_of_a_thousand(every):
    assert set(every) == set(NAMES)
    assert sum(target.share for target in every.values()) == 1000


def test_the_same_seed_makes_the_same_inputs_and_another_seed_others(every):
    def inputs(seed):
        return [make("config", every["config"], number, seed) for number in range(20)]

    assert inputs(1) == inputs(1)
    assert inputs(1) != inputs(2)


def raises(error):
    def try_one(_data):
        raise error

    return Target(share=1, make=lambda _chance: b"", try_one=try_one)


def forever(_data):
    while True:
        pass


def test_a_traceback_a_second_line_and_a_hang_are_findings(deadline, monkeypatch):
    monkeypatch.setattr("tests.fuzz.__main__._CPU_S", 0.2)
    assert broken(raises(ConfigError("one line")), b"") is None
    assert "ZeroDivisionError" in broken(raises(ZeroDivisionError()), b"")
    assert "Late" in broken(Target(share=1, make=lambda _chance: b"", try_one=forever), b"")


def test_a_worker_that_dies_is_a_finding_with_its_input_and_the_next_one_goes_on_behind_it(tmp_path, monkeypatch):
    real, dying = subprocess.Popen, ("import os, sys, struct; open(sys.argv[1], 'r+b').write(struct.pack('<q', 3)); os.abort()",)
    started = []

    def start(command, **given):
        started.append(command)
        return real([sys.executable, "-c", *dying, command[-1]] if len(started) == 1 else command, **given)

    monkeypatch.setattr("tests.fuzz.__main__.subprocess.Popen", start)
    said = list(fuzz("commands", 5, 1, tmp_path / "log"))
    assert said[0] == Finding(target="commands", number=3, what=f"died with {-signal.SIGABRT}: ")
    assert said[-1] == 5
    assert started[1][-3:-1] == ["4", "5"]


# --- found by it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "- " * 100_000, "? " * 100_000])
def test_yaml_nested_without_end_is_refused_where_libyaml_would_end_the_process(tmp_path, text):
    path = tmp_path / "deep.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_config(path)


def test_a_key_with_line_ends_in_it_makes_no_second_line_for_the_user_nor_in_the_log(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps({"site\ncapture.stalled line=line-1": 1}))
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert str(refused.value).isprintable()
    with pytest.raises(Refused) as forged:
        parse("call/line-1/start", json.dumps({"x\n\x1b[2Jcommand.taken kind=CallStart" + "y" * 3000: 1}).encode())
    assert str(forged.value).isprintable()
    assert len(str(forged.value)) <= 200


def test_an_error_shows_a_lone_surrogate_instead_of_failing_to_print_it():
    assert str(UndertoneError("a\ud800\nb")) == "a\\ud800\\nb"


def test_a_home_that_nobody_has_is_a_mistake_in_the_configuration(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text('state_dir: "~nobody-of-that-name/x"')
    with pytest.raises(ConfigError, match="no such user"):
        load_config(path)


@pytest.mark.parametrize("raw", [b'{"\xff": 1}', b"[" * 100_000, '{"key": "k", "signature": "é"}'.encode()])
def test_what_is_no_json_or_no_base64_is_a_refused_bundle(tmp_path, raw):
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(ModelError):
        manifest.parse(raw, tmp_path / "manifest.json")
    with pytest.raises(ModelError):
        verify(b"{}", tmp_path / "file", Trust())
    with pytest.raises(ModelError):
        golden.read(tmp_path / "file")
    stored.models(tmp_path / "state", msgspec.json.encode({"current": None}))


def test_a_tar_whose_extended_header_holds_no_number_is_a_refused_bundle(tmp_path):
    import tarfile

    info = tarfile.TarInfo("a")
    info.pax_headers = {"GNU.sparse.size": "é"}
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info)
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="not a whole bundle"):
        archive.unpack(tmp_path / "a.tar", tmp_path / "out")


def test_samples_too_large_to_scale_are_clipped_without_a_warning(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.array([0.5, 3e38, -3e38, np.nan, np.inf], np.float32), 8000, subtype="FLOAT")
    pcm, _ = wavfile.read_clip(tmp_path / "a.wav")
    assert pcm.tolist() == [16_384, 32_767, -32_768, 0, 32_767]


def test_the_command_prints_a_count_by_target_and_keeps_what_it_found(tmp_path):
    command = [sys.executable, "-m", "tests.fuzz", "--target", "commands", "--inputs", "50", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert "| commands | 50 |" in done.stdout
    assert json.loads((tmp_path / "fuzz.json").read_text())["targets"] == {"commands": 50}
