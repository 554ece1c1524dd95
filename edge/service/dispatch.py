"""Which part of the box a command from the bus is for."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.call.past_calls import PastCalls
from edge.config import trunk_of
from edge.models.manager import ModelManager
from edge.outbox.outbox import Outbox
from edge.service.announce import feedback_event
from edge.service.answers import Answers
from edge.service.erasure import Eraser
from edge.service.live import LiveLine
from edge.service.selftest import SelfTester
from edge.service.trunk import Trunk
from edge.wire.codes import ReplyReason
from edge.wire.commands import (
    AlertAction,
    AlertFeedback,
    CallAnnounce,
    CallContext,
    CallEnd,
    CallStart,
    CustomerErase,
    ModelInstall,
    Refused,
    SelfTestRun,
    UtteranceFeedback,
)
from edge.wire.replies import Answer, Request, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Hands each command on and never waits. For the publisher's thread."""

    lines: Mapping[str, LiveLine | Trunk]
    models: ModelManager
    outbox: Outbox
    answers: Answers
    past: PastCalls
    tester: SelfTester
    eraser: Eraser

    def take(self, request: Request) -> None:
        """A command, or that it is none."""
        match request.command:
            case Refused(reason=reason):
                self.answers.give(request, refused(reason))
            case AlertAction() as action:
                self._act(request, action)
            case CallStart() | CallEnd() | CallContext() | CallAnnounce() as command:
                self._tell_line(request, command)
            case ModelInstall() as chunk:
                self.answers.give(request, Answer() if self.models.offer(chunk) else refused(ReplyReason.BUSY))
            case UtteranceFeedback() as said:
                known = self.outbox.records.has_utterance(said.call, said.n)
                self._note(request, said, None if known else refused(ReplyReason.UNKNOWN_UTTERANCE, call=said.call))
            case AlertFeedback() as said:
                known = self.outbox.records.last_alert(alert=said.alert) is not None
                self._note(request, said, None if known else refused(ReplyReason.UNKNOWN_ALERT, alert=said.alert))
            case CustomerErase() as command:
                self.eraser.take(request, command, self.models.serving()[0].alert_history)
            case SelfTestRun():
                self.tester.ask()
                self.answers.give(request, Answer())

    def _tell_line(self, request: Request, command: CallStart | CallEnd | CallContext | CallAnnounce) -> None:
        line = self.lines.get(command.line)
        if line is None:
            self.answers.give(request, refused(ReplyReason.UNKNOWN_LINE))
        elif isinstance(line, Trunk):
            line.handle_request(request, command)
        elif isinstance(command, CallAnnounce):
            self.answers.give(request, refused(ReplyReason.BY_CONNECTION))
        elif not line.handle_request(request, command):
            self.answers.give(request, refused(ReplyReason.NO_CALL))

    def _act(self, request: Request, action: AlertAction) -> None:
        """An alert is the business of its call's line, also when the call is over: one thread at a time changes it."""
        alert = self.outbox.records.last_alert(alert=action.alert)
        if alert is not None and (line := self.lines.get(trunk_of(alert.line))) is not None:
            if isinstance(line, Trunk):
                line.handle_request(request, action)
                return
            if line.handle_request(request, action):
                return
        # Unknown, of a line that the configuration no longer has, or of a recording that is over: that is changed by this thread alone.
        handled = self.past.act(action)
        self.answers.give(request, handled.answer, handled.events)

    def _note(self, request: Request, said: UtteranceFeedback | AlertFeedback, refusal: Answer | None) -> None:
        self.answers.give(request, refusal or Answer(), [] if refusal else [feedback_event(said)])
