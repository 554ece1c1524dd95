"""A box at one moment, as its status page is given it."""

from typing import Any

import msgspec

from edge.errors import Problem
from edge.status_page.snapshot import Snapshot
from edge.values import Mode, Privacy, Role, SourceState
from edge.wire.codes import BoxState, CheckOutcome, ModelAction
from edge.wire.device import CheckData, Health, Info, ModelChange, ModelInfo, SelfTest, State
from edge.wire.parts import LineInfo

_VOICE = ModelInfo(name="voice", version="1.3.0", sha256="0" * 64, licence="CC", signed_by="2fdc668e6201afc8", validated_on_calls=False)


def snapshot(**other: Any) -> Snapshot:
    """A degraded box with a line that is up and one that is away; `other` than that."""
    info = Info(
        site="leeds", device="desk-014", undertone="0.1.0", mode=Mode.BOTH, privacy=Privacy.NUMBERS,
        models={"voice": _VOICE, "fusion": None},
        lines=[
            LineInfo(name="line-1", desk="4711", channels=[Role.CUSTOMER, Role.AGENT]),
            LineInfo(name="line-2", desk=None, channels=[Role.MIXED]),
        ],
        weights={}, weights_fitted=False, unsigned_allowed=False,
    )  # fmt: skip
    lines = {"line-1": SourceState.UP, "line-2": SourceState.ABSENT}
    health = Health(
        uptime_s=9000.0, cpu_s=1.0, memory_mb=301.0, outbox_rows=12, outbox_alert_rows=2, oldest_unsent_s=200.0, disk_free_mb=81234.0,
        frames={"line-1": 450_000}, dropped_ms={"line-1": 2500}, latency_p50_ms=1.0, latency_p95_ms=412.0, latency_p99_ms=3.0,
        committed=None, sent=None, acknowledged=None, selftest_passed=False, sequences={}, understood={},
    )  # fmt: skip
    checks = {"voice": CheckData(outcome=CheckOutcome.FAILED, says="gives other answers", remedy="install it again")}
    change = ModelChange(
        action=ModelAction.PROBATION, model="words", version="1.6.0", previous="1.5.0", reason=None,
        figures={"calls": 3.0, "calls_wanted": 20.0, "utterances": 41.0},
    )  # fmt: skip
    whole = Snapshot(
        info=info, state=State(state=BoxState.DEGRADED, boot=7, since=None, reasons=["x"], lines=lines),
        problems=[Problem(what="absent", where="line-2", remedy="plug the line tap in")], health=health,
        levels={"line-1": {"customer": -27.4, "agent": None}, "line-2": {}}, connected=False, probation=[change],
        selftest=SelfTest(passed=False, checks=checks), tested_at="2026-11-29T14:10:49.123Z", at="2026-11-29T14:11:01.456Z",
    )  # fmt: skip
    return msgspec.structs.replace(whole, **other)
