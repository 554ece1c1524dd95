"""The sentence net on the box: pieces, places, heads, and what it refuses. Its layers: tests/real/words/test_sentence_net.py."""

import numpy as np
import pytest

from edge.bundle.signature import Trust
from edge.errors import ModelError
from edge.words.model import Calibration, WordsModel
from edge.words.net import HEADS, MOST_PIECES, WIDTH, Pieces, SentenceNet, tables
from edge.words.ngrams import PAIR_BITS, WORD_BITS
from edge.words.rated import RATED

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hold", "on", "##ing", "for", "##ty", "'", "i", "m", "h", "##o", "##l", "##d"]


@pytest.fixture(scope="module")
def beside() -> dict[str, np.ndarray]:
    """What stands beside the layers of a net."""
    chance = np.random.default_rng(1)
    found = {"vocabulary": np.frombuffer("\n".join(PIECES).encode(), np.uint8)}
    for name, (shape, kind) in tables(len(PIECES)).items():
        found[name] = (
            chance.integers(-127, 128, shape).astype(np.int8) if kind is np.int8 else chance.normal(0, 0.3, shape).astype(np.float32)
        )
    return found


def mean(pieces: np.ndarray) -> np.ndarray:
    """The layers of a net that only listens."""
    return pieces.mean(axis=0)


@pytest.mark.parametrize("said", ["", "on", "hold on", "i'm holding for forty on on hold", "on hold " * 60])
def test_the_layers_get_each_piece_at_its_place_and_the_heads_what_they_make_of_it(beside, said):
    seen: list[np.ndarray] = []
    read = SentenceNet(beside, lambda pieces: seen.append(pieces) or mean(pieces)).read(said.split())
    numbers = Pieces(PIECES)(said.split())
    assert len(numbers) <= MOST_PIECES
    expected = [beside["pieces"][n] * float(beside["pieces_scale"][n]) + beside["places"][at] for at, n in enumerate(numbers)]
    assert seen[0].dtype == np.float32
    assert seen[0] == pytest.approx(np.array(expected), rel=1e-5, abs=1e-5)
    for name, width in HEADS.items():
        assert getattr(read, name).shape == (width,)
        assert getattr(read, name) == pytest.approx(np.mean(expected, axis=0) @ beside[name] + beside[f"{name}_bias"], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("hold", ["hold"]),
        ("holding", ["hold", "##ing"]),
        ("forty", ["for", "##ty"]),
        ("i'm", ["i", "'", "m"]),
        ("hold's", ["hold", "'", "[UNK]"]),
        ("zeppelin", ["[UNK]"]),
        ("ho", ["h", "##o"]),
    ],
)
def test_words_are_cut_into_the_longest_known_pieces(word, pieces):
    cut = Pieces(PIECES)
    assert [PIECES[number] for number in cut.of_word(word)] == pieces
    assert [PIECES[number] for number in cut([word])] == ["[CLS]", *pieces, "[SEP]"]


@pytest.fixture
def model_tables(beside) -> dict[str, np.ndarray]:
    net = {f"net.{name}": table for name, table in beside.items()}
    return {
        "words": np.zeros((1 << WORD_BITS, 12), np.int8), "pairs": np.zeros((1 << PAIR_BITS, 12), np.int8),
        "words_scale": np.ones(12, np.float32), "pairs_scale": np.ones(12, np.float32),
        "dense": np.zeros((len(RATED) + 1, 12), np.float32), **net,
    }  # fmt: skip


def known(**changed: object) -> Calibration:
    return Calibration(
        scale=(1.0, 1.0), shift=(0.0, 0.0), prior=(0.25, 0.5, 0.25), decision=(1.0, 1.0, 1.0),
        causes=tuple("abcdefghij"), cause_factors=(1.0,) * 10, **changed,
    )  # fmt: skip


def test_the_net_is_added_by_its_scale_and_names_its_share(beside, model_tables):
    tokens, numbers = ["hold", "on"], [0.0] * len(RATED)
    model = WordsModel(model_tables, known(net_scale=(0.5, 2.0), net_cause_scale=1.0), layers=mean)
    worse, neither, better = SentenceNet(beside, mean).read(tokens).polarity
    scored = model.score(tokens, numbers)
    assert (scored.negative, scored.positive) == pytest.approx((0.5 * (worse - neither), 2.0 * (better - neither)), abs=1e-5)
    assert scored.whole == pytest.approx(scored.positive - scored.negative, abs=1e-5)
    assert 0.0 < scored.matter < 1.0
    assert sum(scored.causes.values()) == pytest.approx(1.0)


def test_without_a_net_n_grams_stand_alone(model_tables):
    alone = {name: table for name, table in model_tables.items() if not name.startswith("net.")}
    scored = WordsModel(alone, known()).score(["hold", "on"], [0.0] * len(RATED))
    assert (scored.negative, scored.positive, scored.whole, scored.matter) == (0.0, 0.0, 0.0, None)


@pytest.mark.parametrize(
    ("name", "table", "told"),
    [
        ("net.polarity", None, r"'net\.polarity' is missing"),
        ("net.places", np.zeros((3, WIDTH), np.float32), r"'net\.places'"),
        ("net.vocabulary", None, "vocabulary"),
        ("net.vocabulary", np.frombuffer(b"\xff\xfe", np.uint8), "vocabulary"),
        ("net.vocabulary", np.frombuffer(b"hold\non", np.uint8), "marks"),
        ("net.polarity_bias", np.full(3, np.nan, np.float32), "a number that is none"),
    ],
)
def test_a_net_that_is_none_is_refused_by_name(tmp_path, model_tables, name, table, told):
    from edge.words.model import _check

    broken = {key: value for key, value in model_tables.items() if key != name} | ({} if table is None else {name: table})
    with pytest.raises(ModelError, match=told):
        _check(tmp_path / "words.npz", broken, known())
    _check(tmp_path / "words.npz", model_tables, known())


def test_the_shipped_model_has_a_net():
    from edge.bundle.signature import shipped_models

    model = WordsModel.load(shipped_models() / "words", trust=Trust(allow_unsigned=True))
    assert model.score(["thanks", "for", "nothing"], [0.0] * len(RATED)).matter is not None
