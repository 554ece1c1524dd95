"""Words models and fusion weights on probation: asked what their shadow is asked, kept when as good, taken back when not."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import yaml

from convert.pack import finish, now, write_manifest
from edge.bundle import golden
from edge.bundle.manifest import Manifest, load
from edge.bundle.signature import shipped_models
from edge.bundle.store import open_store
from edge.models.comparison import ENOUGH
from edge.models.install import install
from edge.tflite.interpreter import SequenceNet
from edge.values import Mode, Role, Utterance, Word, WordsReading
from edge.words.model import Calibration, WordsModel
from edge.words.net import WIDTH
from tests.boxes import LINE, SimulatedBox, config, unproven
from tests.conversation import ANGRY, PLEASED, voice
from tests.nets import keys
from tests.paths import TESTS

WORDS = shipped_models() / "words"
SENTENCES = [one["text"] for one in yaml.safe_load((TESTS / "words" / "service-dev.yaml").read_text())]
pytestmark = pytest.mark.skipif(not WORDS.is_dir(), reason="no words model is shipped in this clone")


class Recogniser:
    """Vosk's place at the rim: hears the sentences that it was given, one an utterance."""

    def __init__(self, sentences):
        self._sentences = iter(sentences)

    def channel(self):
        return self

    def result(self):
        said = next(self._sentences).split()
        return tuple(Word(text=word, start=n * 8000, end=(n + 1) * 8000, confidence=0.9) for n, word in enumerate(said))

    def finish(self):
        return ()


def utterance() -> Utterance:
    """Long enough for a sentence at a person's pace."""
    pcm, voiced = np.zeros(64_000, np.int16), np.ones(200, np.bool_)
    return Utterance(
        channel=0, role=Role.CUSTOMER, start=0, end=64_000, speech_end=64_000, pcm=pcm, voiced=voiced, turn=0, level_dbfs=-20.0
    )


def settings(folder, public, mode):
    return msgspec.structs.replace(config(folder, public, calls=2), mode=mode)


def words_bundle(folder, version, key, change):
    """The shipped words model with another calibration, its known answers given anew."""
    folder.mkdir()
    shipped = load(WORDS)
    for name in ("words.npz", "net.tflite"):
        (folder / name).write_bytes((WORDS / name).read_bytes())
    manifest = msgspec.structs.replace(shipped.manifest, version=version, calibration=change(dict(shipped.manifest.calibration)))
    with np.load(WORDS / "words.npz") as tables:
        layers = SequenceNet(folder / "net.tflite", width=WIDTH, outputs=WIDTH)
        model = WordsModel(dict(tables), msgspec.convert(manifest.calibration, Calibration), layers=layers)
    known = golden.read(WORDS / "golden.json")
    golden.write(folder / "golden.json", golden.record(known.cases, model.answer, known.tolerance))
    write_manifest(folder, manifest)
    finish(folder, key)
    return folder


def shifted(nats):
    return lambda calibration: calibration | {"shift": (calibration["shift"][0] + nats, calibration["shift"][1])}


def spoken_to(box, sentences):
    """One call in which these sentences are heard; the words models that judged them."""
    ears = replace(box.engines, recogniser=Recogniser(sentences)).for_call(LINE, box.config)
    judged = set()
    for _ in sentences:
        reading = ears.words(utterance())
        judged |= {reading.model} if isinstance(reading, WordsReading) else set()
        box.settle()
    ears.close()
    box.settle()
    return judged


@pytest.mark.parametrize(("nats", "end"), [(0.3, "kept"), (6.0, "rolled_back")])
def test_a_words_model_calibrated_anew_is_kept_and_one_calibrated_wrong_goes_back(tmp_path, nats, end):
    private, public, _ = keys(tmp_path)
    box = SimulatedBox(settings(tmp_path, public, Mode.WORDS))
    with box:
        install(words_bundle(tmp_path / "new", "9.0.1", private, shifted(nats)), box.config)
        assert box.until("installed").reason == "by hand"
        assert box.until("probation").model == "words"
        for call in (SENTENCES[:32], SENTENCES[32:64]):
            assert len(spoken_to(box, call)) == 1
        told = box.until(end)
        assert (told.model, told.version) == ("words", "9.0.1")
        assert told.figures["utterances"] >= ENOUGH
        assert told.figures["cost_ms"] > 0
        store = open_store("words", box.config)
        serving = store.manifest_of(store.serving().current).version
        assert (serving == "9.0.1") == (end == "kept")
        assert spoken_to(box, SENTENCES[:1]) == {f"words-{serving}"}


def fusion_bundle(folder, key, **weights):
    folder.mkdir()
    fitted = weights | {"utterances": 300, "calls": 30, "negatives": 50}
    write_manifest(folder, Manifest(kind="fusion", name="fusion", version="9.0.1", created=now(), licence="x", calibration=fitted))
    finish(folder, key)
    return folder


@pytest.mark.parametrize(("weights", "end"), [({"voice": 0.3, "words": 0.9}, "kept"), ({"voice": 0.0, "words": 0.0}, "rolled_back")])
def test_fusion_weights_are_kept_where_they_say_much_the_same_and_go_back_where_they_say_nothing(tmp_path, weights, end):
    private, public, _ = keys(tmp_path)
    box = SimulatedBox(settings(tmp_path, public, Mode.BOTH))
    with box:
        install(fusion_bundle(tmp_path / "new", private, **weights), box.config)
        assert box.until("probation").model == "fusion"
        assert box.engines.models["fusion"] == "fusion-9.0.1"
        for _ in range(2):
            ears = box.engines.for_call(LINE, box.config)
            for said in [ANGRY, PLEASED] * 16:
                ears.verdict(voice(0.5), said)
                box.settle()
            ears.close()
            box.settle()
        assert box.until(end).model == "fusion"
        assert box.engines.weights == (weights if end == "kept" else {"voice": 0.4, "words": 1.0})


def test_a_pin_is_told_and_so_is_its_end(tmp_path):
    _, public, _ = keys(tmp_path)
    with SimulatedBox(unproven(settings(tmp_path, public, Mode.VOICE))) as box:
        store = open_store("voice", box.config)
        store.pin(pinned=True)
        assert "nothing replaces it" in box.until("pinned").reason
        box.told.clear()
        store.pin(pinned=False)
        assert "no longer" in box.until("pinned").reason
