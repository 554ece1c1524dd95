"""VADER (Hutto and Gilbert 2014) through NLTK: the compound of a sentence, with some words left out.

The lexicon ships with the box (MIT, its licence beside it): NLTK would download it, and refuses absolute paths, so its folder is
put on NLTK's own search path and it is loaded by its relative name.
"""

import sys
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def _without_the_rest_of_nltk() -> None:
    """Let `nltk.sentiment.vader` be imported without what `nltk/__init__.py` brings: parsers, corpora, scipy where it is installed.

    That is 0.2 s instead of 0.3 s on a box, and instead of 3 s beside scipy or scikit-learn. The packages are entered as they
    are found, only their own start-up code is not run.
    """
    found = find_spec("nltk")
    if found is None or "nltk" in sys.modules:
        return
    top, sentiment = ModuleType("nltk"), ModuleType("nltk.sentiment")
    top.__path__ = list(found.submodule_search_locations or ())
    sentiment.__path__ = [f"{folder}/sentiment" for folder in top.__path__]
    sys.modules.update({"nltk": top, "nltk.sentiment": sentiment})


_without_the_rest_of_nltk()

import nltk.data  # noqa: E402 (only now is it lean)
from nltk.sentiment.vader import SentimentIntensityAnalyzer  # noqa: E402

_DATA = Path(__file__).with_name("nltk_data")
_LEXICON = "sentiment/vader_lexicon/vader_lexicon.txt"
# What stands for a word that VADER is not to rate: no entry of its lexicon, no negation, no booster, and longer than one letter
# (VADER drops those), so that the reach of a negation over it stays what it was.
_MASK = "xx"
# What VADER weighs by the whole sentence.
_WHOLE = frozenset(("but", "kind"))
# A word that ends so may be one with its punctuation to VADER.
_ENDINGS = ("' ", "- ", "& ")


class _Said:
    """A sentence as VADER takes it apart, for tokens that hold no punctuation to be taken off and no capitals."""

    __slots__ = ("is_cap_diff", "words_and_emoticons")

    def __init__(self, words: list[str]) -> None:
        self.words_and_emoticons = words
        self.is_cap_diff = False


class Vader:
    """VADER with the shipped lexicon. Immutable after construction; safe from any thread. Takes 0.1 to 0.3 s to build."""

    def __init__(self) -> None:
        folder = str(_DATA)
        if folder not in nltk.data.path:
            nltk.data.path.append(folder)
        self._analyzer = SentimentIntensityAnalyzer(lexicon_file=_LEXICON)
        self._known = frozenset(self._analyzer.lexicon)
        self._rated = self._known.difference(self._analyzer.constants.BOOSTER_DICT)

    def compound(self, tokens: Sequence[str], masked: Collection[int] = ()) -> float:
        """VADER's compound of lower-case `tokens`, -1..1, as if those at the positions `masked` had no rating.

        A sentence that holds no rated word is 0.0 by VADER's own arithmetic and is not run through it. In others only rated words are;
        it has most of its work with punctuation and capitals, of which `tokenize` leaves none.
        """
        shown = [_MASK if position in masked else token for position, token in enumerate(tokens)] if masked else list(tokens)
        if self._known.isdisjoint(shown):
            return 0.0
        text = " ".join(shown)
        if not _WHOLE.isdisjoint(shown) or any(ending in f"{text} " for ending in _ENDINGS):
            return self.plain(text)
        said = _Said([word for word in shown if len(word) > 1])
        ratings: list[float] = []
        for word in said.words_and_emoticons:
            if word in self._rated:
                self._analyzer.sentiment_valence(0, said, word, said.words_and_emoticons.index(word), ratings)
            else:
                ratings.append(0.0)
        return float(self._analyzer.score_valence(ratings, "")["compound"])

    def plain(self, text: str) -> float:
        """NLTK's VADER and nothing else: the compound of `text` as it stands. The baseline of every comparison."""
        return float(self._analyzer.polarity_scores(text)["compound"])

    def rated(self, tokens: Sequence[str], masked: Collection[int] = ()) -> list[tuple[str, float]]:
        """The unmasked words that VADER rates, with their ratings (-4..4), in the order of the sentence."""
        ratings = self._analyzer.lexicon
        return [(token, ratings[token]) for position, token in enumerate(tokens) if token in self._known and position not in masked]
