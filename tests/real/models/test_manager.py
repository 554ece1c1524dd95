"""A box and its models: what it refuses and why, what it swaps when, and how a bad one undoes itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.bundle.store import find_bundle, open_store
from edge.models import probation
from edge.models.boot import start_up
from edge.models.comparison import DEATHS, ENOUGH, stability
from edge.models.install import install
from tests.boxes import SimulatedBox, chunks, config
from tests.nets import SHIPPED, keys, permuted, tar, too_sure, voice
from tests.paths import ROOT

# Versions are far above that of the shipped model, whichever it is.
pytestmark = pytest.mark.skipif(not SHIPPED.is_dir(), reason="no voice model is shipped in this clone")


class Desk:
    """A technician's desk: a key, and bundles made with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private, self.public, self.key = keys(folder)

    def bundle(self, version: str, **how) -> Path:
        return voice(self.folder / f"voice-{version}", version, self.private, **how)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


# --- the way in ------------------------------------------------------------------------------------------------------


def test_a_bundle_sent_in_pieces_serves_from_the_next_call_on_and_is_kept_after_its_probation(desk, tmp_path):
    box = SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0"))
    with box:
        running = box.call(range(16), during=lambda: (box.send(tar(desk.bundle("9.0.1"))), box.until("probation")))
        assert running == "voice-9.0.0"
        assert box.call(range(16)) == "voice-9.0.1"
        assert box.call(range(16, 32)) == "voice-9.0.1"
        kept = box.until("kept")
    assert [told.action for told in box.told if told.action != "receiving"] == ["installed", "probation", "kept"]
    assert {told.version for told in box.told if told.action != "receiving"} == {"9.0.1"}
    assert kept.previous == "9.0.0"
    assert kept.figures["utterances"] == 32
    assert kept.figures["drift_psi"] == 0.0
    assert find_bundle("voice", box.config).name.startswith("voice-9.0.1")


def test_a_broken_off_transfer_goes_on_where_it_was(desk, tmp_path):
    pieces = chunks(tar(desk.bundle("9.0.1")))
    settings = config(tmp_path, desk.public)
    with SimulatedBox(settings, first=desk.bundle("9.0.0")) as box:
        box.manager.offer(pieces[0])
        assert box.until("receiving").figures["offset"] == len(pieces[0].data)
    with SimulatedBox(settings) as box:
        box.manager.offer(pieces[-1])
        assert box.until("receiving").figures["offset"] == len(pieces[0].data)
        for piece in pieces[1:]:
            box.manager.offer(piece)
        box.until("installed")


def test_the_same_file_twice_is_installed_once(desk, tmp_path):
    with SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0")) as box:
        packed = tar(desk.bundle("9.0.1"))
        box.send(packed)
        box.until("probation")
        box.send(packed)
        box.manager.offer(chunks(packed, expires_at="2020-01-01T00:00:00Z")[0])
        box.settle()
    assert [told.action for told in box.told].count("installed") == 1


def test_a_model_installed_from_a_stick_is_taken_over_by_the_running_service(desk, tmp_path):
    with SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0")) as box:
        assert install(desk.bundle("9.0.1"), box.config).on_probation
        box.until("probation")
        assert box.call(range(2)) == "voice-9.0.1"
        open_store("voice", box.config).rollback()
        assert "by hand" in box.until("rolled_back").reason
        assert box.call(range(2)) == "voice-9.0.0"


# --- a full disk -----------------------------------------------------------------------------------------------------

# A disk that takes 50 kB a file: what a full one does to a write.
_FULL = """
import resource, sys
from pathlib import Path
from edge.config import load_config
from edge.errors import UndertoneError
from edge.models.install import install
from edge.models.transfers import Transfers
from tests.boxes import chunks
config = load_config(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
def collect():
    for chunk in chunks(Path(sys.argv[2])):
        Transfers(Path(config.state_dir) / "incoming").take(chunk)
for attempt in (lambda: install(Path(sys.argv[2]), config), collect):
    try:
        attempt()
    except UndertoneError as error:
        print(error)
"""


