"""Which words are names, and which are surely none: lists that come with the box. Each file's first line says where it is from."""

from importlib.resources import files


def _list(name: str) -> frozenset[str]:
    lines = files("edge.redaction").joinpath("lists", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(lines[1:])


# Given names that are no words besides, family names that are none, and words that are no names.
GIVEN, FAMILY, ORDINARY = _list("given"), _list("family"), _list("ordinary")
# An ending that makes an adjective, an adverb or a noun of something: no name that the lists lack ends so (Kelly and Billy are in them).
_ENDINGS = (
    "ing", "ed", "ly", "ous", "ful", "less", "able", "ible", "ness", "ment", "ments", "tion", "tions", "sion", "ity", "ical", "ish", "ive",
    "ised", "ized", "'s", "'ll", "'ve", "'re", "'d", "n't",
)  # fmt: skip
# A shorter word is more often a sound that was misheard than a name.
_SHORTEST = 3


def named(word: str) -> bool:
    """Whether `word` is a name and not a word besides."""
    return word in GIVEN or word in FAMILY


def foreign(word: str) -> bool:
    """Whether `word` is a name, or nothing that is said on service calls: what stands where a name is expected, and is no word, is one."""
    if word in ORDINARY or (word.endswith("s") and word[:-1] in ORDINARY and not named(word)):
        return False
    return named(word) or (len(word) >= _SHORTEST and word.replace("'", "").isalpha() and not word.endswith(_ENDINGS))
