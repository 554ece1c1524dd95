"""The alert of one call: at most one, with every finding as a reason, a full snapshot at every revision.

new -> update (a reason, evidence, severity, acknowledged, contacted, customer known) -> end (call_over, withdrawn, closed, moved)

`moved` ends it on one route and makes it `new` on another, under the same id. What a person closed, or what was withdrawn, is `new`
again where something graver comes. `call_over` ends what the call can tell, not the work: answers are taken until `answerable_until`.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.answers import answered, revised
from edge.call.rules.findings import judge
from edge.call.rules.outcome import Outcome, believed
from edge.call.rules.reason import Reason
from edge.call.rules.review import Decision, RuleReview, Watch
from edge.call.rules.rule_set import Rule, RuleSet
from edge.call.rules.view import CallView
from edge.clock import rfc3339
from edge.wire.codes import AlertEnd, AlertState, ReplyReason, Severity
from edge.wire.commands import AlertAction
from edge.wire.context import Context
from edge.wire.events import Alert, Event
from edge.wire.replies import Answer, refused

# Two weeks: who calls back after a holiday still finds it. `alerts.answerable_days` in the configuration says otherwise.
ANSWERABLE_DAYS = 14.0
# What has been done about it, which a team that it comes to anew has not.
_UNDONE = dict.fromkeys(("acknowledged_at", "acknowledged_by", "closed_at", "closed_by", "outcome", "outcome_note"))


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose call it is: what every snapshot repeats."""

    site: str
    device: str
    call: str
    line: str
    desk: str | None
    started_at: str
    customer_ref: str | None = None
    queue: str | None = None
    callback: str | None = None
    pbx_call_id: str | None = None
    agent_ref: str | None = None


def known_of(context: Context) -> dict[str, Any]:
    """What `context` says of the call that an alert repeats."""
    names = {one.name for one in fields(About)}
    return {name: value for name, value in context.known().items() if name in names}


