"""What an alert stands on: what it is about, and which utterances show it."""

from edge.call.rules.outcome import Outcome
from edge.call.rules.view import CallView, UtteranceView
from edge.wire.parts import EvidenceData

# A team reads the beginning and the newest of a long story.
_EVIDENCE = 12
_OPENING_EVIDENCE = 4


def cause_of(finding: Outcome, view: CallView) -> tuple[str | None, str | None]:
    """What the alert is about and that cause's team.

    That is the cause that the rule asked for, where it asked for one and heard it; else what the evidence most probably
    complains of; else what the call does.
    """
    hits = [hit for hit in finding.hits if hit.heard]
    for heard in ([hit.heard for hit in hits if hit.for_cause], [hit.heard for hit in hits], view.heard):
        # An utterance that meets two conditions is still one complaint.
        known = list({one.n: one for one in heard if one is not None and one.cause is not None}.values())
        if known:
            total = {cause: sum(one.cause_p for one in known if one.cause == cause) for cause in {one.cause for one in known}}
            best = max(known, key=lambda one: (total[one.cause], one.n))
            return best.cause, best.cause_route
    return None, None


def shown(one: UtteranceView, *, quotes: bool) -> EvidenceData:
    """An utterance as evidence; its redacted words only where the privacy tier allows `quotes`."""
    return EvidenceData(
        n=one.n,
        start_ms=one.start_ms,
        end_ms=one.end_ms,
        polarity=one.fused.polarity if one.fused else None,
        p_negative=one.fused.p_negative if one.fused else None,
        cause=one.cause,
        quote=one.quote if quotes else None,
    )


def shortened(evidence: list[EvidenceData]) -> list[EvidenceData]:
    """The first and the newest of `evidence`, at most 12."""
    if len(evidence) <= _EVIDENCE:
        return evidence
    return [*evidence[:_OPENING_EVIDENCE], *evidence[_OPENING_EVIDENCE - _EVIDENCE :]]
