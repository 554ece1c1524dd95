"""Why there is an alert, or none: every look that was taken at every rule of a call, in the order in which a person asks.

A recording is explained by what the live code did with it, stored events by playing them to the rules again. Numbers and codes only:
no words of the call are in an explanation, whatever the privacy tier.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from edge.call.engines import Engines
from edge.call.replay import Envelopes, replay
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.outcome import Outcome
from edge.call.rules.review import Decision, RuleReview
from edge.call.rules.rule_set import RuleSet
from edge.call.stored_call import StoredCall, play, read_stored_calls
from edge.capture.recording import Recording
from edge.config import Config, LineConfig

Data = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedCall:
    """One call with every look at every rule, in order of time."""

    stored: StoredCall
    reviews: tuple[RuleReview, ...]

    @property
    def rules(self) -> list[str]:
        """The ids of the rules that were looked at."""
        return list(dict.fromkeys(review.rule.id for review in self.reviews))

    def of(self, rule: str) -> list[RuleReview]:
        """The looks at `rule`, those left out that say nothing new."""
        looks = [review for review in self.reviews if review.rule.id == rule]
        return [next(same) for _, same in groupby(looks, key=_said)]

    def decisive(self, rule: str) -> RuleReview:
        """The look that says most of `rule`: when it was told; else what was held back; else when it first came nearest."""
        looks = self.of(rule)
        held_back = (Decision.OPENED, Decision.COOLDOWN, Decision.BUDGET)
        decided = [look for wanted in held_back for look in looks if look.decision is wanted]
        nearest = max(looks, key=lambda look: look.outcome.nearness)
        # Where nothing of it was ever there, the last look has seen most of the call.
        return decided[0] if decided else nearest if nearest.outcome.nearness else looks[-1]

    def at(self, rule: str, at_ms: int) -> RuleReview | None:
        """The last look at `rule` by then; None where there was none yet."""
        return next((look for look in reversed(self.reviews) if look.rule.id == rule and look.at_ms <= at_ms), None)

    @property
    def duration_ms(self) -> int:
        """Until where it was looked at."""
        return max((review.at_ms for review in self.reviews), default=0)

    @property
    def abstained(self) -> dict[str, Data]:
        """Of the customer's utterances: how many were not judged by each branch and by both together, by reason."""
        theirs = [one for one in self.stored.utterances if one.role in ("customer", "mixed")]
        unlabelled = Counter(one.verdict.reason or "unknown" for one in theirs if one.verdict and one.verdict.label is None)
        return {
            "fused": dict(unlabelled.most_common()),
            "voice": dict(Counter(one.voice_reason for one in theirs if one.voice_reason).most_common()),
            "words": dict(Counter(one.words_reason for one in theirs if one.words_reason).most_common()),
        }


def explain_recording(path: Recording, *, line: LineConfig, config: Config, engines: Engines) -> tuple[list[ExplainedCall], list[bytes]]:
    """The calls in the recording at `path`, explained, and their events as CloudEvents JSON.

    Raises SourceError where it cannot be heard.
    """
    reviews: list[RuleReview] = []
    envelopes = Envelopes(config)
    events = [envelopes.wrap(event) for event in replay(path, line=line, config=config, engines=engines, watch=reviews.append)]
    return joined(events, reviews), events


def joined(events: Iterable[bytes], reviews: Sequence[RuleReview]) -> list[ExplainedCall]:
    """The calls in `events` with the looks at the rules that were taken while they went on."""
    return [
        ExplainedCall(stored=stored, reviews=tuple(one for one in reviews if one.call == stored.call))
        for stored in read_stored_calls(events)
    ]


def explain_events(lines: Iterable[bytes], rules: RuleSet) -> list[ExplainedCall]:
    """The calls in JSON-lines of CloudEvents, as `rules` would have judged them. Raises ValueError naming the line and what is wrong."""
    alert_history, explained = AlertHistory(), []
    for stored in read_stored_calls(lines):
        reviews: list[RuleReview] = []
        for _ in play(stored, rules, alert_history, watch=reviews.append):
            pass
        explained.append(ExplainedCall(stored=stored, reviews=tuple(reviews)))
    return explained


def row(review: RuleReview) -> Data:
    """A look as JSON tells it: the rule, what became of it, each condition with what it needed and what there was."""
    outcome = review.outcome
    return {
        "call": review.call,
        "at_ms": review.at_ms,
        "rule": review.rule.id,
        "says": review.rule.says,
        "severity": review.rule.severity,
        "route": review.rule.route,
        "decision": review.decision.value,
        "note": review.note,
        "nearness": round(outcome.nearness, 4),
        "probability": outcome.probability,
        "conditions": [
            {"asked": one.what, "needed": one.needed, "had": one.had, "holds": one.holds, "nearness": round(one.nearness, 4)}
            for one in _leaves(outcome)
        ],
        "utterances": sorted({hit.heard.n for hit in outcome.hits if hit.heard is not None}),
        "passed_over": outcome.unjudged,
    }


def behind_each_rule(call: ExplainedCall) -> list[Data]:
    """For each rule the decisive look, with all the others that say something new as `moments`."""
    return [{**row(call.decisive(rule)), "moments": [row(look) for look in call.of(rule)]} for rule in call.rules]


def _leaves(outcome: Outcome) -> Iterator[Outcome]:
    for part in outcome.parts:
        yield from _leaves(part)
    if not outcome.parts and outcome.what:
        yield outcome


def _said(review: RuleReview) -> tuple[object, ...]:
    return (review.decision, *((one.what, one.had, one.holds) for one in _leaves(review.outcome)))
