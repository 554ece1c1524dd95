"""What people and rules do to a case: checked, stored append-only, applied, told to the box. The only place that writes cases' work."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from desk.cases.refusals import Actor, Conflict, Malformed, NoSuchCase, check
from desk.cases.vocabulary import JUSTIFIED, SPOKEN, Kind, Outcome, Result
from desk.cases.work import Action, Work, apply
from desk.store.seam import Database, Row, Transaction
from edge.clock import now, uuid7
from edge.wire.topics import COMMAND_PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants done, already well-formed; `version`: the case's version that they saw, None where it does not matter."""

    kind: Kind
    data: Mapping[str, Any]
    version: int | None = None


def act(database: Database, case: int, wish: Wish, actor: Actor) -> Row:
    """Do it and return the case's row as it is then. Raises NoSuchCase, Conflict, NotAllowed, Malformed."""
    at = now()
    with database.write() as tx:
        row = tx.one("case_work_row", id=case)
        if row is None:
            raise NoSuchCase(f"there is no case {case}")
        work = Work.of(row)
        last = tx.one("last_action", case_id=case)
        # The claim itself decides who was first; its statement is its own check.
        if wish.kind is not Kind.CLAIM or work.owner is not None:
            check(work, wish.kind, actor, version=wish.version, last_at=last["at"] if last else None)
        action = Action(kind=wish.kind, at=at, actor=actor.name, data=wish.data)
        if wish.kind is Kind.ASSIGN:
            _check_works(tx, wish.data["to"])
        if wish.kind is Kind.CLAIM:
            _claim(tx, case, work, action)
        elif tx.run("case_work", id=case, seen=work.version, **apply(work, action).columns) != 1:
            raise Conflict("the case has moved on", owner=work.owner, at=work.owner_since, version=work.version)
        _store(tx, case, row["call"], action, work.version + 1)
        _tell_box(tx, row, action)
        tx.run("change_add", at=at, kind="case", key=str(case))
        done = tx.one("case_row", id=case)
        assert done is not None  # noqa: S101 (it was there a statement ago, in this transaction)
        return done


def _check_works(tx: Transaction, name: str) -> None:
    """Nobody finds a case that belongs to a name which nobody has."""
    working = [row["name"] for row in tx.all("users_working")]
    if name not in working:
        near = get_close_matches(name, working, n=1)
        remedy = f"did you mean {near[0]}?" if near else "give the name of a user who is an operator, a lead or an admin"
        raise Malformed(f"to: '{name[:63]}' works on no cases here; {remedy}")


def _claim(tx: Transaction, case: int, work: Work, action: Action) -> None:
    """One statement decides; who comes second is told who has it."""
    if tx.one("case_claim", id=case, actor=action.actor, at=action.at) is None:
        raise Conflict(f"the case was closed by {work.closed_by}", owner=work.closed_by, at=work.closed_at, version=work.version)


def _store(tx: Transaction, case: int, call: str, action: Action, version: int | None) -> None:
    tx.run(
        "action_add", case_id=case, call=call, version=version, kind=action.kind.value, at=action.at, actor=action.actor,
        data=json.dumps(dict(action.data), ensure_ascii=False),
    )  # fmt: skip


def add_rule_action(tx: Transaction, case: int, call: str, kind: Kind, at: str, actor: str, data: Mapping[str, Any]) -> None:
    """Store what a rule did and bring the case's row up to it."""
    row = tx.one("case_work_row", id=case)
    assert row is not None  # noqa: S101 (the caller has just read it)
    before = Work.of(row)
    action = Action(kind=kind, at=at, actor=actor, data=data)
    after = apply(before, action)
    _store(tx, case, call, action, after.version if after.version != before.version else None)
    tx.run("case_work", id=case, seen=before.version, **after.columns)


def _tell_box(tx: Transaction, row: Row, action: Action) -> None:
    """The command that says so to the box, if the box wants to know."""
    _, _, site, device = row["source"].split("/", 3)
    person = action.data["to"] if action.kind is Kind.ASSIGN else action.actor
    about = {"alert": row["alert"], "by": person[:128]}
    told: list[tuple[str, dict[str, Any]]] = []
    match action.kind:
        case Kind.CLAIM:
            told = [("alert/ack", about)]
        case Kind.TAKE_OVER | Kind.ASSIGN:
            told = [("alert/ack", about | {"take_over": True})]
        case Kind.ATTEMPT if Result(action.data["result"]) in SPOKEN:
            told = [("alert/contacted", about)]
        case Kind.CLOSE:
            outcome = Outcome(action.data["outcome"])
            told = [("alert/close", about | {"outcome": outcome.value})]
            if outcome in JUSTIFIED:
                told.append(("feedback/alert", about | {"justified": JUSTIFIED[outcome]}))
        case _:
            pass
    for topic, body in told:
        identity = uuid7()
        full = f"{COMMAND_PREFIX}/{site}/{device}/{topic}"
        tx.run(
            "command_add", id=identity, case_id=row["id"], source=row["source"], topic=full, body=json.dumps(body | {"id": identity}),
            created_at=action.at, until=row["answerable_until"],
        )  # fmt: skip
