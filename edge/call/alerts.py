"""The alerts of one call: at most one a rule, each a full snapshot at every revision, each able to say why.

new -> update (evidence, severity, acknowledged, contacted, customer known) -> end (closed, withdrawn, expired, call_over)

`call_over` ends what the call can tell, not the work: until `expires_at` the team's acts are still taken and echoed, as
further `end` snapshots, so that an alert that has ended never seems open again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from edge.box.clock import rfc3339
from edge.bus.commands import AlertAction, CallContext
from edge.bus.events import Alert, Event
from edge.bus.parts import EvidenceData
from edge.call.evidence import believed, cause_of, shortened, shown
from edge.call.findings import Finding, find
from edge.call.ledger import Ledger
from edge.call.picture import Picture
from edge.call.rules import SEVERITIES, Rule, RuleSet, Severity

EndReason = Literal["call_over", "withdrawn", "expired", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose call it is: what every alert repeats."""

    call: str
    line: str
    desk: str | None
    started_at: str
    customer_ref: str | None = None
    queue: str | None = None


@dataclass(slots=True)
class _Held:
    """An alert as last published, when its evidence last changed, the utterances seen, and evidence that waits for the cooldown.

    `notes` are the drivers that stay whatever the newest evidence is: raised thresholds, risen severities.
    """

    rule: Rule
    alert: Alert
    evidence_at: datetime
    expires: datetime
    seen: set[int]
    notes: list[str]
    waiting: dict[str, Any] = field(default_factory=dict)


