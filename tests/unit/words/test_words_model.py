"""The learned model: n-grams, tables, bundle; trained here on a handful of sentences of our own."""

import itertools
import json

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed (`make setup`)")

from convert.words.baselines import NgramBaseline
from convert.words.bundle import pack
from convert.words.company import company
from convert.words.corpus import CAUSES, Row, airlines, duplicate_groups, folds, read_rows
from convert.words.fit import fit_decision, fit_scale, fit_shift, macro_f1, softmax, top_k
from convert.words.noise import WordErrors, align
from convert.words.report import Fitted
from convert.words.service import AIRLINE_FORMS, service_sentences
from convert.words.sets import lessons
from convert.words.table import COLUMNS, KNOWN
from convert.words.train import Reader, material, quantise, train
from convert.words.trained import Trained
from edge.bundle.signature import Trust
from edge.errors import ModelError, UsageError
from edge.phrases.lexicon import Lexicon
from edge.words.branch import WordsJudge
from edge.words.model import WordsModel
from edge.words.ngrams import known_number, pair_rows, word_rows
from edge.words.rated import rate
from edge.words.sentiment import Vader

# Ours: no corpus lines. (text, label, cause)
_LINES = [
    ("my flight was late again", 0, "Late Flight"),
    ("they lost my bag", 0, "Lost Luggage"),
    ("an hour on hold with no answer", 0, "Customer Service Issue"),
    ("what time is boarding", 1, None),
    ("do you fly to boston", 1, None),
    ("is there food on board", 1, None),
    ("thanks for the great flight", 2, None),
    ("lovely crew today thank you", 2, None),
]
RELEASE = {"metrics_are_of": "nothing", "name": "words", "version": "0.0.1", "licence": "test", "key": None}
ANYBODY = Trust(allow_unsigned=True)
AS_TRAINED = Fitted(
    negative=np.array([1.0, 0.0]), positive=np.array([1.0, 0.0]), shift=(0.0, 0.0), decision=(1.0, 1.0, 1.0),
    causes=np.array([1.0, 0.0]), cause_shift=np.zeros(len(CAUSES)), cause_decision=np.ones(len(CAUSES)),
)  # fmt: skip


def rows(count: int = 40) -> list[Row]:
    return [
        Row(id=str(1000 - n), text=f"{text} {chr(97 + n % 7)}", label=label, cause=CAUSES.index(cause) if cause else -1)
        for n, (text, label, cause) in zip(range(count), itertools.cycle(_LINES), strict=False)
    ]


@pytest.fixture(scope="module")
def trained():
    reader = Reader()
    corpus = rows()
    heard = {row.id: ["lay", *row.text.split()[1:]] for row in corpus[::3]}
    beside = lessons((), (), service_sentences(1, 1)[:40], ())
    given = material(corpus, heard, beside, service_sentences(1, 1, AIRLINE_FORMS)[::4], reader)
    return given, train(given, np.arange(len(corpus)), reader, seed=1, copies=1)


@pytest.fixture
def bundle(trained, tmp_path):
    given, table = trained
    measured = {"airline_auc": 0.5}
    packed = pack(tmp_path / "words", Trained(table=table, net=None), AS_TRAINED, given, measured, **RELEASE)
    return packed.folder


@pytest.mark.takes(1)
def test_the_bundle_gives_what_training_gave(trained, bundle):
    given, table = trained
    model, reader = WordsModel.load(bundle, trust=ANYBODY), Reader()
    lexicon, vader = Lexicon.load(), Vader()
    for row in given.rows[:8]:
        tokens = lexicon.without_agent(row.text.split())
        scored = model.score(tokens, rate(tokens, lexicon, vader).numbers)
        expected = (reader.read([row.text]).sparse @ table)[0]
        # int8 tables: half a step for each of a sentence's hundred rows at worst, far less on average.
        assert [scored.negative, scored.positive] == pytest.approx(expected[:2].tolist(), abs=0.1)
        assert sum(scored.causes.values()) == pytest.approx(1.0)


