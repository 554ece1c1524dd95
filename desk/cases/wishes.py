"""What a form or the API asks for, made well-formed; what makes no sense is told in one line."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from desk.cases.actions import Wish
from desk.cases.refusals import Malformed
from desk.cases.vocabulary import Kind, Outcome, Result
from edge.clock import rfc3339

# A note is a note; a document belongs elsewhere.
NOTE_CHARS = 10_000
VERBS = {
    kind.value: kind for kind in (Kind.CLAIM, Kind.RELEASE, Kind.ASSIGN, Kind.ATTEMPT, Kind.NOTE, Kind.SNOOZE, Kind.CLOSE, Kind.REOPEN)
}


def wish(verb: str, asked: Mapping[str, Any]) -> Wish:  # noqa: C901 (one case a kind)
    """The wish that `verb` and what was `asked` make. Raises Malformed."""
    kind = VERBS.get(verb)
    if kind is None:
        raise Malformed(f"'{verb[:40]}' is not known; give one of {', '.join(VERBS)}")
    version = _version(asked.get("version"))
    if kind is Kind.CLAIM and asked.get("take_over") in {True, "1", "true"}:
        return Wish(kind=Kind.TAKE_OVER, data={}, version=version)
    note = _text(asked, "note")
    data: dict[str, Any] = {"note": note} if note else {}
    match kind:
        case Kind.NOTE if not note:
            raise Malformed("note: give its text")
        case Kind.ASSIGN:
            to = _text(asked, "to") or _text(asked, "owner")
            if not to:
                raise Malformed("to: give the name of who shall have it")
            data["to"] = to
        case Kind.ATTEMPT:
            data["result"] = _one_of(asked, "result", Result)
            if data["result"] == Result.CALL_BACK_AT:
                data["call_back_at"] = _time(asked, "call_back_at")
        case Kind.SNOOZE:
            data["until"] = _time(asked, "until")
        case Kind.CLOSE:
            # People say "promised by"; the box has one word for it.
            said = "promised" if asked.get("outcome") == "promised_by" else asked.get("outcome")
            data["outcome"] = _one_of({"outcome": said}, "outcome", Outcome)
            data["action"] = _text(asked, "action")
            if data["outcome"] == Outcome.FALSE_ALARM and not (note or data["action"]):
                raise Malformed("note: say why it was a false alarm")
        case _:
            pass
    return Wish(kind=kind, data=data, version=version)


def _version(written: object) -> int | None:
    if written in {None, ""}:
        return None
    if isinstance(written, int | str) and not isinstance(written, bool) and str(written).isdigit() and len(str(written)) < 10:  # noqa: PLR2004
        return int(written)
    raise Malformed("version: give the case's version as a whole number")


def _text(asked: Mapping[str, Any], key: str) -> str | None:
    written = asked.get(key)
    if written is None:
        return None
    if not isinstance(written, str):
        raise Malformed(f"{key}: give text")
    if len(written) > NOTE_CHARS:
        raise Malformed(f"{key}: {len(written)} characters; at most {NOTE_CHARS}")
    return written.replace("\x00", "").strip() or None


def _one_of(asked: Mapping[str, Any], key: str, kind: type[Result] | type[Outcome]) -> str:
    written = asked.get(key)
    try:
        return kind(str(written)).value
    except ValueError:
        raise Malformed(f"{key}: give one of {', '.join(kind)}") from None


def _time(asked: Mapping[str, Any], key: str) -> str:
    written = asked.get(key)
    try:
        found = datetime.fromisoformat(str(written))
        return rfc3339(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Malformed(f"{key}: give a time such as 2026-12-01T14:30:00Z") from None