def test_a_full_disk_refuses_and_leaves_the_old_model(desk, tmp_path):
    settings = config(tmp_path, desk.public)
    install(desk.bundle("9.0.0"), settings)
    packed = tar(desk.bundle("9.0.1"))
    file = tmp_path / "box.yaml"
    file.write_text(json.dumps({"state_dir": settings.state_dir, "models": {"trusted_keys": [str(desk.public)]}}))
    done = subprocess.run([sys.executable, "-c", _FULL, str(file), str(packed)], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("room" in line for line in lines)
    assert find_bundle("voice", settings).name.startswith("voice-9.0.0")
    assert list((Path(settings.state_dir) / "incoming").glob("*.part")) == []


# --- probation -------------------------------------------------------------------------------------------------------


def test_a_net_that_learnt_from_shuffled_labels_and_one_calibrated_wrong_are_rolled_back(desk, tmp_path):
    for version, how in (("9.0.1", {"net": permuted()}), ("9.0.2", {"change": too_sure})):
        with SimulatedBox(config(tmp_path, desk.public, device=version), first=SHIPPED) as box:
            box.send(tar(desk.bundle(version, **how)))
            box.until("probation")
            assert box.call(range(32)) == f"voice-{version}"
            told = box.until("rolled_back")
            assert told.reason.startswith("drift")
            assert told.figures["utterances"] >= ENOUGH
            assert box.call(range(1)) != f"voice-{version}"
        assert not find_bundle("voice", box.config).name.startswith(f"voice-{version}")


def test_a_net_ten_times_as_slow_is_rolled_back(desk, tmp_path):
    with SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0")) as box:
        box.send(tar(desk.bundle("9.0.1")))
        box.until("probation")
        net = box.engines.emotion._interpreter._net
        box.engines.emotion._interpreter._net = _TenTimes(net)
        box.call(range(32))
        assert box.until("rolled_back").reason.startswith("slow")
        assert box.call(range(1)) == "voice-9.0.0"


class _TenTimes:
    def __init__(self, net):
        self._net = net

    def invoke(self):
        for _ in range(10):
            self._net.invoke()

    def __getattr__(self, name):
        return getattr(self._net, name)


def test_a_model_that_breaks_is_rolled_back_at_once_and_costs_one_reading(desk, tmp_path):
    with SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0")) as box:
        box.send(tar(desk.bundle("9.0.1")))
        box.until("probation")
        box.engines.emotion._interpreter._net = None
        box.call(range(1))
        assert box.until("rolled_back").reason.startswith("failed: AttributeError")
        assert box.call(range(1)) == "voice-9.0.0"


def test_a_rolled_back_file_that_comes_again_is_refused_with_the_reason(desk, tmp_path):
    packed = tar(desk.bundle("9.0.1", change=too_sure))
    with SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0")) as box:
        box.send(packed)
        box.until("probation")
        box.call(range(32))
        box.until("rolled_back")
        box.send(packed)
        assert "drift" in box.until("refused").reason


def test_a_newer_model_in_place_of_one_on_probation_goes_back_to_the_last_good_one(desk, tmp_path):
    with SimulatedBox(config(tmp_path, desk.public), first=desk.bundle("9.0.0")) as box:
        box.send(tar(desk.bundle("9.0.1")))
        box.until("probation")
        box.send(tar(desk.bundle("9.0.2", change=too_sure)))
        assert "another took its place" in box.until("rolled_back", "9.0.1").reason
        box.until("probation", "9.0.2")
        box.call(range(32))
        assert box.until("rolled_back", "9.0.2").previous == "9.0.0"
    assert find_bundle("voice", box.config).name.startswith("voice-9.0.0")


def test_probation_goes_on_over_a_restart_and_three_deaths_end_it(desk, tmp_path):
    settings = config(tmp_path, desk.public)
    store = open_store("voice", settings)
    with SimulatedBox(settings, first=desk.bundle("9.0.0")) as box:
        box.send(tar(desk.bundle("9.0.1")))
        box.until("probation")
        box.call(range(4))
    assert probation.read(store).calls == 1
    for deaths in range(DEATHS):
        engines, _ = start_up(settings)  # and dies: nothing says that it was stopped
        assert engines.models["voice"] == "voice-9.0.1"
        assert probation.read(store).deaths == deaths
    engines, changes = start_up(settings)
    assert engines.models["voice"] == "voice-9.0.0"
    assert [(told.action, told.version) for told in changes] == [("rolled_back", "9.0.1")]
    assert "died 3 times" in changes[0].reason
    assert start_up(settings)[1] == []


def test_stability_is_zero_for_the_same_and_grows_with_the_distance():
    same, near, far = (10, 10, 10, 0, 0), (8, 11, 10, 1, 0), (0, 0, 0, 10, 20)
    assert stability(same, same) == 0
    assert 0 < stability(near, same) < 0.25 < stability(far, same)


# --- power cuts ------------------------------------------------------------------------------------------------------


@pytest.mark.takes(15)
def test_killed_at_any_instant_of_install_and_swap_the_box_has_one_whole_model():
    kills = os.environ.get("UNDERTONE_KILLS", "8")
    done = subprocess.run([sys.executable, "-m", "tests.kills", kills], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == int(kills)
    assert found["calls"] >= 2, "they were killed before they did anything"
