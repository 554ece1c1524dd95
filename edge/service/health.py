"""How the box fares, as the bus and the status file are told every minute."""

from collections.abc import Mapping

from edge.call.understood import UnderstoodCalls
from edge.mqtt.publisher import Publisher
from edge.outbox.counts import Counts
from edge.outbox.outbox import Outbox
from edge.percentiles import Durations
from edge.service.live import LiveLine
from edge.service.resources import Resources
from edge.service.trunk import Trunk
from edge.values import FRAME_MS
from edge.wire.device import Health, SelfTest
from edge.wire.parts import SpreadData


def health_data(
    *,
    used: Resources,
    counts: Counts,
    lines: Mapping[str, LiveLine | Trunk],
    verdicts: Durations,
    outbox: Outbox,
    publisher: Publisher,
    selftest: SelfTest | None,
    understood_calls: UnderstoodCalls,
    uptime_s: float,
) -> Health:
    """The box's figures as a `health` event; `verdicts` are from the end of speech to the verdict."""
    verdict = verdicts.spread()
    return Health(
        uptime_s=round(uptime_s, 1),
        cpu_s=used.cpu_s,
        memory_mb=used.memory_mb,
        outbox_rows=counts.rows,
        outbox_alert_rows=counts.alert_rows,
        oldest_unsent_s=counts.oldest_s,
        disk_free_mb=used.disk_free_mb,
        frames={name: line.frames_processed for name, line in lines.items()},
        dropped_ms={name: line.dropped_frames * FRAME_MS for name, line in lines.items()},
        latency_p50_ms=verdict.p50_ms if verdict else None,
        latency_p95_ms=verdict.p95_ms if verdict else None,
        latency_p99_ms=verdict.p99_ms if verdict else None,
        committed=_data(outbox.committed),
        sent=_data(publisher.sent),
        acknowledged=_data(publisher.acknowledged),
        selftest_passed=None if selftest is None else selftest.passed,
        understood={name: understood_calls.of(name) for name in lines},
        sequences=dict(counts.sequences),
    )


def _data(durations: Durations) -> SpreadData | None:
    spread = durations.spread()
    return None if spread is None else SpreadData(p50_ms=spread.p50_ms, p95_ms=spread.p95_ms, p99_ms=spread.p99_ms)
