"""One call, from its start to its summary: what is heard goes in, events come out. Pure: no disk, no network, no clock.

Times come from the call's one anchor and the line's count of samples. Owned by one thread.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from edge.box.clock import Anchor
from edge.bus.commands import AlertAction, CallContext
from edge.bus.events import Event, Failed, Metrics, Started, Summary
from edge.bus.parts import LatencyData, ScoresData, Wire
from edge.call.alerts import About, Alerts, alert_events
from edge.call.ledger import Ledger
from edge.call.picture import Heard, Picture, Stretch
from edge.call.record import allowed, heard, text_data, utterance_heard, verdict_data
from edge.call.rules import RuleSet
from edge.call.scores import Scored, scores
from edge.call.talk import Talk
from edge.config import Config, LineConfig
from edge.values import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Absent,
    Activity,
    CallClosed,
    CallOpened,
    Privacy,
    ToneHeard,
    Utterance,
    Verdict,
    VoiceReading,
    WordsReading,
    samples_to_ms,
)

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
        models: Mapping[str, str | None],
        ledger: Ledger | None = None,
        context: CallContext | None = None,
        strictness: float = 0.0,
    ) -> None:
        """`ledger` is the box's, for the alert budget (None: this call alone); `context` is what was known before it began.

        `strictness` is what was fitted to the site's own labels (edge.bundle.weights).
        """
        self.call_id = call_id
        self._line, self._config, self._anchor, self._opened, self._models = line, config, anchor, opened, dict(models)
        self._context = context or CallContext()
        self._started_at = anchor.at(opened.start)
        self._tier = Privacy(config.privacy)
        about = About(
            call=call_id,
            line=line.name,
            desk=line.desk,
            started_at=self._started_at,
            customer_ref=self._context.customer_ref,
            queue=self._context.queue,
        )
        quotes = self._tier is not Privacy.NUMBERS
        self.alerts = Alerts(about=about, rules=rules, ledger=ledger or Ledger(), quotes=quotes, strictness=strictness)
        self._talk = Talk(roles=line.channels, start=opened.start)
        self._heard: list[Heard] = []
        self._scored: list[Scored] = []
        self._scores = scores([], 0)
        self._now = opened.start
        self._window_start, self._windows, self._reviewed = opened.start, 0, opened.start

    def started(self) -> list[Event]:
        """The call has begun."""
        started = Started(
            call=self.call_id,
            line=self._line.name,
            desk=self._line.desk,
            started_at=self._started_at,
            time_synced=self._anchor.synced,
            channels=[role.value for role in self._line.channels],
            mode=self._config.mode.value,
            privacy=self._tier.value,
            opened_by=self._opened.opened_by,
            models=self._models,
            customer_ref=self._context.customer_ref,
            queue=self._context.queue,
            notice_given=self._context.notice_given,
        )
        return [self._event("started", 1, started, self._opened.start)]

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
        voice, words, verdict = allowed(utterance.role, voice, words, verdict, agent_words=self._line.agent_words)
        said = words if isinstance(words, WordsReading) else None
        spoken = voice if isinstance(voice, VoiceReading) else None
        turn = self._talk.heard(utterance, said)
        judged = None if verdict is None else verdict_data(verdict)
        seen = heard(
            n=len(self._heard) + 1, utterance=utterance, start=self._opened.start, voice=spoken, words=said, verdict=judged, turn=turn
        )
        self._heard.append(seen)
        if seen.labelled and seen.fused is not None:
            self._scored.append(Scored(start_ms=seen.start_ms, end_ms=seen.end_ms, polarity=seen.fused.polarity))
        self._scores = self._score()
        data = utterance_heard(
            seen,
            utterance,
            about=(self.call_id, self._line.name, self._opened.start),
            readings=(voice, words),
            verdict=judged,
            turn=turn,
            scores=None if seen.side == "agent" else self._scores,
            latency=latency,
        )
        events = [self._event("utterance", seen.n, data, utterance.end)]
        if said is not None and self._tier is Privacy.TRANSCRIPT:
            text = text_data(seen, utterance.role, said, about=(self.call_id, self._line.name))
            events.append(self._event("text", seen.n, text, utterance.end, topic=f"text/{self._line.name}"))
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

    def command(self, command: AlertAction | CallContext) -> list[Event]:
        """What somebody did about an alert, or who the customer is: open alerts echo it."""
        if isinstance(command, AlertAction):
            return alert_events(self.alerts.command(command, self._moment()))
        self._context = CallContext(
            customer_ref=command.customer_ref if command.customer_ref is not None else self._context.customer_ref,
            queue=command.queue if command.queue is not None else self._context.queue,
            notice_given=command.notice_given if command.notice_given is not None else self._context.notice_given,
        )
        return alert_events(self.alerts.context(self._context, self._moment()))

    def take_rules(self, rules: RuleSet) -> None:
        """Judge by `rules` from the next utterance on."""
        self.alerts.take_rules(rules)

    def closed(self, closed: CallClosed) -> list[Event]:
        """The call is over: its last metrics, the end of its alerts, its summary."""
        self._now = max(self._now, closed.end)
        events = [self._metrics(self._now)] if self._now > self._window_start else []
        events += alert_events(self.alerts.end("call_over", self._moment()))
        return [*events, self._event("summary", 1, self._summary(closed), self._now)]

    def failed(self, reason: str) -> list[Event]:
        """The call could not be heard to its end."""
        failed = Failed(call=self.call_id, line=self._line.name, started_at=self._started_at, reason=reason)
        return [*alert_events(self.alerts.end("call_over", self._moment())), self._event("failed", 1, failed, self._now)]

    def _review(self) -> list[Event]:
        self._reviewed = self._now
        now_ms = self._ms(self._now)
        quiet = [*self._talk.turns.silences, *([going_on] if (going_on := self._talk.turns.silence()) else [])]
        picture = Picture(
            now_ms=now_ms,
            heard=self._heard,
            silences=[Stretch(start_ms=self._ms(one.start), end_ms=self._ms(one.end)) for one in quiet],
            scores=self._scores,
            hears_both=self._talk.hears_both,
        )
        return alert_events(self.alerts.review(picture, self._moment()))

    def _metrics(self, end: int) -> Event:
        self._windows += 1
        metrics = Metrics(
            call=self.call_id,
            line=self._line.name,
            n=self._windows,
            start_ms=self._ms(self._window_start),
            end_ms=self._ms(end),
            scores=self._score(),
            **self._talk.together(self._talk.window),
        )
        self._window_start = end
        self._talk.next_window(end)
        return self._event("metrics", self._windows, metrics, end)

    def _summary(self, closed: CallClosed) -> Summary:
        customer = [one for one in self._heard if one.side == "customer"]
        return Summary(
            call=self.call_id,
            line=self._line.name,
            desk=self._line.desk,
            started_at=self._started_at,
            ended_at=self._anchor.at(self._now),
            time_synced=self._anchor.synced,
            duration_ms=self._ms(self._now),
            closed_by=closed.closed_by,
            utterances=len(self._heard),
            customer_utterances=len(customer),
            abstained=sum(not one.labelled for one in customer),
            scores=self._score(),
            causes=dict(sorted(Counter(one.cause for one in customer if one.cause is not None).items())),
            alerts=self.alerts.fired,
            models=self._models,
            customer_ref=self._context.customer_ref,
            queue=self._context.queue,
            **self._talk.together(self._talk.total),
        )

    def _score(self) -> ScoresData:
        return scores(self._scored, self._ms(self._now))

    def _event(self, kind: str, n: int, data: Wire, sample: int, topic: str | None = None) -> Event:
        topic = topic or f"call/{self._line.name}/{kind}"
        return Event(id=f"{self.call_id}:{kind}:{n}", topic=topic, time=self._anchor.at(sample), data=data)

    def _ms(self, sample: int) -> int:
        return samples_to_ms(max(0, sample - self._opened.start))

    def _moment(self) -> datetime:
        return self._anchor.utc + timedelta(seconds=(self._now - self._anchor.sample) / SAMPLE_RATE)
