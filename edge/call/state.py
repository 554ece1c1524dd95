"""One call, from its start to its summary: what is heard goes in, events come out. Pure: no disk, no network, no clock.

Times come from the call's one anchor and the line's count of samples. Owned by one thread.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from edge.call.call_events import CallEvents
from edge.call.past_calls import Handled
from edge.call.record import allowed, text_data, utterance_heard
from edge.call.rules.alert import About, CallAlert, alert_events, known_of
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.conditions import Side
from edge.call.rules.review import Watch
from edge.call.rules.rule_set import RuleSet
from edge.call.rules.view import CallView, Stretch, UtteranceView
from edge.call.scores import scores
from edge.call.talk import Talk
from edge.call.turns import HANG_UPS
from edge.call.understood import call_understood
from edge.clock import Anchor
from edge.config import Config, LineConfig
from edge.values import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Absence,
    Absent,
    Activity,
    CallClosed,
    CallOpened,
    ClosedBy,
    ModelPart,
    Privacy,
    ToneHeard,
    Utterance,
    Verdict,
    VoiceReading,
    WordsReading,
    samples_to_ms,
)
from edge.wire.codes import AlertEnd
from edge.wire.commands import AlertAction
from edge.wire.context import Context
from edge.wire.events import Event
from edge.wire.parts import LatencyData, ScoresData

# The window of `metrics` (issue 6), and how often silence and expiry are looked at between utterances.
METRICS_SAMPLES = 15 * SAMPLE_RATE
_REVIEW_SAMPLES = SAMPLE_RATE


class Call:
    """The state of one call. Every method gives the events that it brings about, in order."""

    def __init__(
        self,
        *,
        call_id: str,
        line: LineConfig,
        config: Config,
        anchor: Anchor,
        opened: CallOpened,
        rules: RuleSet,
        models: Mapping[ModelPart, str | None],
        alert_history: AlertHistory | None = None,
        context: Context | None = None,
        strictness: float = 0.0,
        watch: Watch | None = None,
    ) -> None:
        """`alert_history` is the box's, for the alert budget (None: this call alone); `context` is what was known before it began.

        `strictness` is what was fitted to the site's own labels (edge.models.kinds); `watch` is told of every look at a rule.
        """
        self.call_id, self.line = call_id, line.name
        self._line, self._config, self._anchor, self._opened = line, config, anchor, opened
        self._events = CallEvents(call_id=call_id, line=line, config=config, anchor=anchor, opened=opened, models=models)
        self.context = context or Context()
        self._updates = self._without_notice = 0
        self._tier = Privacy(config.privacy)
        self.alert = CallAlert(
            about=About(
                site=config.site,
                device=config.device,
                call=call_id,
                line=line.name,
                desk=line.desk,
                started_at=self._events.started_at,
                **known_of(self.context),
            ),
            rules=rules,
            alert_history=alert_history or AlertHistory(),
            quotes=self._tier is not Privacy.NUMBERS,
            answerable_days=config.alerts.answerable_days,
            strictness=strictness,
            watch=watch,
            outcomes=config.alerts.outcomes,
        )
        self._talk = Talk(roles=line.channels, start=opened.start)
        self._heard: list[UtteranceView] = []
        self._scores = scores([], 0)
        self._now = opened.start
        self._window_start, self._windows, self._reviewed = opened.start, 0, opened.start

    @property
    def may_judge(self) -> bool:
        """Whether anything may be judged or said of words now: where the site asks for it, only once the caller has been told."""
        return self.context.notice_given is True or not self._config.require_notice

    @property
    def understood(self) -> bool | None:
        """Whether the customer was understood so far; None where too little was said."""
        return call_understood(self._heard)

    def started(self) -> list[Event]:
        """The call has begun."""
        return [self._events.started(self.context)]

    def heard(
        self,
        utterance: Utterance,
        *,
        voice: VoiceReading | Absent,
        words: WordsReading | Absent,
        verdict: Verdict | None,
        latency: LatencyData,
    ) -> list[Event]:
        """One utterance with what its branches say: its event, its redacted words where the tier allows, what rules make of it.

        An agent's words are taken only where the line's `agent_words` says so, and nothing of an agent is ever scored.
        """
        self._now = max(self._now, utterance.end)
        self._without_notice += Absence.NO_NOTICE in {one.reason for one in (voice, words) if isinstance(one, Absent)}
        voice, words, verdict = allowed(utterance.role, voice, words, verdict, agent_words=self._line.agent_words)
        said = words if isinstance(words, WordsReading) else None
        told = utterance_heard(
            utterance,
            n=len(self._heard) + 1,
            about=(self.call_id, self._line.name, self._opened.start),
            readings=(voice, words),
            verdict=verdict,
            turn=self._talk.heard(utterance, said),
            latency=latency,
        )
        seen = UtteranceView.of(told, quote=said.redacted if said else None)
        self._heard.append(seen)
        self._scores = self._score()
        data = told if seen.side is Side.AGENT else msgspec.structs.replace(told, scores=self._scores)
        events = [self._events.event("utterance", seen.n, data, utterance.end)]
        if said is not None and self._tier is Privacy.TRANSCRIPT:
            events.append(self._events.event("text", seen.n, text_data(told, said), utterance.end, topic=f"text/{self._line.trunk}"))
        return [*events, *self._review()]

    def active(self, activity: Activity) -> list[Event]:
        """20 ms more of who speaks: metrics every 15 s, and a look at the rules every second of a mutual silence."""
        self._talk.active(activity)
        self._now = max(self._now, activity.start + FRAME_SAMPLES)
        events: list[Event] = []
        if self._now - self._window_start >= METRICS_SAMPLES:
            events.append(self._metrics(self._window_start + METRICS_SAMPLES))
        if self._now - self._reviewed >= _REVIEW_SAMPLES and self._talk.turns.silence() is not None:
            events += self._review()
        return events

    def tone(self, tone: ToneHeard) -> list[Event]:
        """A tone, music or an announcement: no speech, and the silence around it is a hold."""
        self._talk.tone(tone.channel, tone.name)
        return []

    def act(self, action: AlertAction) -> Handled:
        """What somebody did about the call's alert: it echoes it."""
        told, answer = self.alert.command(action, self._moment())
        return Handled(events=alert_events(told), answer=answer)

    def update(self, context: Context) -> list[Event]:
        """More is known of whose call it is: told, and echoed by its alerts. Nothing where it was known before."""
        merged = self.context.merged(context)
        if merged == self.context:
            return []
        self.context = merged
        self._updates += 1
        updated = self._events.updated(self._updates, merged, self._now)
        return [updated, *alert_events(self.alert.context(merged, self._moment()))]

    def take_rules(self, rules: RuleSet) -> None:
        """Judge by `rules` from the next utterance on."""
        self.alert.take_rules(rules)

    def closed(self, closed: CallClosed) -> list[Event]:
        """The call is over: its last metrics, the end of its alert, its summary."""
        self._now = max(self._now, closed.end)
        events = [self._metrics(self._now)] if self._now > self._window_start else []
        if closed.closed_by in (ClosedBy.COMMAND, ClosedBy.HANG_UP):
            self._talk.turns.hung_up()
        if closed.closed_by in HANG_UPS:
            events += self._review()
        events += alert_events(self.alert.end(AlertEnd.CALL_OVER, self._moment()))
        alerts = [self.alert.snapshot.alert] if self.alert.snapshot else []
        summary = self._events.summary(
            closed, self._now, self._heard, context=self.context, scores=self._score(), together=self._talk.together(self._talk.total),
            alerts=alerts, without_notice=self._without_notice,
        )  # fmt: skip
        return [*events, summary]

    def _review(self) -> list[Event]:
        self._reviewed = self._now
        if not self.may_judge:
            return []
        now_ms = self._events.ms(self._now)
        going_on = self._talk.turns.silence()
        view = CallView(
            now_ms=now_ms,
            heard=self._heard,
            silences=[Stretch(start_ms=self._events.ms(one.start), end_ms=self._events.ms(one.end)) for one in self._talk.turns.silences],
            scores=self._scores,
            hears_both=self._talk.hears_both,
            quiet_ms=samples_to_ms(going_on.end - going_on.start) if going_on else 0,
        )
        return alert_events(self.alert.review(view, self._moment()))

    def _metrics(self, end: int) -> Event:
        self._windows += 1
        metrics = self._events.metrics(self._windows, self._window_start, end, self._score(), self._talk.together(self._talk.window))
        self._window_start = end
        self._talk.next_window(end)
        return metrics

    def _score(self) -> ScoresData:
        return scores(self._heard, self._events.ms(self._now))

    def _moment(self) -> datetime:
        return self._anchor.utc + timedelta(seconds=(self._now - self._anchor.sample) / SAMPLE_RATE)
