"""Who called: by the switchboard's own reference, else by number; the anonymous are nobody's repeats. Pure."""

import re
from collections.abc import Collection

_ANONYMOUS = frozenset({"anonymous", "unknown", "restricted", "private", "unavailable", "withheld", "none"})
# E.164: at most 15 digits; shorter than 5 is an extension.
_NUMBER = re.compile(r"\+?\d{5,15}")


def number(written: str | None) -> str | None:
    """`written` as a bare number ("+44 113 496-0000" and "sip:+441134960000@pbx" are one); None for what is none."""
    if not written:
        return None
    bare = written.strip().removeprefix("tel:").removeprefix("sip:").partition("@")[0].partition(";")[0]
    if bare.lower() in _ANONYMOUS:
        return None
    bare = re.sub(r"[\s().\-/]", "", bare)
    bare = f"+{bare[2:]}" if bare.startswith("00") else bare
    return bare if _NUMBER.fullmatch(bare) else None


def customer_key(reference: str | None, callback: str | None, shared: Collection[str] = ()) -> str | None:
    """One key a customer; None where nobody can tell: no reference and no number, or one that many share."""
    if reference:
        return f"ref:{reference}"
    bare = number(callback)
    return None if bare is None or bare in {number(one) for one in shared} else f"tel:{bare}"
