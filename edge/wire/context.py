"""Whose call it is, as the switchboard has said."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

from edge.wire.commands import CallFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody by reference, by number, or by either."""

    customer_ref: str | None = None
    callback: str | None = None

    def owns(self, customer_ref: object, callback: object) -> bool:
        """Whether a call of which this was said is theirs."""
        return (customer_ref is not None and customer_ref == self.customer_ref) or (callback is not None and callback == self.callback)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known of a call; None is unknown. `callback` is the number to call back."""

    pbx_call_id: str | None = None
    customer_ref: str | None = None
    queue: str | None = None
    notice_given: bool | None = None
    callback: str | None = None
    agent_ref: str | None = None

    @classmethod
    def of(cls, facts: CallFacts) -> Self:
        """What a command says."""
        return cls(**{one.name: getattr(facts, one.name) for one in fields(cls)})

    def known(self) -> dict[str, Any]:
        """What is known."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}

    def merged(self, later: "Context") -> "Context":
        """This, with what `later` says on top, field by field."""
        return replace(self, **later.known())

    def fits(self, named: "Context") -> bool:
        """Whether a call of which this is known may be taken for the one that `named` names, though it has no such name yet.

        It may where nothing at all is known of it, or the customer is the same; on a guess nothing is told of anybody.
        """
        same = self.customer_ref is not None and self.customer_ref == named.customer_ref
        return self.pbx_call_id is None and (same or self == Context(notice_given=self.notice_given))

    def contradicts(self, other: "Context") -> bool:
        """Whether the two cannot be of one call: another customer, or another call of the switchboard's."""
        return any(
            None not in (mine := getattr(self, name), theirs := getattr(other, name)) and mine != theirs
            for name in ("pbx_call_id", "customer_ref")
        )
