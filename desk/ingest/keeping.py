"""What has outlived its time goes: details of calls, closed cases, words. What is left still rebuilds to the same."""

import json
from datetime import datetime, timedelta
from typing import Any

from desk.config import KeepConfig
from desk.store.seam import Database, Transaction
from edge.clock import rfc3339

_TYPED = ("note", "action")


def forget(database: Database, keep: KeepConfig, now: datetime) -> dict[str, int]:
    """Do what `keep` says; returns how many rows of each kind went. Numbers of cases are never given out again."""
    gone = {"events": 0, "cases": 0, "texts": 0}
    with database.write() as tx:
        if keep.events_days is not None:
            before = rfc3339(now - timedelta(days=keep.events_days))
            gone["events"] = tx.run("keep_details", before=before)
            # What boxes were told of calls says whose they were.
            tx.run("keep_commands", before=before)
            if gone["events"]:
                tx.run("keep_utterances")
        if keep.cases_days is not None:
            gone["cases"] = _cases(tx, rfc3339(now - timedelta(days=keep.cases_days)))
        if keep.text_days is not None:
            gone["texts"] = _texts(tx, rfc3339(now - timedelta(days=keep.text_days)))
    return gone


def _cases(tx: Transaction, before: str) -> int:
    rows = tx.all("cases_outlived", before=before)
    for row in rows:
        for part in ("events", "utterances", "call"):
            tx.run(f"case_forget_{part}", call=row["call"])
        for statement in ("case_forget_actions", "case_forget_commands", "case_forget"):
            tx.run(statement, id=row["id"])
    if rows:
        last = max(row["id"] for row in rows)
        known = tx.one("meta_get", key="last_case")
        tx.run("meta_set", key="last_case", value=str(max(last, int(known["value"]) if known else 0)))
    return len(rows)


def _texts(tx: Transaction, before: str) -> int:
    count = 0
    for row in tx.all("actions_with_text", before=before):
        data = {key: value for key, value in json.loads(row["data"]).items() if key not in _TYPED}
        tx.run("action_data", seq=row["seq"], data=json.dumps(data))
        count += 1
    tx.run("text_of_cases", before=before)
    for row in tx.all("alerts_with_quotes", before=before):
        event = _without_quotes(json.loads(row["body"]))
        event["data"]["quotes_forgotten"] = True
        tx.run("event_body", seq=row["seq"], body=json.dumps(event, ensure_ascii=False))
        count += 1
    tx.run("quotes_of_cases", before=before)
    return count + tx.run("text_events", before=before)


def _without_quotes(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, dict):
        return {key: None if key == "quote" else _without_quotes(inner) for key, inner in value.items()}
    return [_without_quotes(one) for one in value] if isinstance(value, list) else value
