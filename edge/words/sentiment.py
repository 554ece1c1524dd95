"""VADER (Hutto and Gilbert 2014) through NLTK: the compound of a sentence, with some words left out.

The lexicon ships with the box (MIT, its licence beside it): NLTK would download it, and refuses absolute paths.
"""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import ModuleType

_DATA = Path(__file__).with_name("nltk_data")


def _lexicon(name: str) -> str:
    return (_DATA / name).read_text(encoding="utf-8")


@contextmanager
def _without_the_rest_of_nltk() -> Iterator[None]:
    """Places for what `nltk.sentiment.vader` imports and does not use: NLTK's parsers, grammars, downloader, corpus readers.

    VADER itself is NLTK's; of the rest it calls `nltk.data.load` once, for its lexicon, and `nltk.util.pairwise`. Importing all
    takes 0.3 s on a box, and 3 s beside scipy or scikit-learn. Who else wants NLTK in this process has it whole.
    """
    found = find_spec("nltk")
    names = ("nltk", "nltk.sentiment", "nltk.data", "nltk.util")
    top, sentiment, data, util = places = [ModuleType(name) for name in names]
    top.__path__ = list((found and found.submodule_search_locations) or ())
    sentiment.__path__ = [f"{folder}/sentiment" for folder in top.__path__]
    top.__dict__["data"], data.__dict__["load"], util.__dict__["pairwise"] = data, _lexicon, pairwise
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "nltk"}
    for name in others:
        del sys.modules[name]
    sys.modules.update(zip(names, places, strict=True))
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nltk"]:
            del sys.modules[name]
        sys.modules.update(others)


with _without_the_rest_of_nltk():
    from nltk.sentiment.vader import SentimentIntensityAnalyzer

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
