"""A baseline file is whole, untouched and of the model that judges, or it is refused by name."""

import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.voice import baseline_file
from edge.voice.baseline import LineBaseline, unlearnt
from edge.voice.prior import Level, shipped_prior

MODEL = shipped_prior().model
levels = st.builds(Level, centre=st.floats(-9, 9), spread=st.floats(0.1, 9))
lines = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.builds(
        LineBaseline,
        model=st.just(MODEL),
        negative=levels,
        positive=levels,
        lately=st.floats(-9, 9),
        calls=st.integers(0, 10**6),
        utterances=st.integers(0, 10**8),
    ),
    max_size=8,
)
in_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def written(tmp_path, known=None):
    path = tmp_path / "baseline.json"
    baseline_file.write(path, known or {"line-1": msgspec.structs.replace(unlearnt(shipped_prior()), calls=112, utterances=2345)})
    return path


@in_folder
@given(lines)
def test_what_is_written_is_read(tmp_path, known):
    assert baseline_file.read(written(tmp_path, known) if known else written(tmp_path), model=MODEL) == (
        known or baseline_file.read(written(tmp_path), model=MODEL)
    )


@in_folder
@given(st.data())
def test_a_truncated_file_is_refused(tmp_path, data):
    path = written(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])
    with pytest.raises(StoreError, match=re.escape(str(path))):
        baseline_file.read(path, model=MODEL)


@in_folder
@given(st.data())
def test_a_hand_edited_number_is_refused(tmp_path, data):
    path = written(tmp_path)
    text = path.read_text()
    place = data.draw(st.sampled_from([m.start() for m in re.finditer(r"[1-9](?=[\d.]*,?\n)", text.partition('"sha256"')[0])]))
    path.write_text(text[:place] + str(int(text[place]) % 9 + 1) + text[place + 1 :])
    with pytest.raises(StoreError, match=r"changed by hand or damaged|not a whole baseline file"):
        baseline_file.read(path, model=MODEL)


def test_another_models_file_is_refused_by_both_names(tmp_path):
    with pytest.raises(StoreError, match=rf"line-1.*{re.escape(MODEL)}.*voice-9\.9\.9"):
        baseline_file.read(written(tmp_path), model="voice-9.9.9")


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"format":2,"lines":{},"sha256":""}', b"[" * 100_000, b" " * 2_000_000]
)
def test_anything_else_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        baseline_file.read(path, model=MODEL)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_none_is_no_error_of_the_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        baseline_file.read(tmp_path / "baseline.json", model=MODEL)


def test_it_holds_numbers_and_names_of_lines_and_models_only(tmp_path):
    content = msgspec.json.decode(written(tmp_path).read_bytes())
    assert set(content) == {"format", "lines", "sha256"}
    assert set(content["lines"]["line-1"]) == {"model", "negative", "positive", "lately", "calls", "utterances"}
