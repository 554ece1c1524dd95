"""What one look at one rule came to: told to nobody but who asks why there is an alert, or none (edge.call.explain)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.call.rules.outcome import Outcome
from edge.call.rules.rule_set import Rule


class Decision(StrEnum):
    """What became of a rule at a moment."""

    NOT_MET = "not_met"  # its condition does not hold
    OPENED = "opened"  # it held for the first time in the call, and was told
    TOLD_BEFORE = "told_before"  # it was told earlier in the call
    BUDGET = "budget"  # it would hold, were its thresholds not raised by the alert budget
    COOLDOWN = "cooldown"  # it holds, and has been told of this customer within its cooldown


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReview:
    """`rule` at `at_ms` of `call` (its id): what became of its condition, and of the rule.

    `note` has the figures of a budget or a cooldown.
    """

    call: str
    at_ms: int
    rule: Rule
    outcome: Outcome
    decision: Decision
    note: str | None = None


Watch = Callable[[RuleReview], None]
