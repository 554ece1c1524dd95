"""Corpora as they are found in the wild: any rate, width and container, misnamed files, short and broken clips."""

import numpy as np
import pytest
import soundfile

from convert.evaluation.page import ACTED
from convert.sound.corpora import CORPORA, gather, read_csv, read_layout
from convert.sound.dataset import cache, distinct, load
from convert.sound.splits import by_speaker
from edge.bundle.golden import Recipe
from edge.errors import UsageError
from edge.signal.spec import SPEC


def sound(rate, seconds=1.0, seed=1):
    pcm = Recipe(seed=seed, seconds=3.0, pitch_hz=150).pcm()[: int(seconds * 16_000)]
    at = np.arange(int(seconds * rate)) * 16_000 / rate
    return np.interp(at, np.arange(len(pcm)), pcm) / 32768


@pytest.fixture
def tess(tmp_path):
    folder = tmp_path / "TESS Toronto" / "OAF_angry"
    folder.mkdir(parents=True)
    soundfile.write(folder / "OAF_back_angry.wav", sound(24_414), 24_414, subtype="PCM_16")
    soundfile.write(folder / "OA_bite_neutral.wav", sound(48_000, seed=2), 48_000)
    soundfile.write(folder / "YAF_home_ps.wav", sound(96_000, seed=3), 96_000, subtype="FLOAT")
    soundfile.write(folder / "YAF_sell_sad.wav", sound(24_414, seed=4), 24_414, format="AIFF")
    soundfile.write(folder / "YAF_dog_happy.wav", np.stack([sound(44_100, seed=5)] * 2, axis=1), 44_100)
    (folder / "notes.txt").write_text("not a clip")
    return tmp_path


def test_tess_originals_of_every_kind_are_read(tess, tmp_path, capfd):
    clips = read_layout("tess", tess)
    assert {(clip.speaker, clip.item, clip.label) for clip in clips} == {
        ("tess:OAF", "back", "angry"),
        ("tess:OAF", "bite", "neutral"),
        ("tess:YAF", "home", "surprised"),
        ("tess:YAF", "sell", "sad"),
        ("tess:YAF", "dog", "happy"),
    }
    prepared = load(cache(clips, tmp_path / "cache", copies=1, seed=1, workers=1))
    assert len(prepared.clips) == 5
    assert set(prepared.copies) == {"wide", "phone", "call1"}
    assert all(len(s) == 49 and s.shape[1:] == (SPEC.bands, SPEC.planes) for s in prepared.copies["wide"])
    capfd.readouterr()
    # What the cache holds is not made again.
    again = load(cache(clips, tmp_path / "cache", copies=1, seed=1, workers=1))
    assert all(np.array_equal(a, b) for a, b in zip(again.copies["call1"], prepared.copies["call1"], strict=True))
    assert "features" not in capfd.readouterr().err


def test_a_bad_clip_is_named_and_left_out(tess, tmp_path, capfd):
    folder = tess / "TESS Toronto" / "OAF_angry"
    (folder / "OAF_bad_sad.wav").write_bytes(b"RIFF and then nothing that is sound")
    soundfile.write(folder / "OAF_blink_sad.wav", sound(16_000, 0.1), 16_000)
    soundfile.write(folder / "OAF_mute_sad.wav", np.zeros(16_000), 16_000)
    [part] = cache(read_layout("tess", tess), tmp_path / "cache", copies=1, seed=1, workers=1)
    said = capfd.readouterr().err
    # None took another with it that was to be its babble.
    assert len(part.clips) == 5
    for name in ("OAF_bad_sad", "OAF_blink_sad", "OAF_mute_sad"):
        assert said.count(name) == 1


