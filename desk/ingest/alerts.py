"""A case's facts, from the newest snapshot of its call's alert; and the opening of a case at the first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from desk.cases.actions import add_rule_action
from desk.cases.holdout import Holdout
from desk.cases.promise import Calendar
from desk.cases.vocabulary import SEVERITIES, Kind, State
from desk.cases.work import Work
from desk.config import DeskConfig, HoldoutConfig
from desk.ingest.arrival import Arrival, moment, number, text, whole
from desk.store.seam import Row, Transaction
from edge.clock import rfc3339
from edge.errors import ConfigError

# A quote is for a glance; the case's own page has the event.
_QUOTE_CHARS = 300
_MOST_REASONS = 20
# Below this somebody might try them all.
_KEY_BYTES = 16
# Where a box tells all its open alerts at once.
LISTED = "alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What opening a case needs to know of the configuration."""

    calendar: Calendar
    minutes: Mapping[str, int]
    timezone: str
    repeat_days: int
    shared: tuple[str, ...]
    holdout: Holdout | None

    @classmethod
    def of(cls, config: DeskConfig) -> "Policy":
        """As `config` says. Raises ConfigError."""
        promise = config.promise_minutes
        return cls(
            calendar=calendar(config),
            minutes={name: getattr(promise, name) for name in SEVERITIES},
            timezone=config.timezone,
            repeat_days=config.repeat_days,
            shared=config.shared_numbers,
            holdout=None if config.holdout is None else _holdout(config.holdout),
        )


def _holdout(config: HoldoutConfig) -> Holdout:
    path = Path(config.key_file)
    try:
        key = path.read_bytes().partition(b"\n")[0].strip()
    except OSError as error:
        raise ConfigError(str(error), path=path, where="holdout.key_file", remedy="write a long random line into it") from error
    if len(key) < _KEY_BYTES:
        raise ConfigError(f"the key has {len(key)} bytes", path=path, where="holdout.key_file", remedy="make one: openssl rand -hex 32")
    return Holdout(key=key, share=config.share, severities=config.severities)


def calendar(config: DeskConfig) -> Calendar:
    """The opening and quiet hours of `config`."""
    return Calendar(
        zone=config.zone, hours={str(day): span for day, span in config.hours.items()}, closed=config.closed_days, quiet=config.quiet_hours
    )