def test_the_trained_judge_knows_its_sentences(bundle):
    judge = WordsJudge.load(bundle, trust=ANYBODY)
    assert judge.judge_text("my flight was late again").label == "negative"
    assert judge.judge_text("my flight was late again").cause.code == "delay_or_missed_appointment"
    assert judge.judge_text("thanks for the great flight").label == "positive"


def test_a_bundle_with_another_lexicons_numbers_is_refused(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["features"]["rated"] = ["something"]
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=r"features\.rated"):
        WordsModel.load(bundle, trust=ANYBODY)


def test_a_flipped_byte_is_refused(bundle):
    path = bundle / "words.npz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(ModelError, match="damaged"):
        WordsModel.load(bundle, trust=ANYBODY)


def test_an_unsigned_bundle_is_refused_by_default(bundle):
    with pytest.raises(ModelError):
        WordsJudge.load(bundle)


def test_packing_does_not_overwrite_what_is_no_bundle(trained, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="no bundle"):
        pack(tmp_path, Trained(table=trained[1], net=None), AS_TRAINED, trained[0], {}, **RELEASE)
    assert (tmp_path / "thesis.txt").exists()


def test_a_table_survives_eight_bits(trained):
    _, table = trained
    assert table.shape == (COLUMNS, 2 + len(CAUSES))
    tables = quantise(table)
    words, ngrams = 1 << 15, (1 << 15) + (1 << 16)
    for name, part in (("words", table[:words]), ("pairs", table[words:ngrams]), ("company", table[KNOWN][tables["known"]])):
        step = tables[f"{name}_scale"]
        assert np.abs(tables[name] * step - part).max(axis=0) == pytest.approx(0.0, abs=float(0.5001 * step.max()))


def test_words_in_the_same_company_get_near_vectors():
    sentences = ["the carousel has no bags", "the belt has no bags", "carousel and no bags", "belt and no bags", "what time is it"]
    sentences += ["the pilot was so kind", "the crew was so kind", "pilot was kind", "crew was kind", "is it the time"]
    words = Reader().read(sentences * 2).sparse[:, KNOWN]
    vectors = company(words)
    one = {word: vectors[known_number(word)].toarray().ravel() for word in ("carousel", "belt", "pilot")}
    assert one["carousel"] @ one["belt"] > one["carousel"] @ one["pilot"]


def test_rare_causes_are_named_more_often_than_they_are_likeliest():
    chance = np.random.default_rng(1)
    truth = chance.choice(3, 900, p=[0.8, 0.15, 0.05])
    scores = chance.normal(size=(900, 3)) + 1.2 * np.eye(3)[truth]
    scale, shift = fit_shift(np.stack([scores, chance.normal(size=(900, 3))], axis=1), truth)
    # The second model knows nothing.
    assert scale[1] < 0.15 * scale[0]
    p = softmax(scale[0] * scores + shift)
    decision = fit_decision(p, truth)
    assert p.mean(axis=0) == pytest.approx([0.8, 0.15, 0.05], abs=0.02)
    assert macro_f1(truth, (p * decision).argmax(axis=1), 3) > macro_f1(truth, p.argmax(axis=1), 3)


def test_rows_of_ngrams_stay_what_they_were():
    # The shipped tables depend on them: whoever changes this must train again.
    assert word_rows("hold") == sorted(set(word_rows("hold")))
    assert (len(word_rows("hold")), sum(word_rows("hold"))) == (15, 204513)
    assert pair_rows(["on", "hold"]) == pair_rows(["on", "hold"])
    assert len(pair_rows(["on", "hold"])) == 3


def test_near_duplicates_share_a_group_and_a_fold():
    texts = [
        "you lost my bag in boston today",
        "you lost my bag in boston again",
        "what time do you open",
        "you lost my bag in boston today",
    ]
    groups = duplicate_groups(texts)
    assert groups[0] == groups[1] == groups[3] != groups[2]
    placed = folds([Row(id=str(n), text=text, label=0, cause=-1) for n, text in enumerate(texts)])
    assert placed[0] == placed[1] == placed[3]


