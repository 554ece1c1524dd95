"""What was done about a case: a fold over its actions. Pure: the same actions give the same work, live and in a rebuild."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from desk.cases.holdout import Arm
from desk.cases.vocabulary import JUSTIFIED, SPOKEN, UNVERSIONED, Kind, Outcome, Result, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing done: `data` holds what its kind needs. `version`: the case's version that it made; None beside versions."""

    kind: Kind
    at: str
    actor: str
    data: Mapping[str, Any]
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Who has a case, since when, what came of it. Times are RFC 3339 UTC."""

    state: State = State.OPEN
    version: int = 0
    owner: str | None = None
    owner_since: str | None = None
    first_claimed_at: str | None = None
    attempted: bool = False
    attempts: int = 0
    last_result: str | None = None
    contacted_at: str | None = None
    contacted_by: str | None = None
    call_back_at: str | None = None
    do_not_contact: bool = False
    closed_at: str | None = None
    closed_by: str | None = None
    outcome: str | None = None
    action_taken: str | None = None
    justified: bool | None = None
    reopened_at: str | None = None
    lapsed_at: str | None = None
    escalated_at: str | None = None
    missed_at: str | None = None
    snoozed_until: str | None = None
    due_at: str | None = None
    due_policy: str | None = None
    due_how: str | None = None
    linked_case: int | None = None
    arm: str | None = None
    held: bool = False

    @property
    def columns(self) -> dict[str, object]:
        """As columns of the table `cases`: truths are 0 and 1."""
        return {key: int(value) if isinstance(value, bool) else value for key, value in asdict(self).items()}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Work":
        """From a row of `cases`."""
        known = {key: row[key] for key in cls.__slots__}
        known |= {"state": State(row["state"]), "attempted": bool(row["attempted"]), "do_not_contact": bool(row["do_not_contact"])}
        known |= {"held": bool(row["held"])}
        return cls(**(known | {"justified": None if row["justified"] is None else bool(row["justified"])}))


def apply(work: Work, action: Action) -> Work:
    """`work` after `action`. What is not allowed was refused before it became an action (desk.cases.refusals)."""
    changed = replace(work, **_changes(work, action))
    return changed if action.kind in UNVERSIONED else replace(changed, version=work.version + 1)


def _changes(work: Work, action: Action) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912 (one case a kind)
    data, at, actor = action.data, action.at, action.actor
    match action.kind:
        case Kind.CLAIM | Kind.TAKE_OVER:
            return _owned(work, actor, at)
        case Kind.ASSIGN:
            return _owned(work, data["to"], at)
        case Kind.RELEASE | Kind.LAPSED:
            state = State.OPEN if work.state is State.CLAIMED else work.state
            lapsed = {"lapsed_at": at} if action.kind is Kind.LAPSED else {}
            return {"state": state, "owner": None, "owner_since": None, "attempted": False, **lapsed}
        case Kind.ATTEMPT:
            return _attempt(work, action)
        case Kind.SNOOZE:
            return {"snoozed_until": data["until"]}
        case Kind.CLOSE:
            outcome = Outcome(data["outcome"])
            return {
                "state": State.CLOSED, "closed_at": at, "closed_by": actor, "outcome": outcome.value, "action_taken": data.get("action"),
                "justified": JUSTIFIED.get(outcome), "snoozed_until": None,
            }  # fmt: skip
        case Kind.REOPEN:
            return {
                "state": State.OPEN, "owner": None, "owner_since": None, "attempted": False, "closed_at": None, "closed_by": None,
                "outcome": None, "action_taken": None, "justified": None, "reopened_at": at,
            }  # fmt: skip
        case Kind.PROMISE:
            return {"due_at": data["due_at"], "due_policy": data["policy"], "due_how": data["how"]}
        case Kind.LINKED:
            return {"linked_case": data["case"]}
        case Kind.DRAWN:
            return {"arm": data["arm"], "held": data["arm"] == Arm.HELD}
        case Kind.SHOWN:
            return {"held": False}
        case Kind.ESCALATED:
            return {"escalated_at": at}
        case Kind.MISSED:
            return {"missed_at": at}
        case Kind.OPENED | Kind.NOTE:
            return {}


def changed(work: Work, after: Work) -> list[tuple[str, str | None, str | None]]:
    """What a person would call a change, from `work` to `after`: which, before, after."""
    return [
        (key, getattr(work, key), getattr(after, key)) for key in ("state", "owner", "outcome") if getattr(work, key) != getattr(after, key)
    ]


def _owned(work: Work, owner: str, at: str) -> dict[str, Any]:
    return {
        "owner": owner, "owner_since": at, "attempted": False, "snoozed_until": None, "held": False,
        "state": State.CLAIMED if work.state is State.OPEN else work.state,
        "first_claimed_at": work.first_claimed_at or at,
    }  # fmt: skip


def _attempt(work: Work, action: Action) -> dict[str, Any]:
    """Whoever tries has the case: two people must not call one customer."""
    result = Result(action.data["result"])
    changes = {} if work.owner == action.actor else _owned(work, action.actor, action.at)
    changes |= {"attempted": True, "attempts": work.attempts + 1, "last_result": result.value}
    if result in SPOKEN:
        changes |= {"state": State.CONTACTED}
        if work.contacted_at is None:
            changes |= {"contacted_at": action.at, "contacted_by": action.actor}
    if result is Result.DO_NOT_CONTACT:
        changes["do_not_contact"] = True
    changes["call_back_at"] = action.data.get("call_back_at") if result is Result.CALL_BACK_AT else work.call_back_at
    return changes
