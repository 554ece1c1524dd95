"""The page of a snapshot: HTML without a script in it, and with the one stylesheet that its policy lets in."""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files

from edge.clock import span
from edge.status_page.snapshot import Snapshot

_PACKAGE = "edge.status_page"
SCRIPT = files(_PACKAGE).joinpath("page.js").read_bytes()
_STYLE = b64encode(sha256(files(_PACKAGE).joinpath("style.css").read_bytes()).digest()).decode()
# Nothing from anywhere but this box, no script but page.js, no style but the page's own, in no frame.
POLICY = (
    f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-{_STYLE}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def draw(snapshot: Snapshot | None) -> str:
    """The page; None: of a box that is only starting."""
    return _drawing()(now=snapshot)


@cache
def _drawing() -> Callable[..., str]:
    # Not at the top: nobody may ever look, and a box has better uses for the memory.
    from edge.files.pages import drawing

    return drawing(_PACKAGE, {"span": span, "dbfs": dbfs, "clock": clock})


def dbfs(level: float | None) -> str:
    """A level for a person, with a real minus sign."""
    return "digital silence" if level is None else f"{level:.0f} dBFS".replace("-", "\N{MINUS SIGN}")


def clock(moment: str) -> str:
    """The day and the time to the second of an RFC 3339 moment in UTC."""
    return f"{moment[:10]} {moment[11:19]} UTC"
