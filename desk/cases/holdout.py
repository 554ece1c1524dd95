"""The hold-out: a share of customers, drawn by a keyed hash, whom nobody is asked to call back. Pure. Off unless a site wants to know.

The draw is the customer's, so that one who comes again is in the same arm; nobody without the key can tell which. What is grave is
never held, and a case that becomes grave is held no longer; the analysis keeps it where it was drawn (desk.impact.holdout).
"""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Arm(StrEnum):
    """What a case was drawn to be."""

    OFFERED = "offered"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """`share` of customers (0..1) is held, in cases of `severities` alone."""

    key: bytes
    share: float
    severities: Collection[str]

    def draw(self, customer_key: str | None, severity: str, route: str) -> Arm | None:
        """The arm; None where nobody knows who it is, or where nobody may be held."""
        # Somebody may be in danger (the rule `vulnerable`): never a matter for a trial.
        if customer_key is None or severity not in self.severities or route == "vulnerable":
            return None
        drawn = int.from_bytes(hmac.new(self.key, customer_key.encode(), hashlib.sha256).digest()[:8], "big") / (1 << 64)
        return Arm.HELD if drawn < self.share else Arm.OFFERED

    def may_hold(self, severity: str, route: str) -> bool:
        """Whether a case that has become this may still be held."""
        return severity in self.severities and route != "vulnerable"
