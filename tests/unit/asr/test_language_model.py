"""N-gram models: what is written is read again, mixtures are mixtures, and every context sums to one."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.asr.counts import count, kneser_ney, pruned
from convert.asr.perplexity import perplexity
from convert.asr.spoken import distance
from convert.asr.text import Sentence
from edge.asr import ngram_fst
from edge.asr.fitted import load_ngrams, save_ngrams
from edge.asr.language_model import cost, mix
from edge.asr.ngram_fst import BEGIN, NO_WORD, NGrams
from edge.errors import ModelError

WORDS = ("<eps>", "i", "want", "my", "money", "back", "now", "please", "</s>")
END = len(WORDS) - 1


def header() -> bytes:
    """As OpenFst writes it: magic, types, version, flags (two symbol tables), properties, start, states, arcs, and the tables."""

    def text(said: bytes) -> bytes:
        return struct.pack("<i", len(said)) + said

    table = struct.pack("<i", 0x7EB2FB74) + text(b"words.txt") + struct.pack("<qq", len(WORDS), len(WORDS))
    table += b"".join(text(word.encode()) + struct.pack("<q", label) for label, word in enumerate(WORDS))
    return struct.pack("<i", 0x7EB2FDD6) + text(b"ngram") + text(b"standard") + struct.pack("<iiqqqq", 4, 3, 0, 1, 0, 0) + table * 2


BLANK = NGrams(
    words=WORDS, end=END, contexts=np.full((1, 2), NO_WORD), backoff=np.zeros(1),
    state=np.zeros(0, np.int64), word=np.zeros(0, np.int64), cost=np.zeros(0), header=header(),
)  # fmt: skip
# A sentence that holds every word keeps every word known.
EVERY = list(range(1, END))
texts = st.lists(st.lists(st.integers(1, END - 1), min_size=1, max_size=6), min_size=1, max_size=12)


def model_of(sentences: list[list[int]]) -> NGrams:
    return kneser_ney(count([(words, 1.0) for words in [*sentences, EVERY]], END), BLANK, least=1)


def sums(model: NGrams) -> np.ndarray:
    """Of every context, over every word and the end."""
    labels = np.arange(1, END + 1)
    each = [np.exp(-cost(model, np.tile(context, (len(labels), 1)), labels)).sum() for context in model.contexts]
    return np.array(each)


@given(texts)
@settings(max_examples=40, deadline=None)
def test_every_context_of_a_counted_model_sums_to_one(sentences):
    assert sums(model_of(sentences)) == pytest.approx(1, abs=2e-4)


@pytest.mark.takes(1)
@given(texts, texts, st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_a_mixture_lies_between_and_sums_to_one(ours, theirs, weight):
    base, trade = model_of(ours), model_of(theirs)
    mixed = mix(base, trade, weight)
    for model in (base, trade):
        asked = model.contexts[model.state]
        wanted = (1 - weight) * np.exp(-cost(base, asked, model.word)) + weight * np.exp(-cost(trade, asked, model.word))
        assert np.exp(-cost(mixed, asked, model.word)) == pytest.approx(wanted, rel=1e-6)
    assert sums(mixed) == pytest.approx(1, abs=2e-4)


@given(texts, texts)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_again(tmp_path_factory, ours, theirs):
    model, path = mix(model_of(ours), model_of(theirs), 0.5), tmp_path_factory.mktemp("fst") / "Gr.fst"
    ngram_fst.write(path, model)
    again = ngram_fst.read(path)
    for name in ("contexts", "state", "word"):
        assert np.array_equal(getattr(again, name), getattr(model, name)), name
    assert again.cost == pytest.approx(model.cost, abs=1e-5)
    assert again.backoff == pytest.approx(model.backoff, abs=1e-5)
    assert (again.words, again.end) == (WORDS, END)


def test_a_damaged_file_is_refused_by_name(tmp_path):
    ngram_fst.write(tmp_path / "Gr.fst", model_of([[1, 2, 3]]))
    whole = (tmp_path / "Gr.fst").read_bytes()
    for cut in (0, 3, 40, len(whole) // 2, len(whole) - 12):
        (tmp_path / "Gr.fst").write_bytes(whole[:cut])
        with pytest.raises(ModelError, match="is no n-gram FST"):
            ngram_fst.read(tmp_path / "Gr.fst")
    (tmp_path / "Gr.fst").write_bytes(whole.replace(b"ngram", b"const", 1))
    with pytest.raises(ModelError, match="not of type ngram"):
        ngram_fst.read(tmp_path / "Gr.fst")


def test_shipped_n_grams_are_kept_by_word_and_words_that_a_model_lacks_are_left_out(tmp_path):
    model = model_of([[1, 2, 3, 4], [1, 2, 3, 4, 5], [6, 7]])
    save_ngrams(tmp_path / "some.npz", model)
    again = load_ngrams(tmp_path / "some.npz", BLANK)
    assert np.array_equal(again.contexts, model.contexts)
    assert again.cost == pytest.approx(model.cost, abs=5e-3)
    fewer = NGrams(**{**{name: getattr(BLANK, name) for name in BLANK.__slots__}, "words": (*WORDS[:4], "wealth", *WORDS[5:])})
    left = load_ngrams(tmp_path / "some.npz", fewer)
    assert 0 < len(left.cost) < len(model.cost)
    assert 4 not in left.word
    (tmp_path / "bad.npz").write_bytes(b"PK\3\4 no more")
    with pytest.raises(ModelError, match="holds no n-grams"):
        load_ngrams(tmp_path / "bad.npz", BLANK)


def test_text_of_the_trade_is_less_surprising_afterwards_and_pruning_keeps_what_tells_most():
    base = model_of([[6, 1, 7], [5, 4, 3], [2, 2]])
    said = [[1, 2, 3, 4, 5]] * 5 + [[1, 2, 3, 4, 6]]
    counts = count([(words, 1.0) for words in [*said, EVERY]], END)
    trade = kneser_ney(counts, BLANK, least=1)
    label = {word: number for number, word in enumerate(WORDS)}
    asked = [Sentence(words=("i", "want", "my", "money", "back"), source="test")]
    few = pruned(trade, counts, 6)
    assert len(few.cost) < len(trade.cost)
    assert sums(few) == pytest.approx(1, abs=2e-4)
    before, after, with_few = (perplexity(model, asked, label) for model in (base, mix(base, trade, 0.5), mix(base, few, 0.5)))
    assert after <= with_few < before


def test_nothing_is_learnt_across_a_word_that_nobody_can_say():
    counts = count([([1, None, 2], 1.0)], END)
    assert (1, 2) not in counts[2]
    assert (BEGIN, 1) in counts[2]
    assert (2, END) in counts[2]


@pytest.mark.parametrize(
    ("spoken", "heard", "errors"), [("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "", 3), ("", "a", 1), ("a b", "b a b", 1)]
)
def test_word_errors_are_the_fewest_changes(spoken, heard, errors):
    assert distance(spoken.split(), heard.split()) == errors