class CallAlert:
    """The alert of one call. Owned by one thread; `quotes` is whether the privacy tier lets redacted words out.

    `strictness` -0.5..0.5 is how much of what is left above each threshold the site's own labels take away (below 0: add).
    `watch` is told what every look at every rule came to; `outcomes` are what a close may say came of it.
    """

    def __init__(
        self,
        *,
        about: About,
        rules: RuleSet,
        alert_history: AlertHistory,
        quotes: bool,
        answerable_days: float = ANSWERABLE_DAYS,
        strictness: float = 0.0,
        watch: Watch | None = None,
        outcomes: Collection[str] = (),
    ) -> None:
        self._outcomes = outcomes
        self.snapshot: Alert | None = None
        self._about, self._rules, self._alert_history, self._quotes = about, rules, alert_history, quotes
        self._answerable, self._strictness, self._watch = timedelta(days=answerable_days), strictness, watch
        self._reasons: dict[str, Reason] = {}

    @property
    def id(self) -> str:
        """What it is called, whether there is one yet or not."""
        return f"{self._about.call}:alert"

    def take_rules(self, rules: RuleSet) -> None:
        """Judge by new rules from now on; reasons that were found keep the rule that found them."""
        self._rules = rules

    def review(self, view: CallView, now: datetime) -> list[Alert]:
        """What the call as it is now opens, adds, moves or takes back."""
        hour = self._alert_history.calls_in_last_hour(now, but=self._about.call)
        news = [self._look(rule, view, now, hour) for rule in self._rules.rules]
        return self._tell(view, now) if any(news) else []

    def command(self, action: AlertAction, now: datetime) -> tuple[list[Alert], Answer]:
        """The echo of what somebody did about this call's alert, nothing where it changes nothing; and what to answer."""
        if self.snapshot is None or action.alert != self.snapshot.alert:
            return [], refused(ReplyReason.UNKNOWN_ALERT, alert=action.alert)
        told, answer = answered(self.snapshot, action, now, self._outcomes)
        return [] if told is None else [self._keep(told)], answer

    def context(self, context: Context, now: datetime) -> list[Alert]:
        """The customer became known, or something else about the call: an alert that is open says so from now on."""
        known = {name: value for name, value in known_of(context).items() if value != getattr(self._about, name)}
        self._about = About(**{**asdict(self._about), **known})
        last = self._open
        return [self._revise(last, now, **known)] if known and last else []

    def end(self, reason: AlertEnd, now: datetime) -> list[Alert]:
        """End the alert, if it is open; what waited for a cooldown is told with it."""
        last = self._open
        return [self._revise(last, now, state=AlertState.END, end_reason=reason)] if last else []

    @property
    def _open(self) -> Alert | None:
        """The last snapshot, where it has not ended."""
        return None if self.snapshot is None or self.snapshot.state is AlertState.END else self.snapshot

    def _look(self, rule: Rule, view: CallView, now: datetime, hour: int) -> bool:
        """Look at one rule; whether there is news of it."""
        found = self._reasons.get(rule.id)
        if found is None:
            return self._find(rule, view, now, hour)
        if self._watch is not None:
            outcome = believed(judge(rule.when, view, self._strictness))
            self._watch(RuleReview(call=self._about.call, at_ms=view.now_ms, rule=rule, outcome=outcome, decision=Decision.TOLD_BEFORE))
        last = self.snapshot
        taken_up = last is not None and (last.acknowledged_by or last.contacted_by or last.closed_by)
        return found.follow(view, now, strictness=self._strictness, may_withdraw=not taken_up)

    def _find(self, rule: Rule, view: CallView, now: datetime, hour: int) -> bool:
        """Whether `rule` holds for the first time, and may be told."""
        # A call that was told costs nobody's attention again; a rule may be exempt.
        over = 0 if rule.ignores_budget or self._reasons else max(0, hour - self._rules.budget.alerts_per_hour + 1)
        strictness = 1 - (1 - self._strictness) * (1 - self._rules.budget.raise_by) ** over
        outcome = believed(judge(rule.when, view, strictness))
        meant = self._rules.budget.alerts_per_hour
        raised = f"alert budget: {hour} calls in the last hour, {meant} meant; thresholds raised by {strictness:.0%}" if over else None
        since = now - timedelta(minutes=rule.cooldown_min)
        again = outcome.holds and self._alert_history.alerted_since(since, rule.id, self._about.customer_ref)
        if self._watch is not None:
            self._watch(self._reviewed(rule, view, outcome, over=raised, again=again))
        if not outcome.holds or again:
            return False
        route = self._rules.default_route
        notes = [raised] if raised else []
        self._reasons[rule.id] = Reason(rule, outcome, view, now, default_route=route, quotes=self._quotes, notes=notes)
        self._alert_history.opened(now, self._about.call, rule.id, self._about.customer_ref)
        return True

    def _reviewed(self, rule: Rule, view: CallView, outcome: Outcome, *, over: str | None, again: bool) -> RuleReview:
        """What a look at a rule that has not been told in this call came to; `over` is what is said of an overdrawn budget."""
        if again:
            decision, note = Decision.COOLDOWN, f"told of this customer in another call less than {rule.cooldown_min:g} min ago"
        elif outcome.holds:
            decision, note = Decision.OPENED, over or ""
        elif over is not None and believed(judge(rule.when, view, self._strictness)).holds:
            decision, note = Decision.BUDGET, over
        else:
            decision, note = Decision.NOT_MET, ""
        return RuleReview(call=self._about.call, at_ms=view.now_ms, rule=rule, outcome=outcome, decision=decision, note=note or None)

    def _tell(self, view: CallView, now: datetime) -> list[Alert]:
        """The snapshots that tell what is new."""
        standing = [reason.data for reason in self._reasons.values() if not reason.data.withdrawn]
        last = self.snapshot
        if last is None:
            return [self._opened(view, now)]
        if not standing:
            return self.end(AlertEnd.WITHDRAWN, now)
        gravest = max(standing, key=lambda reason: reason.severity_level)
        graver = gravest.severity_level > last.severity_level
        if last.state is AlertState.END:
            again = last.end_reason is AlertEnd.WITHDRAWN or (last.end_reason is AlertEnd.CLOSED and graver)
            return [self._again(last, gravest.route, now)] if again else []
        if graver and gravest.route != last.route:
            ended = self._revise(last, now, state=AlertState.END, end_reason=AlertEnd.MOVED, moved_to=gravest.route)
            return [ended, self._again(ended, gravest.route, now)]
        return [self._revise(last, now)]

    def _again(self, last: Alert, route: str, now: datetime) -> Alert:
        """It is `new` once more: for another team, or after it had ended."""
        anew = {"state": AlertState.NEW, "end_reason": None, "moved_to": None, "route": route}
        return self._revise(last, now, **anew, **_UNDONE)

    def _opened(self, view: CallView, now: datetime) -> Alert:
        moment = rfc3339(now)
        nothing: dict[str, Any] = dict.fromkeys((*_UNDONE, "contacted_at", "contacted_by", "end_reason", "moved_to"))
        told = self._of_reasons()
        return self._keep(
            Alert(
                alert=self.id,
                revision=1,
                state=AlertState.NEW,
                route=max(told["reasons"], key=lambda reason: reason.severity_level).route,
                **told,
                **asdict(self._about),
                offset_ms=view.now_ms,
                opened_at=moment,
                updated_at=moment,
                answerable_until=rfc3339(now + self._answerable),
                **nothing,
            )
        )

    def _of_reasons(self) -> dict[str, Any]:
        """What a snapshot takes from the reasons: what waited for a cooldown is told with it."""
        for reason in self._reasons.values():
            reason.take_waiting()
        reasons = [reason.data for reason in self._reasons.values()]
        standing, last = [one for one in reasons if not one.withdrawn], self.snapshot
        # Severity never falls but where the alert begins anew.
        floor = Severity.LOW if last is None or last.state is AlertState.END else last.severity
        severity = max([floor, *(one.severity for one in standing)], key=lambda one: one.level)
        causes = [one.cause for one in sorted(standing, key=lambda one: -one.severity_level) if one.cause is not None]
        return {
            "severity": severity,
            "severity_level": severity.level,
            "cause": causes[0] if causes else last.cause if last else None,
            "reasons": reasons,
            "page_until": max(rfc3339(reason.page_until) for reason in self._reasons.values()),
        }

    def _revise(self, last: Alert, now: datetime, **changes: object) -> Alert:
        """The snapshot after `last`: with `changes`, and with all that is known of the reasons."""
        return self._keep(revised(last, now, **{**self._of_reasons(), **changes}))

    def _keep(self, snapshot: Alert) -> Alert:
        self.snapshot = snapshot
        return snapshot


def alert_events(alerts: list[Alert]) -> list[Event]:
    """Each snapshot as an event of its route's topic, in the lane that overtakes all others."""
    return [
        Event(id=f"{one.alert}:{one.revision}", topic=f"alert/{one.route}", time=one.updated_at, data=one, alert_lane=True)
        for one in alerts
    ]
