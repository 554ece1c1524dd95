"""The language model fitted to service calls, made of the real model: taken where it is whole, and never where it is not."""

import json
import shutil

import pytest

from edge.asr import fitted, ngram_fst
from edge.asr.recogniser import Engine
from edge.asr.vosk_model import check_model, find_vosk
from edge.capture.wavfile import read_clip
from edge.config import Config
from edge.signal.resample import resample
from tests.paths import ROOT

_VOSK = find_vosk(Config())
pytestmark = pytest.mark.skipif(_VOSK is None, reason="no speech recogniser here: run `undertone fetch-model`")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The fetched model by links, with a graph folder of its own, fitted."""
    folder = tmp_path_factory.mktemp("vosk") / _VOSK.name
    folder.mkdir()
    for part in _VOSK.iterdir():
        if part.name != "fitted":
            (folder / part.name).symlink_to(part)
    fitted.fit(folder)
    return folder


def test_the_fetched_model_stays_as_it_was_and_the_fitted_one_is_taken(model):
    check_model(model)
    assert fitted.fitted_graph(model) == model / "fitted" / "Gr.fst"
    # The graph, 24 MB, may grow by 2.
    assert (model / "fitted" / "Gr.fst").stat().st_size < 26_100_000


def test_the_format_is_openfsts_to_the_byte(tmp_path):
    ngram_fst.write(tmp_path / "Gr.fst", ngram_fst.read(_VOSK / "graph" / "Gr.fst"))
    assert (tmp_path / "Gr.fst").read_bytes() == (_VOSK / "graph" / "Gr.fst").read_bytes()


def test_it_loads_and_hears(model):
    pcm, rate = read_clip(ROOT / "tests" / "demo" / "call.wav")
    channel = Engine(model).channel()
    channel.accept(0, resample(pcm, rate)[: 16_000 * 12])
    assert "charged twice" in " ".join(word.text for word in channel.finish())


@pytest.mark.parametrize("damage", ["graph", "record", "version", "gone"])
def test_what_is_damaged_or_of_another_version_is_left_and_told(model, tmp_path, caplog, damage):
    copy = tmp_path / model.name
    copy.mkdir()
    for part in model.iterdir():
        (copy / part.name).symlink_to(part)
    (copy / "fitted").unlink()
    shutil.copytree(model / "fitted", copy / "fitted")
    record = copy / "fitted" / "made.json"
    match damage:
        case "graph":
            with (copy / "fitted" / "Gr.fst").open("r+b") as file:
                file.seek(9_000_000)
                file.write(b"\0\1\2\3")
        case "record":
            record.write_text("{")
        case "version":
            record.write_text(json.dumps(json.loads(record.read_text()) | {"made_of": "other"}))
        case "gone":
            shutil.rmtree(copy / "fitted")
    assert fitted.fitted_graph(copy) is None
    assert ("undertone fetch-model" in caplog.text) is (damage != "gone")
    Engine(copy)
