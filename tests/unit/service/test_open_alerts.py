"""The list of alerts that still take answers: gravest first, without evidence, bounded."""

import msgspec

from edge.service.open_alerts import open_alerts
from edge.wire.codes import Severity
from edge.wire.parts import EvidenceData
from tests.telling import alert


def of(call: str, severity: Severity, opened_at: str):
    return alert(call=call, severity=severity, severity_level=severity.level, opened_at=opened_at).data


def test_the_gravest_come_first_and_of_those_the_newest():
    told = open_alerts([of("a", Severity.HIGH, "1"), of("b", Severity.CRITICAL, "1"), of("c", Severity.HIGH, "2")])
    assert [one.call for one in told.alerts] == ["b", "c", "a"]
    assert told.left_out == 0


def test_the_list_is_bounded_and_says_how_many_it_leaves_out():
    told = open_alerts([of(f"c{n}", Severity.LOW, f"{n:04d}") for n in range(250)])
    assert len(told.alerts) == 100
    assert told.left_out == 150
    assert told.alerts[0].call == "c249"


def test_no_evidence_and_so_no_quote_is_kept_by_the_broker():
    evidence = EvidenceData(n=1, start_ms=0, end_ms=1, polarity=None, p_negative=None, cause=None, quote="my words")
    whole = alert().data
    quoted = msgspec.structs.replace(whole, reasons=[msgspec.structs.replace(whole.reasons[0], evidence=[evidence])])
    assert b"my words" not in msgspec.json.encode(open_alerts([quoted]))
