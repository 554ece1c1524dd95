"""Cases and calls as the JSON API tells them."""

from typing import Any

from desk.store.seam import Row

_CASE = (
    "id", "call", "state", "owner", "version", "severity", "route", "customer_ref", "site", "device", "line", "opened_at", "due_at",
    "severity_level", "cause", "reasons", "callback", "queue", "desk", "owner_since", "contacted_at", "closed_at", "closed_by", "outcome",
    "linked_case", "missed_at", "escalated_at", "reopened_at", "snoozed_until", "call_back_at", "attempts", "last_result", "alert",
    "alert_revision", "alert_state", "page_until", "answerable_until", "match_method", "arm",
)  # fmt: skip
_CALL = (
    "call", "site", "device", "line", "desk", "started_at", "ended_at", "duration_ms", "closed_by", "failed_reason", "customer_ref",
    "callback", "queue", "pbx_call_id", "agent_ref", "match_method", "customer_utterances", "abstained", "mean", "end_weighted", "case_id",
    "case_state", "severity",
)  # fmt: skip


def case_json(row: Row) -> dict[str, Any]:
    """A case."""
    return {key: row[key] for key in _CASE} | {"do_not_contact": bool(row["contact_forbidden"])}


def call_json(row: Row) -> dict[str, Any]:
    """A call."""
    return {key: row[key] for key in _CALL}