def test_airlines_change_where_ids_jump_up():
    ids = [900 * 10**15, 899 * 10**15, 901 * 10**15, 900 * 10**15]
    assert airlines([Row(id=str(i), text="x", label=0, cause=-1) for i in ids]).tolist() == [0, 0, 1, 1]


def test_a_csv_without_its_columns_is_refused_by_name(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("id,text\n1,hello\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.csv: no column label or cause"):
        read_rows(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_rows(tmp_path / "none.csv")


def test_words_are_aligned_with_what_became_of_them():
    assert align(["on", "hold", "again"], ["on", "old", "again"]) == [("on", ("on",)), ("hold", ("old",)), ("again", ("again",))]
    assert align(["on", "hold"], ["on"]) == [("on", ("on",)), ("hold", ())]
    assert align(["refund"], ["re", "fund"])[0][0] == "refund"


def test_learnt_errors_come_back_about_as_often():
    import random

    errors = WordErrors([(["hold", "on"], ["old", "on"]), (["hold", "on"], ["hold", "on"])] * 20)
    chance = random.Random(1)
    made = [errors.corrupt(["hold", "on"], chance) for _ in range(400)]
    assert 0.35 < sum(m[0] == "old" for m in made if m) / 400 < 0.6
    assert sum("on" in m for m in made) / 400 > 0.9


def test_made_sentences_are_filled_labelled_and_the_same_each_time():
    made = service_sentences(3, seed=5)
    assert made == service_sentences(3, seed=5)
    assert not any(set("{}|") & set(sentence.text) for sentence in made)
    assert {sentence.label for sentence in made} == {"negative", "neutral", "positive"}
    assert all(sentence.cause is not None for sentence in made if sentence.label == "negative")
    # A matter told calmly has its cause too, and is neutral.
    assert {sentence.label for sentence in made if sentence.cause is not None} == {"negative", "neutral"}


def test_the_ngram_baseline_learns():
    texts = [row.text for row in rows()]
    truth = np.array([row.label for row in rows()])
    p = NgramBaseline(texts, truth, 3).p(texts)
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert macro_f1(truth, p.argmax(axis=1), 3) == 1.0


def test_scaling_undoes_overconfidence():
    chance = np.random.default_rng(1)
    truth = chance.integers(0, 3, 3000)
    negative = 1.0 * (truth == 0) + chance.normal(size=3000)
    positive = 1.0 * (truth == 2) + chance.normal(size=3000)
    idle = chance.normal(size=3000)
    worse, better, shift = fit_scale(np.stack([negative * 5, idle], axis=1), np.stack([positive * 5, idle], axis=1), truth)
    scores = [worse[0] * negative * 5 + worse[1] * idle + shift[0], np.zeros(3000), better[0] * positive * 5 + better[1] * idle + shift[1]]
    p = softmax(np.stack(scores, axis=1))
    assert abs(p[:, 0].mean() - (truth == 0).mean()) < 0.02
    assert max(worse[0], better[0]) < 0.5
    # A model that knows nothing counts for little, and never against itself.
    assert 0.0 <= max(worse[1], better[1]) < 0.15


def test_rows_of_a_rare_class_count_more_in_calibration():
    chance = np.random.default_rng(1)
    truth = chance.choice(3, 3000, p=[0.8, 0.1, 0.1])
    scores = [np.stack([2.0 * (truth == label) + chance.normal(size=3000)], axis=1) for label in (0, 2)]
    plain, even = (fit_scale(*scores, truth, weights)[2] for weights in (None, 1 / np.bincount(truth)[truth]))
    assert even[0] < plain[0] - 1.0


def test_figures_of_merit_by_hand():
    assert macro_f1(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), 3) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    p = softmax(np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]))
    assert top_k(p, np.array([1, 1]), 2) == 1.0
    assert top_k(p, np.array([2, 1]), 1) == 0.0