class Alerts:
    """The alerts of one call. Owned by one thread; `quotes` is whether the privacy tier lets redacted words out.

    `strictness` -0.5..0.5 is how much of what is left above each threshold the site's own labels take away (below 0: add).
    """

    def __init__(self, *, about: About, rules: RuleSet, ledger: Ledger, quotes: bool, strictness: float = 0.0) -> None:
        self._strictness = strictness
        self._about, self._rules, self._ledger, self._quotes = about, rules, ledger, quotes
        self._held: dict[str, _Held] = {}

    @property
    def fired(self) -> list[str]:
        """The ids of the alerts opened so far, in order."""
        return [held.alert.alert for held in self._held.values()]

    def take_rules(self, rules: RuleSet) -> None:
        """Judge by new rules from now on; alerts that are open keep the rule they were opened by."""
        self._rules = rules

    def review(self, picture: Picture, now: datetime) -> list[Alert]:
        """What the call as it is now opens, adds to, takes back or lets expire."""
        found: list[Alert] = []
        hour = self._ledger.last_hour(now)
        for rule in self._rules.rules:
            held = self._held.get(rule.id)
            if held is None:
                found += self._open(rule, picture, now, 0 if rule.ignores_budget else hour)
            elif held.alert.state != "end":
                found += self._follow(held, picture, now)
        gone = [held for held in self._held.values() if held.alert.state != "end" and now >= held.expires]
        return [*found, *(self._end(held, "expired", now) for held in gone)]

    def command(self, action: AlertAction, now: datetime) -> list[Alert]:
        """The echo of what somebody did about an alert of this call; nothing where there is none to do it to."""
        held = next((held for held in self._held.values() if held.alert.alert == action.alert), None)
        if held is None or now >= held.expires or held.alert.end_reason not in (None, "call_over"):
            return []
        match action.action:
            case "ack":
                return [self._revise(held, now, acknowledged_by=action.by)]
            case "contacted":
                return [self._revise(held, now, contacted_by=action.by)]
            case "close":
                return [self._revise(held, now, state="end", end_reason="closed", outcome=action.outcome or "unstated")]

    def context(self, context: CallContext, now: datetime) -> list[Alert]:
        """The customer became known, or another: alerts that are open say so from now on."""
        given = {name: getattr(context, name) for name in ("customer_ref", "queue")}
        known = {name: value for name, value in given.items() if value not in (None, getattr(self._about, name))}
        self._about = About(**{**{name: getattr(self._about, name) for name in self._about.__slots__}, **known})
        return [self._revise(held, now, **known) for held in self._open_ones() if known]

    def end(self, reason: EndReason, now: datetime) -> list[Alert]:
        """End every open alert."""
        return [self._end(held, reason, now) for held in self._open_ones()]

    def acts_until(self) -> datetime | None:
        """Until when the team's acts on this call's alerts are to be taken; None where there is nothing to act on."""
        return max((held.expires for held in self._held.values() if held.alert.end_reason in (None, "call_over")), default=None)

    def _open_ones(self) -> list[_Held]:
        return [held for held in self._held.values() if held.alert.state != "end"]

    def _open(self, rule: Rule, picture: Picture, now: datetime, hour: int) -> list[Alert]:
        budget = self._rules.budget
        over = max(0, hour - budget.alerts_per_hour + 1)
        strictness = 1 - (1 - self._strictness) * (1 - budget.raise_by) ** over
        finding = believed(find(rule.when, picture, strictness))
        cooldown = timedelta(minutes=rule.cooldown_min)
        if finding is None or self._ledger.alerted_since(now - cooldown, rule.id, self._about.customer_ref):
            return []
        severity, notes = _risen(rule, rule.severity, picture)
        if over:
            notes.append(f"alert budget: {hour} in the last hour, {budget.alerts_per_hour} meant; thresholds raised by {strictness:.0%}")
        evidence = self._evidence(finding)
        expires = now + timedelta(minutes=rule.expires_min)
        moment = rfc3339(now)
        alert = Alert(
            alert=f"{self._about.call}:alert:{rule.id}",
            revision=1,
            state="new",
            rule=rule.id,
            rule_says=rule.says,
            severity=severity,
            route=self._route(rule, finding, picture),
            cause=cause_of(finding, picture)[0],
            probability=finding.probability,
            evidence=shortened(evidence),
            drivers=[*finding.why, *notes],
            call=self._about.call,
            line=self._about.line,
            desk=self._about.desk,
            started_at=self._about.started_at,
            customer_ref=self._about.customer_ref,
            queue=self._about.queue,
            opened_at=moment,
            updated_at=moment,
            expires_at=rfc3339(expires),
            offset_ms=picture.now_ms,
            acknowledged_by=None,
            contacted_by=None,
            outcome=None,
            end_reason=None,
        )
        self._held[rule.id] = _Held(rule, alert, now, expires, {one.n for one in evidence}, notes)
        self._ledger.opened(now, rule.id, self._about.customer_ref)
        return [alert]

    def _follow(self, held: _Held, picture: Picture, now: datetime) -> list[Alert]:
        """More evidence, a higher severity, or a reason to take the alert back."""
        rule, alert = held.rule, held.alert
        taken_up = alert.acknowledged_by or alert.contacted_by
        if rule.withdraw is not None and not taken_up and find(rule.withdraw, picture):
            return [self._end(held, "withdrawn", now)]
        self._add_evidence(held, picture, now)
        severity, why = _risen(rule, alert.severity, picture)
        if severity != alert.severity:
            held.notes += why
            return [self._revise(held, now, severity=severity, drivers=[*held.waiting.get("drivers", alert.drivers), *why])]
        due = held.waiting and now - held.evidence_at >= timedelta(minutes=rule.cooldown_min)
        return [self._revise(held, now)] if due else []

    def _add_evidence(self, held: _Held, picture: Picture, now: datetime) -> None:
        """Keep what newly speaks for the alert, for its next revision."""
        finding = believed(find(held.rule.when, picture, self._strictness))
        if finding is None:
            return
        new = [one for one in self._evidence(finding) if one.n not in held.seen]
        if not new:
            return
        held.seen.update(one.n for one in new)
        held.expires = now + timedelta(minutes=held.rule.expires_min)
        held.waiting = {
            "evidence": shortened([*held.waiting.get("evidence", held.alert.evidence), *new]),
            "drivers": [*finding.why, *held.notes],
            "probability": finding.probability,
            "cause": cause_of(finding, picture)[0] or held.alert.cause,
            "expires_at": rfc3339(held.expires),
        }

    def _route(self, rule: Rule, finding: Finding, picture: Picture) -> str:
        if rule.route != "cause":
            return rule.route
        return cause_of(finding, picture)[1] or self._rules.default_route

    def _evidence(self, finding: Finding) -> list[EvidenceData]:
        heard = {hit.heard.n: hit.heard for hit in finding.hits if hit.heard is not None}
        return [shown(one, quotes=self._quotes) for one in heard.values()]

    def _end(self, held: _Held, reason: EndReason, now: datetime) -> Alert:
        return self._revise(held, now, state="end", end_reason=reason)

    def _revise(self, held: _Held, now: datetime, **changes: object) -> Alert:
        """The next snapshot: with `changes`, and with the evidence that was waiting."""
        state = "end" if held.alert.state == "end" else "update"
        changed = {"state": state, "revision": held.alert.revision + 1, "updated_at": rfc3339(now), **held.waiting, **changes}
        if held.waiting:
            held.evidence_at, held.waiting = now, {}
        held.alert = msgspec.structs.replace(held.alert, **changed)
        return held.alert


def _risen(rule: Rule, severity: Severity, picture: Picture) -> tuple[Severity, list[str]]:
    """The highest severity that the rule gives now, and why where it is higher than `severity`; it never falls."""
    found = [(rise.to, believed(find(rise.when, picture))) for rise in rule.rises if _rank(rise.to) > _rank(severity)]
    held = [(to, finding) for to, finding in found if finding is not None]
    if not held:
        return severity, []
    to, finding = max(held, key=lambda one: _rank(one[0]))
    return to, [f"severity {to}: {'; '.join(finding.why)}"]


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def alert_events(alerts: list[Alert]) -> list[Event]:
    """Each snapshot as an event of its route's topic, in the lane that overtakes all others."""
    return [
        Event(id=f"{one.alert}:{one.revision}", topic=f"alert/{one.route}", time=one.updated_at, data=one, alert_lane=True)
        for one in alerts
    ]
