"""What may not be done to a case as it is, and why; and so what a page may offer. Pure."""

from dataclasses import dataclass

from desk.cases.vocabulary import Kind, State
from desk.cases.work import Work

_OWNERS_ONLY = frozenset({Kind.RELEASE, Kind.ATTEMPT, Kind.CLOSE, Kind.SNOOZE})
_LEADS = frozenset({"lead", "admin"})
_WORKERS = _LEADS | {"operator"}
# What a person may ask for; the other kinds are rules'.
_ASKED = (
    Kind.CLAIM, Kind.TAKE_OVER, Kind.RELEASE, Kind.ASSIGN, Kind.ATTEMPT, Kind.NOTE, Kind.SNOOZE, Kind.CLOSE, Kind.REOPEN,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: the login's name and role; never what a form says."""

    name: str
    role: str

    @property
    def leads(self) -> bool:
        """Whether this is a lead, or more."""
        return self.role in _LEADS

    @property
    def works(self) -> bool:
        """Whether this role works on cases at all."""
        return self.role in _WORKERS


class Conflict(Exception):  # noqa: N818 (an answer, not a failure)
    """Somebody was there first, or the case has moved on: who has it, since when."""

    def __init__(self, message: str, *, owner: str | None, at: str | None, version: int) -> None:
        super().__init__(message)
        self.owner, self.at, self.version = owner, at, version


class NoSuchCase(Exception):  # noqa: N818 (an answer, not a failure)
    """There is no case of this number."""


class NotAllowed(Exception):  # noqa: N818 (an answer, not a failure)
    """This role may not do it."""


class Malformed(Exception):  # noqa: N818 (an answer, not a failure)
    """What was asked for makes no sense; the message says what to give."""


def check(work: Work, kind: Kind, actor: Actor, *, version: int | None, last_at: str | None) -> None:  # noqa: C901 (one line a rule)
    """Raise Conflict or NotAllowed where `actor` may not do `kind` to a case as in `work`; `version`: the one the actor saw."""

    def conflict(message: str) -> Conflict:
        # A closed case was last touched by who closed it.
        holder = work.closed_by if work.state is State.CLOSED else work.owner
        since = work.closed_at if work.state is State.CLOSED else work.owner_since
        return Conflict(message, owner=holder, at=since or last_at, version=work.version)

    if not actor.works:
        raise NotAllowed(f"the role {actor.role} may not do this")
    if kind is Kind.NOTE:
        return
    if kind is Kind.REOPEN:
        if work.state is not State.CLOSED:
            raise conflict("the case is not closed")
    elif work.state is State.CLOSED:
        raise conflict(f"the case was closed by {work.closed_by}")
    if kind is Kind.CLAIM and work.owner is not None:
        raise conflict("you have it already" if work.owner == actor.name else f"{work.owner} has it")
    if kind is Kind.TAKE_OVER and work.owner == actor.name:
        raise conflict("you have it already")
    if kind is Kind.RELEASE and work.owner is None:
        raise conflict("nobody has it")
    if kind in _OWNERS_ONLY and work.owner not in {None, actor.name} and not (kind is Kind.RELEASE and actor.leads):
        raise conflict(f"{work.owner} has it; take it over first")
    if kind is Kind.ASSIGN and not actor.leads and work.owner not in {None, actor.name}:
        raise NotAllowed("only a lead assigns somebody else's case")
    if version is not None and version != work.version:
        raise conflict(f"the case has moved on: you saw version {version}, it is at {work.version}")


def possible(work: Work, actor: Actor) -> frozenset[Kind]:
    """What `actor` may do to a case as in `work`: a page offers this, and nothing that would be refused."""

    def may(kind: Kind) -> bool:
        try:
            check(work, kind, actor, version=None, last_at=None)
        except (Conflict, NotAllowed):
            return False
        return True

    return frozenset(kind for kind in _ASKED if may(kind))
