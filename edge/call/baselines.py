"""What each line of a box is used to hear, from call to call."""

import threading
from collections.abc import Callable, Mapping, Sequence

from edge.voice.baseline import Heard, LineBaseline, unlearnt
from edge.voice.baseline_file import ANY_LINE
from edge.voice.prior import Prior

Keep = Callable[[Mapping[str, LineBaseline]], None]


class Baselines:
    """What the lines of a box are used to, for the voice model that judges. Shared by its lines: call its methods from any thread.

    Without `keep` nothing is learnt from calls: a recording gives the same events however often and beside whatever it is replayed.
    `keep` is told after every call that taught something; it must not raise.
    """

    def __init__(self, known: Mapping[str, LineBaseline] | None = None, *, keep: Keep | None = None) -> None:
        self._lock = threading.Lock()
        self._known, self._keep = dict(known or {}), keep

    def of(self, line: str, prior: Prior) -> LineBaseline:
        """What `line` is used to; the model's prior where nothing was learnt with that very model."""
        with self._lock:
            known = self._known.get(line) or self._known.get(ANY_LINE)
        return known if known is not None and known.model == prior.model else unlearnt(prior)

    def call_over(self, line: str, prior: Prior, heard: Sequence[Heard]) -> None:
        """A call on `line` has ended in which the customer was heard so."""
        if self._keep is None:
            return
        before = self.of(line, prior)
        after = before.after(heard)
        if after is before:
            return
        with self._lock:
            self._known[line] = after
            known = dict(self._known)
        self._keep(known)

    def known(self) -> dict[str, LineBaseline]:
        """What was learnt so far, by line."""
        with self._lock:
            return dict(self._known)


class CallsHeard(Baselines):
    """Every call as it was heard, kept for who learns from recordings; nothing is learnt on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Sequence[Heard]] = []

    def call_over(self, line: str, prior: Prior, heard: Sequence[Heard]) -> None:
        """A call has ended in which the customer was heard so."""
        del line, prior
        self.calls.append(heard)
