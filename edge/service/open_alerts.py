"""What the retained topic `alerts` tells: every alert of the box that still takes answers, for who comes late."""

from collections.abc import Sequence

import msgspec

from edge.wire.events import Alert, OpenAlerts

# Some 100 kB: a broker takes that, and nobody works through more from a list like this.
_MOST = 100


def open_alerts(alerts: Sequence[Alert]) -> OpenAlerts:
    """`alerts` (last snapshots), gravest and then newest first, without their evidence; at most 100, the others counted."""
    newest = sorted(alerts, key=lambda alert: alert.opened_at, reverse=True)
    gravest = sorted(newest, key=lambda alert: alert.severity_level, reverse=True)
    return OpenAlerts(alerts=[_short(alert) for alert in gravest[:_MOST]], left_out=max(0, len(gravest) - _MOST))


def _short(alert: Alert) -> Alert:
    reasons = [msgspec.structs.replace(reason, evidence=[]) for reason in alert.reasons]
    return msgspec.structs.replace(alert, reasons=reasons)
