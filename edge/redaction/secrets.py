"""Passwords, PINs, security answers and memorable words: what is told of them is hidden, that they are wrong is not."""

from collections.abc import Sequence

from edge.redaction import vocabulary as v
from edge.redaction.known import foreign
from edge.redaction.marks import Marks, mark, skip
from edge.redaction.spoken_numbers import STARTS

# How far a secret goes on, and how much may be told of it before it is told, in words.
_LENGTH, _BETWEEN = 6, 8
_CHOSEN_LINKS = frozenset(("name", "name's", "'s", "i", "had", "ever", "at", "went", "to", "we"))
_SECRET_SIGNS = frozenset(cue + end for cue in (*v.SECRET_CUES, *(cue for _, cue in v.SECRET_PAIRS)) for end in ("", "'s"))


def secrets(tokens: Sequence[str], marks: Marks) -> None:
    """What follows "password is", "the pin i used was", "maiden name is" and the like, and what is used "as my password"."""
    for at, word in enumerate(tokens):
        if word in v.CHOSEN and at + 1 < len(tokens) and tokens[at + 1] in v.CHOSEN_OF:
            _chosen(tokens, marks, at + 2)
        if tokens[at : at + 2] == ["as", "my"] and at + 2 < len(tokens) and tokens[at + 2] in v.SECRETS_OF_MINE:
            start = next((i + 1 for i in range(at - 1, max(-1, at - 2 - _LENGTH), -1) if tokens[i] in v.USING), at)
            mark(marks, skip(tokens, start, v.SECRET_ARTICLES), at, "password")
        if word == "answer" and "question" in tokens:
            _secret_after(tokens, marks, at + 1)
        if word not in _SECRET_SIGNS:
            continue
        cue, owned = word.removesuffix("'s"), word.endswith("'s")
        if cue not in v.SECRET_CUES and (tokens[at - 1] if at else "", cue) not in v.SECRET_PAIRS:
            continue
        after = at if owned else skip(tokens, at + 1, v.SECRET_LINKS)
        link = "is" if owned else tokens[after] if after < len(tokens) else ""
        changing = link in ("to", "as") and not v.CHANGING.isdisjoint(tokens[max(0, at - 4) : at])
        if link in v.IS or changing:
            _hide_secret(tokens, marks, after + 1)
        elif (
            after < len(tokens)
            and link not in v.NOT_SECRETS
            and (foreign(link) or (tokens[after + 1 : after + 2] and tokens[after + 1] in STARTS))
        ):
            # "memorable word kingfisher", "password thistle two five": no link, and nothing that is said of passwords.
            _hide_secret(tokens, marks, after)
        else:
            _secret_after(tokens, marks, at + 1)


def _secret_after(tokens: Sequence[str], marks: Marks, start: int) -> None:
    """Hide what is told behind "i used for the portal was"."""
    link = skip(tokens, start, v.SECRET_BETWEEN)
    if link > start and link < len(tokens) and tokens[link - 1] in ("be", "been"):
        link -= 1
    if link < len(tokens) and link - start <= _BETWEEN and tokens[link] in (*v.IS, "been"):
        _hide_secret(tokens, marks, link + 1)


def _chosen(tokens: Sequence[str], marks: Marks, start: int) -> None:
    link = skip(tokens, start, _CHOSEN_LINKS)
    if link < len(tokens) and tokens[link] in (*v.IS, "were"):
        first = skip(tokens, link + 1, v.SECRET_ARTICLES | {"called", "named"})
        if first < len(tokens) and (foreign(tokens[first]) or "question" in tokens):
            _hide_secret(tokens, marks, first)


def _hide_secret(tokens: Sequence[str], marks: Marks, start: int) -> None:
    start = skip(tokens, start, v.SECRET_ARTICLES)
    end = start
    while end < len(tokens) and end - start < _LENGTH and (tokens[end] not in v.NOT_SECRETS or tokens[end] in v.LETTERS):
        end += 1
    if end > start:
        mark(marks, start, _symbols_end(tokens, end), "password")


def _symbols_end(tokens: Sequence[str], start: int) -> int:
    """Where letters and digits said one by one from `start` on end."""
    while start < len(tokens) and (tokens[start] in v.LETTERS or tokens[start] in v.SPELLING_WORDS or tokens[start] in STARTS):
        start += 1
    return start
