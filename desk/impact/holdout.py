"""What being offered a call back changes, by the hold-out: customers drawn by lot, each counted in the arm they were drawn to. Pure.

Intention to treat: who was held and called all the same, or offered and never reached, stays where the draw put them; only so are the
arms alike in everything but the offer. (Hollis and Campbell 1999, BMJ 319:670.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desk.cases.holdout import Arm
from desk.impact.intervals import Interval, newcombe
from desk.impact.landmark import ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A case that was drawn: whose, to which arm, when, whether anybody spoke with them, and when they called again."""

    customer: str
    arm: Arm
    at: datetime
    contacted: bool
    later: Sequence[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Of `n1` customers offered a call `k1` called again within `days`, of `n2` held `k2`; `reached1/2`: spoken with all the same."""

    days: int
    k1: int
    n1: int
    reached1: int
    k2: int
    n2: int
    reached2: int
    still_followed: int
    difference: Interval | None

    @property
    def says(self) -> str:
        """In words, and no more than the numbers carry."""
        if min(self.n1, self.n2) < ENOUGH:
            return "not enough data yet"
        if self.difference is None or self.difference.crosses_zero:
            return "no difference shown"
        return "fewer come back where a call is offered" if self.difference.value < 0 else "more come back where a call is offered"


def trial(cases: Iterable[Drawn], *, days: int, now: datetime) -> Trial:
    """The first case of each customer, followed for `days` from its alert on; who is still followed at `now` waits."""
    first: dict[str, Drawn] = {}
    for one in sorted(cases, key=lambda case: case.at):
        first.setdefault(one.customer, one)
    counts = {arm: [0, 0, 0] for arm in Arm}
    followed = 0
    for one in first.values():
        end = one.at + timedelta(days=days)
        if end > now:
            followed += 1
            continue
        row = counts[one.arm]
        row[0] += any(one.at < at <= end for at in one.later)
        row[1] += 1
        row[2] += one.contacted
    (k1, n1, reached1), (k2, n2, reached2) = counts[Arm.OFFERED], counts[Arm.HELD]
    return Trial(
        days=days, k1=k1, n1=n1, reached1=reached1, k2=k2, n2=n2, reached2=reached2, still_followed=followed,
        difference=newcombe(k1, n1, k2, n2),
    )  # fmt: skip
