"""A customer is forgotten by a running box: each line first drops what it has of them, in its own thread, then the outbox does."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from edge.call.line import Forgotten
from edge.call.rules.alert_history import AlertHistory
from edge.outbox.outbox import Outbox
from edge.service.answers import Answers
from edge.service.live import LiveLine
from edge.service.trunk import Trunk
from edge.wire.codes import ReplyReason
from edge.wire.commands import CustomerErase
from edge.wire.context import Customer
from edge.wire.replies import Answer, Request, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """Starts erasures; never waits. Nothing more is told of a call by the time that the outbox forgets it. `erased` follows each."""

    lines: Collection[LiveLine | Trunk]
    outbox: Outbox
    answers: Answers
    erased: Callable[[], None]

    def take(self, request: Request, command: CustomerErase, history: AlertHistory) -> None:
        """Forget whom `command` names, in `history`, too."""
        customer = Customer(customer_ref=command.customer_ref, callback=command.callback)
        history.forget(customer)
        trunks = [line for line in self.lines if isinstance(line, Trunk)]
        # First, so that a call that begins meanwhile is not known to be theirs.
        announced = sum(trunk.forget_announced(customer) for trunk in trunks)
        live = [line for line in self.lines if isinstance(line, LiveLine)] + [one for trunk in trunks for one in trunk.live]
        erasure = _Erasure(self, request, command, customer, parts=len(live) + 1)
        for line in live:
            if not line.visit(lambda its: erasure.done(its.forget(customer))):
                erasure.done(Forgotten())
        erasure.done(Forgotten(announced=announced))


class _Erasure:
    """One of them, while it goes on: whichever thread brings the last part finishes it."""

    def __init__(self, eraser: Eraser, request: Request, command: CustomerErase, customer: Customer, *, parts: int) -> None:
        self._eraser, self._request, self._command, self._customer = eraser, request, command, customer
        self._lock, self._awaited, self._parts = threading.Lock(), parts, list[Forgotten]()

    def done(self, part: Forgotten) -> None:
        """A line has dropped what it had."""
        with self._lock:
            self._parts.append(part)
            if len(self._parts) < self._awaited:
                return
        erased = self._eraser.outbox.erase_customer(
            self._customer,
            calls=[call for one in self._parts for call in one.calls],
            announced=sum(one.announced for one in self._parts),
            by=self._command.by,
        )
        match erased:
            case None:
                answer = refused(ReplyReason.BUSY)
            case False:
                answer = Answer(reason=ReplyReason.ALREADY)
            case True:
                answer = Answer()
        self._eraser.answers.give(self._request, answer)
        self._eraser.erased()
