"""What calling back changes, by a landmark: who was contacted by N minutes against who was not yet, repeats counted from there. Pure.

"Contacted against not contacted" compares people who had time to be contacted with people who came back before anybody could
(immortal time), and graver cases with milder ones. A landmark takes the first away and strata some of the second; neither makes an
experiment of it. (Anderson, Cain and Gelber 1983, J Clin Oncol 1:710.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desk.impact.intervals import Interval, Stratum, mean_difference, newcombe, pooled

# Below this nobody should read anything into a difference.
ENOUGH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One alerted call: when, whether and when its customer was contacted, and their later calls (start, end-weighted score)."""

    stratum: tuple[str, ...]
    at: datetime
    contacted_at: datetime | None
    later: Sequence[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """The comparison: of `n1` contacted by the landmark `k1` called again, of `n2` not contacted by then `k2` did."""

    minutes: int
    days: int
    k1: int
    n1: int
    k2: int
    n2: int
    repeated_before: int
    still_followed: int
    strata: tuple[tuple[tuple[str, ...], Stratum], ...]
    difference: Interval | None
    within_strata: Interval | None
    next_score: Interval | None
    scores1: int
    scores2: int

    @property
    def says(self) -> str:
        """In words, and no more than the numbers carry."""
        if min(self.n1, self.n2) < ENOUGH:
            return "not enough data yet"
        found = self.within_strata or self.difference
        if found is None or found.crosses_zero:
            return "no difference shown"
        return "fewer came back after a call" if found.value < 0 else "more came back after a call"


def landmark(subjects: Iterable[Subject], *, minutes: int, days: int, now: datetime) -> Landmark:
    """Compare at `minutes` after the alert, with `days` of follow-up from there; who is still followed at `now` waits."""
    counts: dict[tuple[str, ...], list[int]] = {}
    scores: tuple[list[float], list[float]] = ([], [])
    before = followed = 0
    for one in subjects:
        start = one.at + timedelta(minutes=minutes)
        end = start + timedelta(days=days)
        if end > now:
            followed += 1
            continue
        if any(one.at < at <= start for at, _ in one.later):
            before += 1
            continue
        contacted = one.contacted_at is not None and one.contacted_at <= start
        after = sorted((at, score) for at, score in one.later if start < at <= end)
        row = counts.setdefault(one.stratum, [0, 0, 0, 0])
        row[0 if contacted else 2] += bool(after)
        row[1 if contacted else 3] += 1
        if after and after[0][1] is not None:
            scores[0 if contacted else 1].append(after[0][1])
    strata = tuple((name, Stratum(k1=row[0], n1=row[1], k2=row[2], n2=row[3])) for name, row in sorted(counts.items()))
    k1, n1, k2, n2 = (sum(row[place] for row in counts.values()) for place in range(4))
    return Landmark(
        minutes=minutes, days=days, k1=k1, n1=n1, k2=k2, n2=n2, repeated_before=before, still_followed=followed, strata=strata,
        difference=newcombe(k1, n1, k2, n2), within_strata=pooled(one for _, one in strata), next_score=mean_difference(*scores),
        scores1=len(scores[0]), scores2=len(scores[1]),
    )  # fmt: skip
