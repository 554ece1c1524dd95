"""Whether a line's callers are understood, call by call: where most are not, the recogniser knows another language than they speak."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from edge.call.rules.conditions import Side
from edge.call.rules.view import UtteranceView
from edge.errors import Problem
from edge.wire.parts import UnderstoodData

# Fewer utterances with words in them do not tell a language from a bad minute.
_LEAST_UTTERANCES = 3
_CALLS = 10
# Five calls, most of them not understood: some callers speak another language anywhere, hardly most of them by chance.
_LEAST_CALLS, _TOO_MANY = 5, 0.5


def call_understood(heard: Sequence[UtteranceView]) -> bool | None:
    """Whether most of the customer's utterances with words in them were understood; None where they are too few to say."""
    found = [one.understood for one in heard if one.side is Side.CUSTOMER and one.understood is not None]
    return None if len(found) < _LEAST_UTTERANCES else 2 * sum(found) > len(found)


class UnderstoodCalls:
    """The last calls of a box's lines. Shared by them: call its methods from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, deque[bool]] = {}

    def call_over(self, line: str, *, understood: bool | None) -> None:
        """A call on `line` has ended that was understood, or not; None where too little was said."""
        if understood is not None:
            with self._lock:
                self._last.setdefault(line, deque(maxlen=_CALLS)).append(understood)

    def of(self, line: str) -> UnderstoodData:
        """The line's last calls, as `health` tells them."""
        with self._lock:
            last = tuple(self._last.get(line, ()))
        return UnderstoodData(calls=len(last), not_understood=last.count(False))

    def problems(self, lines: Iterable[str]) -> Iterator[Problem]:
        """What to tell a technician of lines whose callers are not understood."""
        for line in lines:
            found = self.of(line)
            if found.calls >= _LEAST_CALLS and found.not_understood > _TOO_MANY * found.calls:
                yield Problem(
                    what=f"{found.not_understood} of {found.calls} calls not understood: do its callers speak English?",
                    where=line,
                    remedy="give the line a recogniser of their language (lines[].models.vosk), or check level and noise of its tap",
                )
