"""One reason of a call's alert: a rule that held, and what speaks for it from then on."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from edge.call.rules.evidence import cause_of, shortened, shown
from edge.call.rules.findings import judge
from edge.call.rules.outcome import Outcome, believed
from edge.call.rules.rule_set import Rule
from edge.call.rules.view import CallView
from edge.wire.codes import Severity
from edge.wire.parts import EvidenceData, ReasonData


class Reason:
    """A rule that held: as it is to be told (`data`), and what waits for its cooldown. `page_until`: how long it may wake somebody.

    `notes` are the drivers that stay whatever the newest evidence is: raised thresholds, risen severities.
    """

    def __init__(
        self, rule: Rule, outcome: Outcome, view: CallView, now: datetime, *, default_route: str, quotes: bool, notes: list[str]
    ) -> None:
        self._rule, self._quotes = rule, quotes
        severity, risen = _risen(rule, rule.severity, view)
        self._notes = [*risen, *notes]
        cause, team = cause_of(outcome, view)
        evidence = self._evidence(outcome)
        self._seen = {one.n for one in evidence}
        self._evidence_at = self._newest = now
        self._waiting: dict[str, Any] = {}
        self.page_until = now + timedelta(minutes=rule.expires_min)
        self.data = ReasonData(
            rule=rule.id,
            rule_says=rule.says,
            severity=severity,
            severity_level=severity.level,
            route=(team or default_route) if rule.route == "cause" else rule.route,
            cause=cause,
            probability=outcome.probability,
            offset_ms=view.now_ms,
            evidence=shortened(evidence),
            drivers=[*outcome.why, *self._notes],
            withdrawn=False,
        )

    def follow(self, view: CallView, now: datetime, *, strictness: float, may_withdraw: bool) -> bool:
        """More evidence, a higher severity, or a reason to take it back: whether that is to be told now."""
        rule = self._rule
        if self.data.withdrawn:
            return False
        if rule.withdraw is not None and may_withdraw and judge(rule.withdraw, view).holds:
            self.data = msgspec.structs.replace(self.data, withdrawn=True)
            return True
        self._add_evidence(view, now, strictness)
        severity, why = _risen(rule, self.data.severity, view)
        if severity is not self.data.severity:
            self._notes += why
            drivers = [*self._waiting.pop("drivers", self.data.drivers), *why]
            self.data = msgspec.structs.replace(self.data, severity=severity, severity_level=severity.level, drivers=drivers)
            return True
        return bool(self._waiting) and now - self._evidence_at >= timedelta(minutes=rule.cooldown_min)

    def take_waiting(self) -> None:
        """A snapshot goes out: what waited is in it, and the cooldown begins anew."""
        if not self._waiting:
            return
        self._evidence_at = self._newest
        self.data = msgspec.structs.replace(self.data, **self._waiting)
        self._waiting = {}

    def _add_evidence(self, view: CallView, now: datetime, strictness: float) -> None:
        """Keep what newly speaks for it, for the next snapshot."""
        outcome = believed(judge(self._rule.when, view, strictness))
        new = [one for one in self._evidence(outcome) if one.n not in self._seen] if outcome.holds else []
        if not new:
            return
        self._seen.update(one.n for one in new)
        self._newest = now
        self.page_until = now + timedelta(minutes=self._rule.expires_min)
        evidence = self._waiting.get("evidence", self.data.evidence)
        self._waiting = {
            "evidence": shortened([*evidence, *new]),
            "drivers": [*outcome.why, *self._notes],
            "probability": outcome.probability,
            "cause": cause_of(outcome, view)[0] or self.data.cause,
        }

    def _evidence(self, outcome: Outcome) -> list[EvidenceData]:
        heard = {hit.heard.n: hit.heard for hit in outcome.hits if hit.heard is not None}
        return [shown(one, quotes=self._quotes) for one in heard.values()]


def _risen(rule: Rule, severity: Severity, view: CallView) -> tuple[Severity, list[str]]:
    """The highest severity that the rule gives now, and why where it is higher than `severity`; it never falls."""
    found = [(rise.to, believed(judge(rise.when, view))) for rise in rule.rises if rise.to.level > severity.level]
    held = [(to, outcome) for to, outcome in found if outcome.holds]
    if not held:
        return severity, []
    to, outcome = max(held, key=lambda one: one[0].level)
    return to, [f"severity {to}: {'; '.join(outcome.why)}"]
