"""E-mail and web addresses among spoken words: where each begins and ends."""

import re
from collections.abc import Sequence

from edge.redaction import vocabulary as v
from edge.redaction.known import foreign
from edge.redaction.marks import Marks, mark, skip

# "j dot smith underscore forty two at my company" is long for what stands before a domain.
_LOCAL_LENGTH = 12
# "at my company dot com"
_HOST_LENGTH = 5
_MAIL = re.compile(r"^\S+@\S+\.\S+$")
_AT = frozenset(("at", "@"))
_TOLD_MAIL = frozenset(("underscore",)) | v.MAIL_CUES
_DOTS, _WWW = frozenset(("dot", ".")), frozenset(("w", "www", "double", "u"))


def emails(tokens: Sequence[str], marks: Marks) -> None:
    """Written addresses, and spoken ones around "at" with a domain after it."""
    for at, token in enumerate(tokens):
        if "@" not in token and token not in _AT:
            continue
        if _MAIL.match(token):
            mark(marks, at, at + 1, "email")
        if token not in _AT:
            continue
        end = _domain_end(tokens, at + 1)
        if end is None:
            continue
        mark(marks, _local_start(tokens, at), end, "email")
    if not _TOLD_MAIL.isdisjoint(tokens):
        _told_emails(tokens, marks)


def _local_start(tokens: Sequence[str], at: int) -> int:
    """Where the part of an address that ends before `at` begins."""
    start = at
    while start > 0 and at - start < _LOCAL_LENGTH and (tokens[start - 1] not in v.MAIL_STOPS or _joined(tokens, start)):
        start -= 1
    return start


def _told_emails(tokens: Sequence[str], marks: Marks) -> None:
    """Addresses whose "at" was misheard: what follows "my email is", and what ends in "dot com" where an e-mail is spoken of."""
    # An underscore is in nothing but an address or a user name.
    for at in [at for at, word in enumerate(tokens) if word == "underscore"]:
        host = next((i for i in range(at, min(at + _LOCAL_LENGTH, len(tokens))) if tokens[i] == "at"), at) + _HOST_LENGTH
        mark(marks, _local_start(tokens, at), next((i for i in range(at, len(tokens[:host])) if tokens[i] in v.MAIL_OVER), host), "email")
    for at in [at for at, word in enumerate(tokens) if word in v.MAIL_CUES]:
        link = skip(tokens, at + 1, v.FILLERS | frozenset(("address",)))
        start = skip(tokens, link + 1, v.FILLERS)
        end = next((i for i in range(start, len(tokens)) if tokens[i] in v.MAIL_ENDS or i - start >= _LOCAL_LENGTH), len(tokens))
        if link < len(tokens) and tokens[link] in v.MAIL_LINKS and not v.MAIL_PARTS.isdisjoint(tokens[start:end]):
            mark(marks, start, end, "email")
        # "s williams advert mail dot com": the "mail" of a provider that was misheard, with a name before it.
        provider = 0 < at < len(tokens) - 1 and _dot(tokens, at + 1) and tokens[at - 1] not in v.BRANDS
        begin = _local_start(tokens, at) if provider else at + 1
        for dot in range(at + 1 if provider else at + 2, min(at + _LOCAL_LENGTH, len(tokens) - 1)):
            if tokens[dot + 1] in v.TOP_LEVELS and (_dot(tokens, dot) or tokens[dot + 1] == "com"):
                mark(marks, max(begin, _local_start(tokens, dot)), _domain_end(tokens, max(dot - 1, at + 1)) or dot + 2, "email")


def _joined(tokens: Sequence[str], start: int) -> bool:
    """Whether tokens[start - 1] belongs to an address because a joint follows it: "my dot name at"."""
    return tokens[start] in v.MAIL_JOINTS or (len(tokens[start - 1]) == 1 and start > 1 and tokens[start - 2] in v.MAIL_JOINTS | v.LETTERS)


def _domain_end(tokens: Sequence[str], start: int) -> int | None:
    """Where "gmail dot com" that begins at `start` ends; None if no domain is there."""
    start = skip(tokens, start, v.FILLERS)
    dot = next((i for i in range(start + 1, min(start + 7, len(tokens))) if _dot(tokens, i)), None)
    if dot is None:
        provider = next((i for i in range(start, min(start + 2, len(tokens))) if tokens[i].split(".")[0] in v.MAIL_PROVIDERS), None)
        if provider is None and tokens[start : start + 2] not in (["g", "mail"], ["hot", "mail"], ["i", "cloud"]):
            return None
        end = (provider if provider is not None else start + 1) + 1
        return skip(tokens, end, frozenset(("com", "co", "uk", "net", "org")))
    end = skip(tokens, dot + 1, v.FILLERS) + 1
    while end < len(tokens) and _dot(tokens, end):
        end += 2
    return skip(tokens, end, frozenset(("uk", "u", "k", "com")))


def _dot(tokens: Sequence[str], position: int) -> bool:
    """Whether a dot of a domain is said here; "point" is one only before "com" and the like ("at this point we")."""
    following = tokens[position + 1] if position + 1 < len(tokens) else ""
    return tokens[position] in ("dot", ".") or (tokens[position] == "point" and following in v.TOP_LEVELS)


def webs(tokens: Sequence[str], marks: Marks) -> None:
    """Web addresses that are the caller's, or hold a name: "w w w dot okonkwo plumbing dot com"."""
    for dot in range(len(tokens) - 1):
        if not _dot(tokens, dot) or tokens[dot + 1] not in v.TOP_LEVELS or not dot or marks[dot]:
            continue
        start = dot - 1
        while start > 1 and (tokens[start - 1] in v.MAIL_JOINTS or tokens[start - 1] in _DOTS):
            start -= 2
        if start and foreign(tokens[start - 1]) and tokens[start - 1] not in v.BRANDS:
            start -= 1
        while start and tokens[start - 1] in _WWW:
            start -= 1
        theirs = any(tokens[i] in ("my", "our") and not v.SITES.isdisjoint(tokens[i : i + 3]) for i in range(max(0, start - 6), start))
        label = [part for part in tokens[start:dot] if part not in v.MAIL_JOINTS and part not in _DOTS and part not in _WWW]
        if theirs or any(foreign(part) and part not in v.BRANDS for part in label):
            mark(marks, start, _domain_end(tokens, dot - 1) or dot + 2, "website")
