"""A simulated year of a desk, of which the truth is known: as subjects for the landmark, or told to a desk's database.

Calling back within 30 min takes `effect` off the risk of calling again; later calls change nothing. The grave are called sooner and come
back more often; who comes back within hours is mostly not called first, and many are called days later, so that "contacted against
not" compares the patient with the impatient.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desk.impact.landmark import Subject
from desk.ingest.rebuild import rebuild
from edge.clock import rfc3339, uuid7
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store

SEVERITIES = ("medium", "high", "critical")
_QUEUES = {"medium": "delivery", "high": "billing", "critical": "technical"}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One customer: alerted at `at`, contacted or not, back or not."""

    severity: str
    at: datetime
    contacted_at: datetime | None
    back_at: datetime | None
    back_score: float
    false_alarm: bool

    @property
    def subject(self) -> Subject:
        """As the landmark takes it."""
        later = [] if self.back_at is None else [(self.back_at, self.back_score)]
        return Subject(stratum=(self.severity, _QUEUES[self.severity]), at=self.at, contacted_at=self.contacted_at, later=later)


def year(chance: random.Random, *, effect: float, start: datetime, cases: int = 1500, days: int = 330) -> list[Caller]:
    """Its callers."""
    callers = []
    for _ in range(cases):
        grade = chance.choices(range(3), cum_weights=(5, 8, 10))[0]
        at = start + timedelta(minutes=chance.uniform(0, days * 1440))
        soon = chance.random() < (0.3, 0.5, 0.7)[grade]
        wait = chance.expovariate(1 / (20, 12, 8)[grade]) if soon else chance.uniform(60, 7 * 1440)
        risk = (0.35, 0.5, 0.65)[grade] - (effect if wait <= 30 else 0.0)
        back = 31 + chance.expovariate(1 / 600) if chance.random() < risk else None
        # Who has called again is not called back any more.
        contacted = at + timedelta(minutes=wait) if back is None or wait < back else None
        callers.append(
            Caller(
                severity=SEVERITIES[grade], at=at, contacted_at=contacted, back_at=None if back is None else at + timedelta(minutes=back),
                back_score=chance.uniform(-0.6, 0.2), false_alarm=chance.random() < 0.12,
            )
        )  # fmt: skip
    return callers


def tell(store: Store, callers: Sequence[Caller]) -> None:
    """What boxes and people would have told of `callers`, into the database of `store`."""
    box, rows = ScriptedBox(), []
    for number, caller in enumerate(callers, start=1):
        name, known = uuid7(), {"customer_ref": f"K-{number}", "queue": _QUEUES[caller.severity]}
        opened = rfc3339(caller.at)
        alert = box.alert(name, severity=caller.severity, route=known["queue"], opened_at=opened, updated_at=opened, **known)
        store.tell(box, box.started(name, at=caller.at, **known), alert, box.summary(name, at=caller.at + timedelta(minutes=4)))
        if caller.back_at is not None:
            again = uuid7()
            ends = caller.back_at + timedelta(minutes=3)
            store.tell(box, box.started(again, at=caller.back_at, **known), box.summary(again, at=ends, score=caller.back_score))
        if caller.contacted_at is not None:
            claimed = caller.at + (caller.contacted_at - caller.at) * 0.4
            outcome = "false_alarm" if caller.false_alarm else "resolved"
            steps = [
                ("claim", claimed, {}),
                ("attempt", caller.contacted_at, {"result": "reached"}),
                ("close", caller.contacted_at, {"outcome": outcome}),
            ]
            for version, (kind, at, data) in enumerate(steps, start=2):
                rows.append(
                    {
                        "case_id": number,
                        "call": name,
                        "version": version,
                        "kind": kind,
                        "at": rfc3339(at),
                        "actor": "ann",
                        "data": json.dumps(data),
                    }
                )
    with store.database.write() as tx:
        tx.insert("action_add", rows)
    rebuild(store.database, ())