def reasons(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Why, in words: each reason's rule, what it says, when it held, how grave; an alert of one rule has one."""
    entries = _dicts(data.get("reasons")) or [dict(data)]
    return [
        {
            "rule": text(one, "rule", 80),
            "says": text(one, "says", 300) or text(one, "rule_says", 300) or text(one, "rule", 80),
            "severity": text(one, "severity", 20),
            "withdrawn": one.get("withdrawn") is True,
            "cause": text(one, "cause", 60),
            "offset_ms": whole(one, "offset_ms"),
        }
        for one in entries[:_MOST_REASONS]
    ]


def quote(data: Mapping[str, Any]) -> str | None:
    """The last quote among the evidence; None below the tier `quotes`."""
    evidence = [one for group in (data, *_dicts(data.get("reasons"))) for one in _dicts(group.get("evidence"))]
    quotes = [found for one in evidence if (found := text(one, "quote", _QUOTE_CHARS))]
    return quotes[-1] if quotes else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def facts(event: Arrival, received_at: str) -> dict[str, Any] | None:
    """The columns that an alert's snapshot fills; None for what is no snapshot of an alert with a call."""
    data = event.data
    alert, revision, severity = text(data, "alert"), whole(data, "revision"), text(data, "severity", 20)
    if event.call is None or alert is None or revision is None or severity is None:
        return None
    level = whole(data, "severity_level")
    known = SEVERITIES.index(severity) + 1 if severity in SEVERITIES else 1
    written = moment(data.get("opened_at")) or event.time
    # A clock that runs ahead must not promise time that nobody has.
    opened = min(written, received_at)
    return {
        "alert": alert,
        "alert_revision": revision,
        "alert_state": text(data, "state", 20) or "update",
        "end_reason": text(data, "end_reason", 40),
        "severity": severity,
        "severity_level": known if level is None else level,
        "route": text(data, "route", 80) or "none",
        "cause": text(data, "cause", 80),
        "probability": number(data, "probability"),
        "reasons": json.dumps(reasons(data)),
        "quote": quote(data),
        "opened_at": opened,
        "alert_at": moment(data.get("updated_at")) or event.time,
        "page_until": moment(data.get("page_until")) or moment(data.get("expires_at")),
        "answerable_until": moment(data.get("answerable_until")),
        "acknowledged_by": text(data, "acknowledged_by"),
    }


def take_alert(tx: Transaction, event: Arrival, received_at: str, policy: Policy | None) -> int | None:
    """Bring the case of the alert's call up to date, opening it first where it is new; returns its number.

    `policy` None: a rebuild, in which only cases that were opened once are there.
    """
    found = facts(event, received_at)
    if found is None or found["end_reason"] == "moved":
        return None
    row = tx.one("case_of_call", call=event.call)
    if row is not None:
        if _newer(event, found, row):
            tx.run("case_facts", call=event.call, **found)
            if policy is not None:
                _reopen(tx, row, event, found, received_at)
                _show(tx, row, event, found, received_at, policy)
                _hurry(tx, row, event, found, received_at, policy)
        return int(row["id"])
    opened = tx.one("case_opened", call=event.call)
    if opened is None and policy is None:
        return None
    number_ = int(opened["case_id"]) if opened else _next_number(tx)
    work = Work()
    tx.run(
        "case_insert", id=number_, call=event.call, source=event.source, site=event.site, device=event.device, **found, **work.columns
    )  # fmt: skip
    if policy is not None and opened is None:
        _open(tx, number_, event, found, received_at, policy)
    return number_


def _newer(event: Arrival, found: Mapping[str, Any], row: Row) -> bool:
    """Whether `found` says more than the case's row. A list of open alerts has no evidence: of one revision the alert itself counts."""
    if found["alert"] != row["alert"]:
        return bool(found["severity_level"] > row["severity_level"])
    if event.topic == LISTED:
        return bool(found["alert_revision"] > row["alert_revision"])
    return bool(found["alert_revision"] >= row["alert_revision"])


def _reopen(tx: Transaction, row: Row, event: Arrival, found: Mapping[str, Any], received_at: str) -> None:
    """Something graver came after a person had closed it: the box tells it anew, and so does the desk."""
    graver = found["severity_level"] > row["severity_level"]
    if row["state"] == State.CLOSED and graver and found["alert_state"] in {"new", "update"}:
        data = {"severity": found["severity"], "note": f"graver since it was closed: {found['severity']}"}
        add_rule_action(tx, int(row["id"]), str(event.call), Kind.REOPEN, received_at, "rule:graver", data)


def _show(tx: Transaction, row: Row, event: Arrival, found: Mapping[str, Any], received_at: str, policy: Policy) -> None:
    """A case that was held has become what nobody may hold."""
    if row["held"] and not (policy.holdout and policy.holdout.may_hold(found["severity"], found["route"])):
        add_rule_action(
            tx,
            int(row["id"]),
            str(event.call),
            Kind.SHOWN,
            received_at,
            "rule:holdout",
            {"note": f"now {found['severity']}: held no longer"},
        )


def _hurry(tx: Transaction, row: Row, event: Arrival, found: Mapping[str, Any], received_at: str, policy: Policy) -> None:
    """A case that becomes graver before anybody spoke to the customer has less time, from then on; never more."""
    if found["severity_level"] <= row["severity_level"] or row["contacted_at"] is not None:
        return
    promise = _promised(found["severity"], min(found["alert_at"], received_at), policy)
    if row["due_at"] is None or promise["due_at"] < row["due_at"]:
        add_rule_action(tx, int(row["id"]), str(event.call), Kind.PROMISE, received_at, "rule:promise", promise)


def _promised(severity: str, since: str, policy: Policy) -> dict[str, str]:
    """Until when the first contact is promised, and how that was worked out."""
    minutes = policy.minutes.get(severity, policy.minutes["low"])
    hours = "opening hours" if policy.calendar.hours else "round the clock"
    return {
        "due_at": rfc3339(policy.calendar.due(datetime.fromisoformat(since), minutes)),
        "policy": f"{severity}: {minutes} min",
        "how": f"from the alert on, {hours}, {policy.timezone}",
    }


def _next_number(tx: Transaction) -> int:
    """One that no case ever had, also of those that were forgotten."""
    forgotten = tx.one("meta_get", key="last_case")
    found = tx.one("case_number", least=int(forgotten["value"]) if forgotten else 0)
    return int(found["id"]) if found else 1


def _open(tx: Transaction, case: int, event: Arrival, found: Mapping[str, Any], received_at: str, policy: Policy) -> None:
    add_rule_action(
        tx, case, str(event.call), Kind.OPENED, received_at, "rule:alert", {"alert": found["alert"], "severity": found["severity"]}
    )
    add_rule_action(
        tx, case, str(event.call), Kind.PROMISE, received_at, "rule:promise", _promised(found["severity"], found["opened_at"], policy)
    )
    link(tx, case, str(event.call), received_at, policy)
    if policy.holdout is not None:
        caller = tx.one("call_get", call=event.call)
        arm = policy.holdout.draw(caller["customer_key"] if caller else None, found["severity"], found["route"])
        if arm is not None:
            drawn = {"arm": arm.value, "share": policy.holdout.share}
            add_rule_action(tx, case, str(event.call), Kind.DRAWN, received_at, "rule:holdout", drawn)


def link(tx: Transaction, case: int, call: str, at: str, policy: Policy) -> None:
    """Say so where the same customer has an earlier case within the window; once."""
    row, caller = tx.one("case_row", id=case), tx.one("call_get", call=call)
    if row is None or caller is None or caller["customer_key"] is None or row["linked_case"] is not None:
        return
    since = rfc3339(datetime.fromisoformat(row["opened_at"]) - timedelta(days=policy.repeat_days))
    earlier = tx.one("earlier_case", customer_key=caller["customer_key"], call=call, since=since, opened_at=row["opened_at"], id=case)
    if earlier is not None:
        add_rule_action(tx, case, call, Kind.LINKED, at, "rule:same_customer", {"case": earlier["id"]})
