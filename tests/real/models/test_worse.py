"""Real speech, a real training: a voice that learnt from shuffled labels goes back, one that was calibrated anew is kept."""

import csv
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from convert.pack import finish, write_manifest
from convert.sound.corpora import Clip, gather
from convert.sound.dataset import load_pcm
from convert.sound.degrade import g711
from edge.bundle.manifest import MANIFEST, parse
from edge.errors import ModelError
from edge.models.comparison import ENOUGH
from edge.models.install import install
from edge.voice.clip import whole_clip
from tests.boxes import SimulatedBox, config
from tests.nets import SHIPPED, TENSORFLOW, keys, voice
from tests.paths import PATIENT, ROOT

RAVDESS = ROOT.parent / "shared" / "data" / "ravdess"
pytestmark = [
    pytest.mark.skipif(not RAVDESS.is_dir(), reason=f"no RAVDESS in {RAVDESS}: nothing real can be trained or heard here"),
    pytest.mark.skipif(not SHIPPED.is_dir(), reason="no voice model is shipped in this clone"),
]


def clips(first: int, last: int) -> list[Clip]:
    """Every second clip of these actors."""
    return [clip for clip in gather({"ravdess": RAVDESS}) if first <= int(clip.path.parent.name.removeprefix("Actor_")) <= last][::2]


def heard_by(settings, bundle: Path, end: str):
    """The end of the bundle's probation on a box with the shipped voice, whose customers are four actors on a G.711 line."""
    customers = [whole_clip(g711(load_pcm(clip))) for clip in clips(15, 18)]
    with SimulatedBox(settings) as box:
        install(bundle, box.config)
        box.until("probation")
        assert len({box.call(customers[at : at + 20]) for at in range(0, len(customers), 20)}) == (1 if end == "kept" else 2)
        told = box.until(end)
        now_serving = box.call(customers[:1])
    return told, now_serving


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow is not installed: nothing can be trained here")
@pytest.mark.timeout(900)
@pytest.mark.takes(45)
def test_a_voice_that_learnt_from_shuffled_labels_is_rolled_back_and_the_old_one_serves_on(tmp_path):
    private, public, _ = keys(tmp_path)
    taught = clips(1, 4)
    labels = [clip.label for clip in taught]
    random.Random(5).shuffle(labels)
    with (tmp_path / "shuffled.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("path", "label", "speaker"), *((c.path, label, c.speaker) for c, label in zip(taught, labels, strict=True))]
        )
    command = [
        "train",
        "--quick",
        "--epochs",
        "1",
        "--windows",
        "256",
        "--csv",
        tmp_path / "shuffled.csv",
        "--out",
        tmp_path / "new",
        "--cache",
        tmp_path / "cache",
    ]
    command += ["--version", "9.0.1", "--key", private]
    done = subprocess.run(
        [*PATIENT, sys.executable, "-m", "convert", *map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    settings = config(tmp_path, public, calls=4)
    with pytest.raises(ModelError, match="quick training"):  # that is what it is, and boxes know
        install(tmp_path / "new", settings)
    unmarked(tmp_path / "new", private)
    told, serving = heard_by(settings, tmp_path / "new", "rolled_back")
    assert told.reason.startswith("drift")
    assert told.figures["utterances"] >= ENOUGH
    assert serving != "voice-9.0.1"


def unmarked(folder: Path, private: Path) -> None:
    """The bundle as if it had been trained in full."""
    made = parse((folder / MANIFEST).read_bytes(), folder / MANIFEST)
    write_manifest(folder, msgspec.structs.replace(made, provenance={**made.provenance, "quick": False}))
    finish(folder, private)


def calibrated(folder: Path, private: Path, nats: float) -> Path:
    """The shipped voice, with so much more for negative."""

    def change(manifest):
        bias = manifest.calibration["bias_negative"] + nats
        return msgspec.structs.replace(manifest, calibration={**manifest.calibration, "bias_negative": bias})

    return voice(folder, "9.0.1", private, change=change)


def test_a_voice_calibrated_anew_is_kept(tmp_path):
    private, public, _ = keys(tmp_path)
    told, serving = heard_by(config(tmp_path, public, calls=4), calibrated(tmp_path / "new", private, 0.2), "kept")
    assert told.figures["calls"] == 4
    assert serving == "voice-9.0.1"


@pytest.mark.parametrize("nats", [2.0, -2.0])
def test_a_voice_that_is_off_by_two_nats_is_rolled_back_by_its_shift(tmp_path, nats):
    private, public, _ = keys(tmp_path)
    told, serving = heard_by(config(tmp_path, public, calls=4), calibrated(tmp_path / "new", private, nats), "rolled_back")
    assert "nats from that of the one before it" in told.reason
    assert told.figures["shift"] * nats > 0
    assert serving != "voice-9.0.1"
