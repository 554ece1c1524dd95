"""The events of one call in the form that leaves it: their ids, topics and times, and what its start, windows and summary say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edge.call.rules.conditions import Side
from edge.call.rules.view import UtteranceView
from edge.call.understood import call_understood
from edge.clock import Anchor
from edge.config import Config, LineConfig
from edge.values import CallClosed, CallOpened, ModelPart, Privacy, samples_to_ms
from edge.wire.context import Context
from edge.wire.events import Event, Metrics, Started, Summary, Updated
from edge.wire.parts import ScoresData, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvents:
    """Makes the events of the call `call_id`, which began as `opened` says. `models`: what judges it, as name and version."""

    call_id: str
    line: LineConfig
    config: Config
    anchor: Anchor
    opened: CallOpened
    models: Mapping[ModelPart, str | None]

    @property
    def started_at(self) -> str:
        """When the call began, RFC 3339 UTC."""
        return self.anchor.at(self.opened.start)

    def event(self, kind: str, n: int, data: Wire, sample: int, topic: str | None = None) -> Event:
        """`data` as the call's n-th event of that kind, which happened at `sample`."""
        topic = topic or f"call/{self.line.trunk}/{kind}"
        return Event(id=f"{self.call_id}:{kind}:{n}", topic=topic, time=self.anchor.at(sample), data=data)

    def ms(self, sample: int) -> int:
        """Milliseconds from the call's start to `sample`."""
        return samples_to_ms(max(0, sample - self.opened.start))

    def started(self, context: Context) -> Event:
        """The call has begun, and so much is known of it."""
        started = Started(
            call=self.call_id,
            line=self.line.name,
            desk=self.line.desk,
            started_at=self.started_at,
            time_synced=self.anchor.synced,
            channels=list(self.line.channels),
            mode=self.config.mode,
            privacy=Privacy(self.config.privacy),
            opened_by=self.opened.opened_by,
            models=dict(self.models),
            **asdict(context),
        )
        return self.event("started", 1, started, self.opened.start)

    def updated(self, n: int, context: Context, sample: int) -> Event:
        """The n-th change of what is known of it."""
        data = Updated(call=self.call_id, line=self.line.name, n=n, started_at=self.started_at, **asdict(context))
        return self.event("updated", n, data, sample)

    def metrics(self, n: int, begin: int, end: int, scores: ScoresData, together: Mapping[str, Any]) -> Event:
        """The n-th window, from sample `begin` to `end`; `together`: what both sides did in it (edge.call.talk)."""
        metrics = Metrics(
            call=self.call_id,
            line=self.line.name,
            n=n,
            start_ms=self.ms(begin),
            end_ms=self.ms(end),
            scores=scores,
            **together,
        )
        return self.event("metrics", n, metrics, end)

    def summary(
        self,
        closed: CallClosed,
        end: int,
        heard: Sequence[UtteranceView],
        *,
        context: Context,
        scores: ScoresData,
        together: Mapping[str, Any],
        alerts: list[str],
        without_notice: int,
    ) -> Event:
        """The call, which ended at sample `end`, as a whole: `heard` are its utterances, `without_notice` of them nobody judged."""
        customer = [one for one in heard if one.side is Side.CUSTOMER]
        summary = Summary(
            call=self.call_id,
            line=self.line.name,
            desk=self.line.desk,
            started_at=self.started_at,
            ended_at=self.anchor.at(end),
            time_synced=self.anchor.synced,
            duration_ms=self.ms(end),
            closed_by=closed.closed_by,
            utterances=len(heard),
            customer_utterances=len(customer),
            abstained=sum(not one.labelled for one in customer),
            not_understood=sum(one.understood is False for one in customer),
            understood=call_understood(heard),
            scores=scores,
            causes=dict(sorted(Counter(one.cause for one in customer if one.cause is not None).items())),
            alerts=alerts,
            models=dict(self.models),
            without_notice=without_notice,
            **asdict(context),
            **together,
        )
        return self.event("summary", 1, summary, end)
