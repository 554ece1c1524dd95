"""Who is looking at which case: advice, never a lock; forgotten when nobody has asked for a while. The same in every process."""

from datetime import datetime, timedelta

from desk.store.seam import Database
from edge.clock import rfc3339

SECONDS = 25.0
# A page asks every 15 s: the one look in between need not be written.
_AGAIN_S = 10.0


def look(database: Database, case: int, person: str, moment: datetime) -> list[str]:
    """`person` looks at `case` at `moment` (UTC); who else does. Others are told of somebody new at once."""
    with database.read() as tx:
        rows = [row for row in tx.all("presence_since", since=_before(moment, SECONDS)) if row["case_id"] == case]
    mine = next((row["at"] for row in rows if row["person"] == person), None)
    if mine is None or mine < _before(moment, _AGAIN_S):
        at = rfc3339(moment)
        with database.write() as tx:
            tx.run("presence_set", case_id=case, person=person, at=at)
            if mine is None:
                tx.run("change_add", at=at, kind="case", key=str(case))
    return [row["person"] for row in rows if row["person"] != person]


def lookers(database: Database, moment: datetime) -> dict[int, list[str]]:
    """Who looks at what."""
    found: dict[int, list[str]] = {}
    with database.read() as tx:
        for row in tx.all("presence_since", since=_before(moment, SECONDS)):
            found.setdefault(row["case_id"], []).append(row["person"])
    return found


def _before(moment: datetime, seconds: float) -> str:
    return rfc3339(moment - timedelta(seconds=seconds))
