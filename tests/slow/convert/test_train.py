"""`undertone-convert train` as a technician runs it: synthetic clips in, a bundle out that the box takes."""

import json
import subprocess
import sys

import numpy as np
import pytest

from convert.sound.corpora import gather
from convert.sound.dataset import cache
from convert.voice import learning
from edge.bundle.golden import Recipe
from edge.bundle.signature import Trust
from edge.capture.wavfile import write
from edge.signal.features import quantise
from edge.signal.spec import SPEC
from edge.tflite.interpreter import Interpreter
from edge.values import VoiceReading
from edge.voice.clip import whole_clip
from edge.voice.emotion import EmotionModel
from tests.nets import TENSORFLOW
from tests.paths import PATIENT, ROOT

pytestmark = pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow is not installed: nothing can be trained here")

# Angry is high and rising, sad low and falling: even a minute's training hears that.
CODES = {"01": (140, 0), "04": (100, -40), "05": (240, 120)}


@pytest.fixture(scope="module")
def ravdess(tmp_path_factory):
    root = tmp_path_factory.mktemp("ravdess")
    for speaker in range(1, 13):
        folder = root / f"Actor_{speaker:02}"
        folder.mkdir()
        for code, (pitch, glide) in CODES.items():
            pcm = Recipe(seed=speaker, seconds=1.2, pitch_hz=pitch + 2 * speaker, glide_hz=glide).pcm()
            write(folder / f"03-01-{code}-01-01-01-{speaker:02}.wav", pcm, 16_000)
    (root / "Actor_01" / "03-01-06-01-01-01-01.wav").write_bytes(b"not sound")
    return root


def train(ravdess, out, cache):
    less = ["--quick", "--epochs", "1", "--windows", "128"]
    command = [*PATIENT, sys.executable, "-m", "convert", "train", *less, "--ravdess", ravdess, "--out", out, "--cache", cache]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.takes(45)
def test_quick_training_leaves_a_bundle_that_the_box_takes_and_goes_on_where_it_was(ravdess, tmp_path):
    first = train(ravdess, tmp_path / "voice", tmp_path / "cache")
    assert first.returncode == 0, first.stderr
    assert "03-01-06-01-01-01-01.wav" in first.stderr
    assert "ravdess_negative_auc" in first.stdout
    assert "1/1, loss" in first.stderr
    model = EmotionModel.load(tmp_path / "voice", trust=Trust(allow_unsigned=True))
    assert isinstance(model.read(whole_clip(Recipe(seed=3, seconds=1.2, pitch_hz=240).pcm())), VoiceReading)
    # The second run finds features and net done, and makes the same bytes of them.
    net = (tmp_path / "voice" / "model.tflite").read_bytes()
    second = train(ravdess, tmp_path / "again", tmp_path / "cache")
    assert second.returncode == 0, second.stderr
    assert "1/1, loss" not in second.stderr
    assert (tmp_path / "again" / "model.tflite").read_bytes() == net


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "no corpus given"),
        (["--ravdess", "somewhere", "--epochs", "0"], 2, "--epochs 0: nothing to train for; give 1 or more"),
        (["--ravdess", "somewhere", "--windows", "63"], 2, "--windows 63: less than one step; give 64 or more"),
        (["--ravdess", "somewhere", "--key", "nowhere.key"], 1, "nowhere.key: no such key file"),
    ],
)
def test_wrong_use_is_told_before_any_work(arguments, code, said):
    done = subprocess.run([sys.executable, "-m", "convert", "train", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.takes(25)
def test_nets_trained_side_by_side_are_done_and_the_same_for_the_same_seed(ravdess, tmp_path):
    recipe = learning.Recipe(epochs=1, size=128, copies=0)
    parts = cache(gather({"ravdess": ravdess}), tmp_path, copies=0, seed=1)
    places = tuple(range(len(parts[0].clips)))
    trainings = [learning.Training(title=name, places=places, keep=tmp_path / name) for name in ("one", "two")]
    learning.side_by_side(parts, trainings, recipe, 1)
    one, two = (json.loads(training.keep.with_suffix(".json").read_text()) for training in trainings)
    assert one == two
    assert one["done"] == 1
    assert (tmp_path / "one-1.data-00000-of-00001").read_bytes() == (tmp_path / "two-1.data-00000-of-00001").read_bytes()


@pytest.mark.takes(15)
def test_a_training_that_goes_on_starts_from_what_the_shipped_net_says(tmp_path):
    from convert.voice.network import logits_of, taken_from

    shipped = ROOT / "models" / "voice" / "model.tflite"
    windows = np.clip(np.random.default_rng(1).normal(0, 0.4, (8, SPEC.frames, SPEC.bands, SPEC.planes)), -1, 1).astype(np.float32)
    interpreter = Interpreter(shipped)
    small = interpreter.run(quantise(windows, interpreter.input.scale, interpreter.input.zero_point))
    # Activations are rounded to 8 bits in the one and not in the other; the weights are the same numbers.
    apart = np.abs(logits_of(taken_from(shipped)[0], windows) - small)
    assert np.median(apart) < 0.1
    assert small.std() > 0.5
