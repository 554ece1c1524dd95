"""What a connection says of its call in JSON: the fields of a `context` command, wherever a protocol puts them; the rest is not ours."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec

from edge.listen.messages import ProtocolError, Refusal
from edge.wire.commands import CallFacts
from edge.wire.context import Context

_NAMES = tuple(one.name for one in fields(Context))
# Where every value is text.
_WORDS = {"true": True, "false": False}


def brought(said: Mapping[str, Any]) -> Context:
    """The context in `said`, whose other keys are the switchboard's own. Raises ProtocolError naming the field that is wrong."""
    known = {name: said[name] for name in _NAMES if said.get(name) not in (None, "")}
    if isinstance(notice := known.get("notice_given"), str):
        known["notice_given"] = _WORDS.get(notice.lower(), notice)
    try:
        return Context.of(msgspec.convert(known, CallFacts))
    except msgspec.ValidationError as error:
        _, _, where = str(error).partition(" - at ")
        raise ProtocolError(Refusal.NOT_UNDERSTOOD, f"{where or 'a field'} is not what a context command takes") from error
