"""What became of a condition: whether it holds, what it needed, what there was, and on what it stands.

A finding is an outcome that holds. Alerts are made from findings, and the answer to "why no alert?" from those that do not hold.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge.call.rules.view import UtteranceView

# What the voice alone says is believed only when it says so again and again (the voice model is not validated on calls).
VOICE_ALONE_UTTERANCES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place in the call that a condition stands on; `heard` is None for a silence.

    `voice_alone`: no words behind it; `for_cause`: it is here because it complains of what the rule asked for.
    """

    start_ms: int
    end_ms: int
    heard: UtteranceView | None = None
    voice_alone: bool = False
    for_cause: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One condition at one moment of a call.

    `what` was asked, what it `needed` and what there was (`had`), in numbers and codes, no words of the call; empty where it is
    made of `parts`. `nearness` 0..1 is how much of what it needed was there (1 where it holds). `hits` are in order of time.
    `probability` (None: not a matter of one) of `all` and `near` is its weakest part's, of `any` its strongest's: an upper bound
    and a lower one. `passed_over` are utterances that could not be judged, counted by reason.
    """

    holds: bool
    what: str = ""
    needed: str = ""
    had: str = ""
    nearness: float = 0.0
    hits: tuple[Hit, ...] = ()
    probability: float | None = None
    parts: tuple["Outcome", ...] = ()
    why: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, int], ...] = ()

    @property
    def missing(self) -> list["Outcome"]:
        """The conditions that keep it from holding, down to those that are made of no others."""
        if self.holds:
            return []
        return [one for part in self.parts for one in part.missing] if self.parts else [self]

    @property
    def unjudged(self) -> dict[str, int]:
        """Utterances passed over by any condition in it, the most that any of them passed over, by reason."""
        worst: Counter[str] = Counter()
        for one in self._all():
            worst |= Counter(dict(one.passed_over))
        return dict(worst.most_common())

    def _all(self) -> Iterator["Outcome"]:
        yield self
        for part in self.parts:
            yield from part._all()  # noqa: SLF001 (its own kind)


def way(value: float, limit: float, start: float = 0.0) -> float:
    """How much of the way from `start` to `limit` was gone at `value`, 0..1."""
    return 1.0 if limit == start else min(max((value - start) / (limit - start), 0.0), 1.0)


def leaf(
    *,
    holds: bool,
    what: str,
    needed: str,
    had: str,
    nearness: float,
    hits: tuple[Hit, ...] = (),
    probability: float | None = None,
    passed_over: tuple[tuple[str, int], ...] = (),
) -> Outcome:
    """A condition made of no others. What it stands on is kept only where it holds."""
    return Outcome(
        holds=holds,
        what=what,
        needed=needed,
        had=had,
        nearness=1.0 if holds else min(max(nearness, 0.0), 1.0),
        hits=hits if holds else (),
        probability=probability if holds else None,
        why=(f"{what} {had} (needs {needed})",) if holds else (),
        passed_over=passed_over,
    )


def every(parts: Sequence[Outcome]) -> Outcome:
    """All of `parts` at once; as near as they are on average."""
    holds = all(part.holds for part in parts)
    joined = _joined(parts, min) if holds else Outcome(holds=False)
    return replace(joined, nearness=1.0 if holds else sum(part.nearness for part in parts) / len(parts), parts=tuple(parts))


def strongest(parts: Sequence[Outcome]) -> Outcome:
    """Any of `parts`; as near as the nearest."""
    held = [part for part in parts if part.holds]
    joined = _joined(held, max) if held else Outcome(holds=False)
    return replace(joined, nearness=max(part.nearness for part in parts), parts=tuple(parts))


def negated(inner: Outcome) -> Outcome:
    """True where `inner` is not. It stands on nothing and explains nothing while it holds."""
    if not inner.holds:
        return Outcome(holds=True, nearness=1.0)
    return leaf(holds=False, what="not", needed="not that", had="; ".join(inner.why) or "it is so", nearness=0.0)


def together(first: Outcome, then: Outcome, *, apart: Callable[[Hit, Hit], float], within: float, needed: str) -> Outcome:
    """Both, with a hit of each no further than `within` from one of the other, by `apart` (infinite where in the wrong order)."""
    both = every([first, then])
    if not both.holds:
        return both
    spans = {(a, b): apart(a, b) for a in first.hits for b in then.hits}
    near = {hit for pair, span in spans.items() if span <= within for hit in pair}
    if near:
        return replace(both, hits=tuple(hit for hit in both.hits if hit in near))
    nearest = min(spans.values(), default=float("inf"))
    reached = nearest < float("inf")
    had = f"{nearest / 1000:.1f} s" if reached else "only the other way round"
    gap = leaf(holds=False, what="from one to the other", needed=needed, had=had, nearness=within / nearest if reached else 0.0)
    return Outcome(holds=False, nearness=(2 + gap.nearness) / 3, parts=(first, then, gap))


def believed(outcome: Outcome) -> Outcome:
    """`outcome`, unless it stands on the voice alone and not on enough utterances of it."""
    # A silence is neither voice nor words: it adds nothing to what the voice alone says.
    spoken = [(hit.heard.n, hit.voice_alone) for hit in outcome.hits if hit.heard]
    if not outcome.holds or not spoken or not all(alone for _, alone in spoken):
        return outcome
    times = len({n for n, _ in spoken})
    if times >= VOICE_ALONE_UTTERANCES:
        return outcome
    needed = f"{VOICE_ALONE_UTTERANCES}, or words behind one of them"
    doubt = leaf(holds=False, what="utterances of voice alone", needed=needed, had=str(times), nearness=times / VOICE_ALONE_UTTERANCES)
    return Outcome(holds=False, nearness=(1 + doubt.nearness) / 2, parts=(outcome, doubt))


def _joined(parts: Sequence[Outcome], choose: Callable[[list[float]], float]) -> Outcome:
    hits = {hit for part in parts for hit in part.hits}
    chances = [part.probability for part in parts if part.probability is not None]
    return Outcome(
        holds=True,
        hits=tuple(sorted(hits, key=lambda hit: (hit.start_ms, hit.end_ms))),
        probability=choose(chances) if chances else None,
        why=tuple(dict.fromkeys(reason for part in parts for reason in part.why)),
    )