def test_ravdess_nemo_and_ased_names(tmp_path):
    for name in ("Actor_02/03-01-02-01-01-01-02.wav", "Actor_02/03-01-07-02-02-02-02.wav", "Actor_02/03-02-07-02-02-02-02.wav"):
        (tmp_path / "r" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / name).touch()
    for folder, name in (("n", "EB0_happiness_12.opus"), ("a", "a5-07-02-02-65.opus")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    clips = gather({"ravdess": tmp_path / "r", "nemo": tmp_path / "n", "ased": tmp_path / "a"})
    assert [(c.corpus, c.speaker, c.label) for c in clips] == [
        ("ravdess", "ravdess:02", "neutral"),
        ("ravdess", "ravdess:02", "disgust"),
        ("nemo", "nemo:EB0", "happy"),
        ("ased", "ased:65", "angry"),
    ]


def test_savee_emovo_and_turev_names(tmp_path):
    names = {"savee": ["DC/DC_sa03.opus", "DC/notes_a.opus"], "emovo": ["f1/rab-f1-b1.opus"], "turev": ["calm/1234_sk_acik.opus"]}
    for corpus, files in names.items():
        for name in files:
            (tmp_path / corpus / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / corpus / name).touch()
    clips = gather({corpus: tmp_path / corpus for corpus in names})
    assert [(clip.speaker, clip.label, clip.item) for clip in clips] == [
        ("savee:DC", "sad", "03"),
        ("emovo:F1", "angry", "b1"),
        ("turev:1234", "neutral", "acik"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file,label,speaker\na.wav,angry,x\n", r"no column path \(its columns: file, label, speaker\); give a UTF-8 CSV whose first line"),
        ("path,label\na.wav,angry\n", r"no column speaker \(its columns: path, label\)"),
        ("path;label;speaker\na.wav;angry;x\n", r"no column path or label or speaker \(its columns: path;label;speaker\)"),
        ("", r"no column path or label or speaker \(it is empty\)"),
        ("path,label,speaker\n", "holds no row below its first line"),
        ("path,label,speaker\na.wav,cross,x\n", "line 2: label 'cross' is none of angry"),
        ("path,label,speaker\na.wav,angry,x\n,angry,x\n", "line 3: path and speaker may not be empty"),
    ],
)
def test_a_wrong_csv_names_line_value_and_remedy(tmp_path, text, says):
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(UsageError, match=says):
        read_csv(tmp_path / "clips.csv")


def test_a_sites_own_clips_are_found_beside_their_csv(tmp_path):
    (tmp_path / "clips.csv").write_text("path,label,speaker\none/a.wav,Angry,anna\n", encoding="utf-8-sig")
    [clip] = read_csv(tmp_path / "clips.csv")
    assert (clip.path, clip.label, clip.speaker) == (tmp_path / "one" / "a.wav", "angry", "csv:anna")


def test_a_folder_without_the_corpus_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no clip"):
        read_layout("ravdess", tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        read_layout("tess", tmp_path / "nowhere")


def test_one_of_each_recording_is_kept(tess, capfd):
    folder = tess / "TESS Toronto" / "OAF_angry"
    (folder / "YAF_back_angry.wav").write_bytes((folder / "OAF_back_angry.wav").read_bytes())
    clips = read_layout("tess", tess)
    kept = distinct([*clips, clips[0]])
    assert len(kept) == len(clips) - 1
    assert "the same recording twice" in capfd.readouterr().err


def test_no_speaker_is_in_two_parts_of_a_split(tmp_path):
    for speaker in range(1, 13):
        for code in ("01", "05"):
            path = tmp_path / f"Actor_{speaker:02}" / f"03-01-{code}-01-01-01-{speaker:02}.wav"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    clips = read_layout("ravdess", tmp_path)
    split = by_speaker(clips, 1)
    parts = [{clips[i].speaker for i in part} for part in (split.train, split.calibrate, split.test)]
    assert [len(part) for part in parts] == [8, 2, 2]
    assert len(set.union(*parts)) == 12
    assert len(split.train) + len(split.calibrate) + len(split.test) == len(clips)


def test_a_corpus_without_one_good_clip_is_named(tess, tmp_path):
    table = tmp_path / "clips.csv"
    table.write_text("path,label,speaker\nnowhere.wav,sad,anna\n")
    clips = gather({"tess": tess, "csv": table})
    with pytest.raises(UsageError, match="--csv: not one of its 1 clips could be used"):
        cache(clips, tmp_path / "cache", copies=0, seed=1, workers=1)


def test_a_report_says_of_every_corpus_that_it_is_acted():
    assert set(ACTED) == set(CORPORA)
