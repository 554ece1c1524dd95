"""The shipped voice path: what it takes, what it refuses, what it leaves unsaid, and that it is 8 bits throughout."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.__main__ import main
from edge.bundle.golden import Recipe
from edge.bundle.manifest import MANIFEST, load
from edge.bundle.signature import Trust, shipped_models
from edge.capture.wavfile import write
from edge.errors import ModelError
from edge.signal.pcm import mulaw
from edge.signal.telephone import band_limit
from edge.tflite.interpreter import Interpreter
from edge.values import Absent
from edge.voice.clip import whole_clip
from edge.voice.emotion import EmotionModel
from edge.voice.labels import LABELS

ANYBODY = Trust(allow_unsigned=True)


def speech(seconds=2.5, peak=8000, noise=20):
    return Recipe(seed=7, seconds=seconds, pitch_hz=170, glide_hz=60, peak=peak, noise=noise).pcm()


@pytest.fixture(scope="module")
def model():
    return EmotionModel.load(shipped_models() / "voice")


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "voice"
    shutil.copytree(shipped_models() / "voice", folder)
    return folder


def edited(folder: Path, **changes):
    path = folder / MANIFEST
    path.write_bytes(json.dumps(json.loads(path.read_bytes()) | changes).encode())
    (folder / "manifest.sig").unlink()
    return folder


def test_a_reading_is_seven_probabilities_and_three_polarities(model):
    reading = model.read(whole_clip(speech()))
    assert tuple(reading.probs) == LABELS
    assert sum(reading.probs.values()) == pytest.approx(1)
    assert reading.p_negative + reading.p_neutral + reading.p_positive == pytest.approx(1)
    assert reading.label == max(reading.probs, key=reading.probs.get)
    assert 0 < reading.evidence.quality <= 1
    assert np.isfinite([reading.evidence.negative, reading.evidence.positive]).all()


def test_the_evidence_has_the_training_prior_taken_out(model):
    prior = np.asarray(load(shipped_models() / "voice").manifest.calibration["log_prior"])
    reading = model.read(whole_clip(speech()))
    odds = np.log([reading.p_negative / reading.p_neutral, reading.p_positive / reading.p_neutral])
    assert [reading.evidence.negative, reading.evidence.positive] == pytest.approx(list(odds - prior))


def test_a_reading_depends_on_nothing_that_was_read_before(model):
    first = model.read(whole_clip(speech()))
    model.read(whole_clip(speech(8.0, peak=20_000)))
    assert model.read(whole_clip(speech())) == first


def test_gain_and_the_telephone_change_little(model):
    reference = model.read(whole_clip(speech(noise=60)))
    for changed in (np.rint(speech(noise=60) / 3).astype(np.int16), mulaw(band_limit(speech(noise=60)))):
        assert model.read(whole_clip(changed)).p_negative == pytest.approx(reference.p_negative, abs=0.1)


def test_a_gain_is_told_beside_the_reading(model):
    third = np.rint(speech(noise=60) / 3).astype(np.int16)
    louder = model.read(whole_clip(speech(noise=60))).speech_dbfs - model.read(whole_clip(third)).speech_dbfs
    assert louder == pytest.approx(20 * np.log10(3), abs=0.1)


@pytest.mark.parametrize(
    ("pcm", "reason"),
    [
        (speech(0.2), "too_short"),
        (np.zeros(32_000, np.int16), "too_short"),
        (np.zeros(0, np.int16), "too_short"),
        (speech(peak=20, noise=2), "too_quiet"),
    ],
)
def test_too_little_to_judge_is_an_absence_with_a_reason(model, pcm, reason):
    assert model.read(whole_clip(pcm)) == Absent(reason=reason)


def test_long_speech_is_averaged_over_windows(model):
    assert model.read(whole_clip(speech(8.0))).windows == 5


def test_less_voice_noise_and_clipping_lower_the_quality(model):
    whole = model.read(whole_clip(speech())).evidence.quality
    assert model.read(whole_clip(speech(0.8))).evidence.quality < whole
    loud = np.clip(speech().astype(np.int32) * 20, -32768, 32767).astype(np.int16)
    assert model.read(whole_clip(loud)).evidence.quality < whole


def test_every_tensor_of_the_shipped_net_is_an_integer():
    net = Interpreter(shipped_models() / "voice" / "model.tflite")
    details = net._net.get_tensor_details()
    assert {np.dtype(tensor["dtype"]).name for tensor in details} <= {"int8", "int32"}
    assert (net.input.dtype, net.output.dtype) == ("int8", "int8")
    assert (shipped_models() / "voice" / "model.tflite").stat().st_size < 300_000


def test_a_flipped_label_order_is_refused(copy):
    with pytest.raises(ModelError, match="key 'labels'"):
        EmotionModel.load(edited(copy, labels=list(reversed(LABELS))), trust=ANYBODY)


@pytest.mark.parametrize(("key", "value"), [("rate", 8000), ("bands", 64), ("hop_samples", 160)])
def test_a_model_for_other_features_is_refused_naming_the_difference(copy, key, value):
    features = dict(load(copy).manifest.features) | {key: value}
    with pytest.raises(ModelError, match=f"key 'features': '{key}' is {value}"):
        EmotionModel.load(edited(copy, features=features), trust=ANYBODY)


def test_another_quantisation_than_the_manifests_is_refused(copy):
    tensor = msgspec.to_builtins(load(copy).manifest.input) | {"scale": 0.5}
    with pytest.raises(ModelError, match="quantisation"):
        EmotionModel.load(edited(copy, input=tensor), trust=ANYBODY)


def test_a_calibration_that_is_none_is_refused(copy):
    with pytest.raises(ModelError, match="key 'calibration'"):
        EmotionModel.load(edited(copy, calibration={}), trust=ANYBODY)


def test_a_model_that_does_not_give_its_known_answers_is_refused(copy):
    golden = json.loads((copy / "golden.json").read_bytes())
    golden["cases"][0]["expected"]["logits"][0] += 1.0
    import hashlib

    (copy / "golden.json").write_text(json.dumps(golden))
    files = dict(load(shipped_models() / "voice").manifest.files)
    files["golden.json"] = hashlib.sha256((copy / "golden.json").read_bytes()).hexdigest()
    with pytest.raises(ModelError, match="known answers"):
        EmotionModel.load(edited(copy, files=files), trust=ANYBODY)


def test_a_file_that_is_no_net_is_refused(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"not a net")
    with pytest.raises(ModelError, match="no interpreter can run it"):
        Interpreter(tmp_path / "model.tflite")


def test_the_command_judges_each_file_and_goes_on_after_a_bad_one(tmp_path, capsys):
    write(tmp_path / "good.wav", speech(), 16_000)
    write(tmp_path / "short.wav", speech(0.1), 16_000)
    (tmp_path / "bad.wav").write_text("not sound")
    code = main(["voice", "--json", *(str(tmp_path / name) for name in ("bad.wav", "good.wav", "short.wav"))])
    out, err = capsys.readouterr()
    good, short = (json.loads(line) for line in out.splitlines())
    assert code == 1
    assert err.count("\n") == 1
    assert "bad.wav" in err
    assert list(good) == ["file", "channels", "probs", "p_negative", "label", "quality", "reason"]
    assert good["reason"] is None
    assert sum(good["probs"].values()) == pytest.approx(1, abs=1e-5)
    assert (short["probs"], short["reason"]) == (None, "too_short")


def test_a_person_gets_a_line_a_file(tmp_path, capsys):
    write(tmp_path / "good.wav", speech(), 8_000)
    assert main(["voice", str(tmp_path / "good.wav")]) == 0
    assert "negative" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("channels", "pick", "judged", "named", "told"),
    [
        (1, [], [1], "", False),
        (2, [], [1, 2], " (mean of channels 1 and 2)", True),
        (4, [], [1, 2, 3, 4], " (mean of channels 1 and 2 and 3 and 4)", True),
        (2, ["--pick", "1"], [1], " (channel 1)", False),
        (4, ["--pick", "3"], [3], " (channel 3)", False),
        (4, ["--pick", "1,3"], [1, 3], " (mean of channels 1 and 3)", False),
    ],
)
def test_of_several_channels_it_is_said_which_were_judged_and_how_to_choose(tmp_path, capsys, channels, pick, judged, named, told):
    sound = np.zeros((32_000, channels), np.int16)
    for one in judged:
        sound[:, one - 1] = speech()[:32_000]
    write(tmp_path / "a.wav", sound, 16_000)
    write(tmp_path / "alone.wav", speech()[:32_000], 16_000)
    assert main(["voice", "--json", str(tmp_path / "alone.wav")]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main(["voice", "--json", str(tmp_path / "a.wav"), *pick]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["channels"], found["probs"]) == (judged, alone["probs"])
    assert ("--pick 1" in err) == told
    assert main(["voice", str(tmp_path / "a.wav"), *pick]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/a.wav{named}: negative")


def test_a_channel_that_is_not_there_cannot_be_picked(tmp_path, capsys):
    write(tmp_path / "a.wav", speech(), 16_000)
    assert main(["voice", str(tmp_path / "a.wav"), "--pick", "2"]) == 1
    assert "has 1 channel; there is no channel 2 to pick" in capsys.readouterr().err
