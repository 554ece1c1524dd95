"""What was said is nowhere above what the tier allows: not on disk, in the log, on the bus, in a core dump, in the support bundle."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edge.asr.vosk_model import find_vosk
from edge.capture import wavfile
from edge.config import Config
from edge.signal.resample import resample
from tests.broker import Broker
from tests.paths import ROOT
from tests.real.service.test_app import QUIET_LINE, talks
from tests.service import Service
from tests.telling import Subscriber, until

VOSK = find_vosk(Config())
SAID = (
    "I am very angry. The pineapple and the saxophone were never delivered.",
    "My card number is four one one one, one one one one, one one one one, one one one one.",
    "This is a disgrace. I want my money back for the pineapple and the saxophone.",
)
# As the recogniser writes them; no word of ours, of a model's or of a path's.
WORDS = (b"pineapple", b"saxophone")
NUMBERS = (b"four one one one", b"4111", b"one one one")
# Such a call takes a minute beside two busy loops on two cores: this says what hangs, not how fast a machine is.
PATIENCE_S = 600.0
needs_speech = pytest.mark.skipif(
    VOSK is None or shutil.which("flite") is None, reason="needs a speech recogniser (undertone fetch-model) and flite (make system)"
)


@pytest.fixture(scope="module")
def call(tmp_path_factory) -> Path:
    """A customer who says it, over a line's noise; the agent is silent. 16 kHz, two channels."""
    folder = tmp_path_factory.mktemp("said")
    rng, parts = np.random.default_rng(1), [np.zeros(16_000, np.int16)]
    for number, sentence in enumerate(SAID):
        path = folder / f"{number}.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(path)], check=True, capture_output=True)
        pcm, rate = wavfile.read_clip(path)
        parts += [resample(pcm, rate), np.zeros(24_000, np.int16)]
    customer = np.concatenate(parts)
    both = np.stack([customer, np.zeros_like(customer)], axis=1) + np.rint(rng.normal(0, 12, (len(customer), 2))).astype(np.int16)
    wavfile.write(folder / "call.wav", both.astype(np.int16), 16_000)
    return folder / "call.wav"


def everywhere(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, whole: SQLite's free pages and write-ahead log as well."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(what: tuple[bytes, ...], files: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return [(name, one) for name, content in files.items() for one in what if one in content.lower()]


@pytest.mark.timeout(900)
@needs_speech
@pytest.mark.parametrize(("tier", "words"), [("numbers", False), ("transcript", True)])
def test_a_replayed_call_tells_what_its_tier_allows_and_never_a_number(call, tier, words):
    command = [sys.executable, "-m", "edge", "replay", str(call), "--privacy", tier, "--json"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=True)
    told = {"stdout": done.stdout}
    # The transcript proves that it was heard: else nothing here would prove anything.
    assert bool(found(WORDS, told)) == words
    assert b'"cause"' in done.stdout
    assert found(NUMBERS, told | {"stderr": done.stderr}) == []
    assert found(WORDS, {"stderr": done.stderr}) == []


@pytest.mark.timeout(900)
@needs_speech
@pytest.mark.parametrize(("tier", "words"), [("numbers", False), ("transcript", True)])
def test_a_live_call_leaves_nothing_behind(call, tmp_path, tier, words):
    home, temporary = tmp_path / "box", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    with Broker(tmp_path) as broker, Subscriber(broker.url) as central:
        config = (
            # A recording waits for a busy machine, where a device would lose words; the second line keeps the service up.
            f"lines: [{{name: line-1, source: {{file: {call}, realtime: false}}, channels: [customer, agent]}},\n"
            f"        {{name: line-2, source: {talks(QUIET_LINE)}}}]\n"
            f"mqtt: {{url: '{broker.url}'}}\nmodels: {{vosk: {VOSK}}}\nprivacy: {tier}\n"
        )
        with Service(home, config, env=os.environ | {"TMPDIR": str(temporary)}) as box:
            until(lambda: central.events("call.summary"), PATIENCE_S)
            until(lambda: not box.status["health"]["outbox_rows"], PATIENCE_S)
            assert box.stop() == 0
            log = "\n".join(box.log).encode()
        bus = {topic + str(n): json.dumps(event).encode() for n, (topic, event, _) in enumerate(central.messages)}
    bundle = [sys.executable, "-m", "edge", "doctor", "--config", str(box.config), "--bundle", str(tmp_path / "help.zip")]
    subprocess.run(bundle, capture_output=True, timeout=PATIENCE_S, check=False)
    with zipfile.ZipFile(tmp_path / "help.zip") as packed:
        helped = {name: packed.read(name) for name in packed.namelist()}
    heard = [(event["data"]["words"], event["data"]["words_reason"]) for event in central.events("call.utterance")]
    assert any(words_heard and words_heard["words"] > 5 for words_heard, _ in heard), heard
    assert bool(found(WORDS, bus)) == words
    left = everywhere(home) | everywhere(temporary) | helped | {"log": log}
    assert "state/outbox.sqlite" in left
    assert found(WORDS, left) == []
    assert found(NUMBERS, left | bus) == []


def test_a_box_that_is_aborted_leaves_no_core_and_neither_do_its_children(tmp_path):
    everything = (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_CORE)[1])
    if everything[1] == 0:
        pytest.skip("this machine allows no core dumps at all")

    def allow() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (everything[1], everything[1]))

    die = "import os; os.abort()"
    subprocess.run([sys.executable, "-c", die], cwd=tmp_path, preexec_fn=allow, check=False)
    if not list(tmp_path.glob("core*")):
        pytest.skip("this machine's kernel writes cores elsewhere")
    for core in tmp_path.glob("core*"):
        core.unlink()
    die = f"from edge.capture.secrecy import no_core_dumps; no_core_dumps(); {die}"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", die], cwd=tmp_path, env=env, preexec_fn=allow, check=False)
    assert done.returncode == -signal.SIGABRT
    assert list(tmp_path.glob("core*")) == []


def test_the_service_and_its_capture_have_core_dumps_off(tmp_path):
    wavfile.write(tmp_path / "call.wav", np.zeros((160_000, 1), np.int16), 16_000)
    config = f"lines: [{{name: line-1, source: {{file: {tmp_path}/call.wav}}}}]\nmode: voice\nmqtt: {{url: 'mqtt://127.0.0.1:9'}}\n"
    with Service(tmp_path, config) as box:
        # Each thread has children of its own.
        children = [pid for task in Path(f"/proc/{box.process.pid}/task").iterdir() for pid in (task / "children").read_text().split()]
        assert children
        pids = [str(box.process.pid), *children]
        limits = [Path(f"/proc/{pid}/limits").read_text() for pid in pids]
    assert all("Max core file size        0                    0" in limit for limit in limits)
