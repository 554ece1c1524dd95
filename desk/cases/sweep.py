"""What time does to cases: forgotten claims go back, what waits too long is escalated, promises that passed are marked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from desk.cases.actions import add_rule_action
from desk.cases.vocabulary import Kind
from desk.store.seam import Database, Transaction
from edge.clock import rfc3339


def sweep(database: Database, *, claim_minutes: int, moment: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    """Do what is due and return to how many cases."""
    now = moment()
    at, before = rfc3339(now), rfc3339(now - timedelta(minutes=claim_minutes))
    with database.read() as tx:
        if not any(_due(tx, at, before).values()):
            return 0
    done = 0
    with database.write() as tx:
        for kind, cases in _due(tx, at, before).items():
            for case in cases:
                row = tx.one("case_work_row", id=case)
                assert row is not None  # noqa: S101 (it was found in this transaction)
                data = {"owner": row["owner"], "after_minutes": claim_minutes} if kind is Kind.LAPSED else {"due_at": row["due_at"]}
                add_rule_action(tx, case, row["call"], kind, at, f"rule:{kind.value}", data)
                tx.run("change_add", at=at, kind="case", key=str(case))
                done += 1
    return done


def _due(tx: Transaction, at: str, before: str) -> dict[Kind, list[int]]:
    return {
        Kind.LAPSED: [row["id"] for row in tx.all("cases_lapsed", before=before)],
        Kind.ESCALATED: [row["id"] for row in tx.all("cases_unclaimed", now=at)],
        Kind.MISSED: [row["id"] for row in tx.all("cases_missed", now=at)],
    }
