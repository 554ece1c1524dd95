"""A customer forgotten: in events, actions, commands, deliveries, the audit and what is made of them.

Aggregates stay, under a random name. What people wrote in other cases loses the name, and keeps the rest; a number that another
customer calls from, too, stays there.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from desk.ingest.arrival import Arrival
from desk.ingest.calls import set_calls
from desk.ingest.mentions import TYPED, Mentions
from desk.store.seam import Database, Row, Transaction
from desk.switchboard.customers import number
from edge.clock import now, rfc3339, uuid7
from edge.wire.topics import COMMAND_PREFIX

# Whatever says who it was, or what was said. Values under these keys go, at any depth.
_PERSONAL = frozenset({"callback", "pbx_call_id", "quote", "text", "from", "to_number", "media_id", "callId"})
# As long as a box takes answers.
_BOX_ANSWERS_DAYS = 14
_ALIAS = "erased-"
_TYPED = (*TYPED, "call_back_at")


def erase(database: Database, customer: str, shared: tuple[str, ...]) -> tuple[int, int]:
    """Forget `customer` (reference or number); returns how many calls and cases were theirs. One transaction."""
    alias = f"{_ALIAS}{secrets.token_hex(8)}"
    bare = number(customer)
    with database.write() as tx:
        rows = tx.all("calls_to_erase", reference=customer, callback=bare or customer, key=f"tel:{bare}" if bare else None)
        calls = [row["call"] for row in rows]
        cases = sum(_forget(tx, call, alias, shared) for call in calls)
        _told_by_switchboards(tx, rows, customer)
        for row in tx.all("status_alerts"):
            if any(call in row["body"] for call in calls):
                tx.run("status_body", source=row["source"], topic="alerts", body=_blanked(row["body"], alias))
        _mentioned(tx, Mentions({customer, *_names(tx, rows, shared)}))
        _tell_boxes(tx, customer)
        tx.run("audit_add", at=now(), who="command line", what="erase", detail=f"{len(calls)} calls, {cases} cases")
    return len(calls), cases


def take_erased(tx: Transaction, event: Arrival, shared: tuple[str, ...]) -> list[str]:
    """A box has erased a customer: forget its calls that it names, too; returns those that were not forgotten yet."""
    given = event.data.get("calls")
    known = [tx.one("call_get", call=call) for call in given if isinstance(call, str)] if isinstance(given, list) else []
    # A box speaks for its own calls alone.
    rows = [row for row in known if row and row["source"] == event.source and not str(row["customer_ref"]).startswith(_ALIAS)]
    alias = f"{_ALIAS}{secrets.token_hex(8)}"
    for row in rows:
        _forget(tx, row["call"], alias, shared)
    if rows:
        _told_by_switchboards(tx, rows)
        _mentioned(tx, Mentions(_names(tx, rows, shared)))
        tx.run("audit_add", at=now(), who=event.source, what="erase", detail=f"{len(rows)} calls")
    return [row["call"] for row in rows]


def _forget(tx: Transaction, call: str, alias: str, shared: tuple[str, ...]) -> int:
    """Blank `call` wherever it is; returns how many cases were its."""
    for row in tx.all("events_of_call_all", call=call):
        tx.run("event_body", seq=row["seq"], body=_blanked(row["body"], alias))
    cases = _case(tx, call)
    tx.run("commands_of_call_blank", call=f'%"{call}"%')
    set_calls(tx, [call], shared)
    return cases


def _names(tx: Transaction, forgotten: Sequence[Row], shared: tuple[str, ...]) -> set[str]:
    """By what the customer of the `forgotten` calls (rows, as they were) is known: references, and numbers that are nobody else's."""
    many = {number(one) for one in shared}
    numbers = {row["callback"] for row in forgotten if row["callback"]}
    own = {one for one in numbers if number(one) not in many and tx.one("call_of_another", callback=one) is None}
    return own | {row["customer_ref"] for row in forgotten if row["customer_ref"]}


