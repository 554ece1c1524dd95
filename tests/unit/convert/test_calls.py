"""Calm calls as training clips: the customer's utterances as the endpointer cuts them, each a piece of the recording."""

from pathlib import Path

import numpy as np
import pytest

from convert.sound.calls import read_calls
from convert.sound.corpora import Clip
from convert.sound.dataset import cache, distinct, load, load_pcm
from convert.sound.splits import by_speaker
from edge.capture import wavfile
from edge.errors import UsageError
from tests.paths import ROOT

pytestmark = pytest.mark.takes(6)
DEMO = ROOT / "tests" / "demo" / "call.wav"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The demo call, and its first seconds as an announcement."""
    folder = tmp_path_factory.mktemp("calls")
    (folder / "call.wav").symlink_to(DEMO)
    block = next(iter(wavfile.blocks(DEMO, chunk_ms=9000)))
    wavfile.write(folder / "ivr_en.wav", np.asarray(block.pcm[:, 0]), block.rate)
    path = folder / "calls.csv"
    path.write_text('path,channels\ncall.wav,"customer,agent"\nivr_en.wav,customer\n')
    return path


@pytest.fixture(scope="module")
def clips(table):
    return read_calls(table)


def test_what_the_customer_says_is_neutral_and_a_piece_of_their_channel(clips):
    own = [clip for clip in clips if clip.speaker == "calls:call"]
    assert len(own) > 2
    assert {(clip.label, clip.corpus, clip.piece[0]) for clip in own} == {("neutral", "calls", 1)}
    for clip in own[:2]:
        pcm = load_pcm(clip)
        assert len(pcm) == clip.piece[2] - clip.piece[1]
        assert np.abs(pcm).max() > 1000


def test_announcements_are_no_people(table, clips):
    assert {clip.speaker for clip in clips} == {"calls:call", "calls:ivr_en"}
    assert {clip.speaker for clip in read_calls(table, people=True)} == {"calls:call"}


def test_all_that_the_customer_says_is_learnt_from_once(clips, tmp_path, capfd):
    kept = distinct([*clips, *clips])
    assert kept == clips
    assert capfd.readouterr().err.count("the same recording twice") == len(clips)
    prepared = load(cache(kept, tmp_path, copies=0, seed=1))
    assert [clip.piece for clip in prepared.clips] == [clip.piece for clip in clips]


def test_half_of_the_calls_are_judged_and_none_calibrates():
    calls = [Clip(path=Path(f"{n}.wav"), label="neutral", speaker=f"calls:{n}", corpus="calls", item="0") for n in range(7)]
    split = by_speaker(calls, 1)
    assert (split.train, split.calibrate, split.test, split.words) == ((0, 1, 2, 3), (), (4, 5, 6), ())


@pytest.mark.parametrize("text", ["path\ncall.wav\n", "path,channels\ncall.wav,caller\n", "path,channels\ncall.wav,agent\n", ""])
def test_a_table_that_names_no_customer_is_refused_by_name(tmp_path, text):
    table = tmp_path / "calls.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match=r"calls\.csv"):
        read_calls(table)