def _told_by_switchboards(tx: Transaction, calls: Sequence[Row], customer: str | None = None) -> None:
    """Blank what switchboards told of these `calls` (rows), and of the `customer`."""
    names = {row["pbx_call_id"] for row in calls if row["pbx_call_id"]}
    bare = number(customer)
    for row in tx.all("events_cti"):
        data = json.loads(row["body"])["data"]
        # Of one call the switchboard tells several times, and not each time whose it is.
        if (
            names & {str(data.get("callId")), str(data.get("origCallId"))}
            or (customer and customer in {data.get("customer_ref"), data.get("from"), data.get("to")})
            or (bare and bare in {number(str(data.get(end, ""))) for end in ("from", "to")})
        ):
            tx.run("event_body", seq=row["seq"], body=json.dumps({"data": {"event": data.get("event"), "erased": True}}))


def _tell_boxes(tx: Transaction, customer: str) -> None:
    """Every box forgets them, too. The command says whom it means until the box has answered, or two weeks have passed."""
    until = rfc3339(datetime.now(UTC) + timedelta(days=_BOX_ANSWERS_DAYS))
    for row in tx.all("boxes_known"):
        _, _, site, device = row["source"].split("/", 3)
        identity = uuid7()
        body = {"id": identity, "customer_ref": customer[:128], "callback": customer[:128], "by": "desk"}
        tx.run(
            "command_add", id=identity, case_id=None, source=row["source"], topic=f"{COMMAND_PREFIX}/{site}/{device}/customer/erase",
            body=json.dumps(body), created_at=now(), until=until,
        )  # fmt: skip


def _case(tx: Transaction, call: str) -> int:
    case = tx.one("case_of_call", call=call)
    if case is None:
        return 0
    for row in tx.all("actions_of", case_id=case["id"]):
        data: Row = {key: value for key, value in json.loads(row["data"]).items() if key not in _TYPED}
        tx.run("action_data", seq=row["seq"], data=json.dumps(data))
    tx.run("case_blank", id=case["id"])
    tx.run("commands_blank", case_id=case["id"])
    for row in tx.all("deliveries_of_call", call=f'%"{call}"%'):
        body = json.loads(row["body"])
        body["data"] = {key: value for key, value in body["data"].items() if key not in _TYPED}
        tx.run("delivery_body", seq=row["seq"], body=json.dumps(body, ensure_ascii=False))
    return 1


def _mentioned(tx: Transaction, mentions: Mentions) -> None:
    """What people wrote of this customer elsewhere: in notes of other cases, and in the audit of files."""
    for row in tx.all("actions_with_text", before=now()):
        data = json.loads(row["data"])
        if (left := mentions.typed_without(data)) != data:
            tx.run("action_data", seq=row["seq"], data=json.dumps(left, ensure_ascii=False))
    for row in tx.all("cases_with_action_taken"):
        if (text := mentions.without(row["action_taken"])) != row["action_taken"]:
            tx.run("case_action_taken", id=row["id"], action_taken=text)
    for row in tx.all("deliveries_all"):
        body = json.loads(row["body"])
        if (left := body | {"data": mentions.typed_without(body["data"])}) != body:
            tx.run("delivery_body", seq=row["seq"], body=json.dumps(left, ensure_ascii=False))
    for row in tx.all("audit_of_customers"):
        if (detail := mentions.asked_without(row["detail"])) != row["detail"]:
            tx.run("audit_detail", seq=row["seq"], detail=detail)


def _blanked(body: str, alias: str) -> str:
    return json.dumps(_without(json.loads(body), alias), ensure_ascii=False)


def _without(value: Any, alias: str) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, dict):
        return {
            key: alias if key == "customer_ref" and inner else None if key in _PERSONAL else _without(inner, alias)
            for key, inner in value.items()
        } | ({"customer_ref": alias} if "customer_ref" not in value and "callback" in value and value["callback"] else {})
    return [_without(one, alias) for one in value] if isinstance(value, list) else value
