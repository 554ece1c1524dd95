"""Whether a line's two channels are swapped: the agent would then be judged, and the customer would not.

Two clues, neither of which a right line gives:
- the network's tones (ringing, busy, dial) come down the line, so they belong on the customer's channel, never on the agent's alone;
- who answers with "thank you for calling, how can I help you" is the agent.
One call may mislead (somebody transfers a call, a customer jokes); two calls in a row that say the same do not.
"""

from collections import deque

from edge.errors import Problem
from edge.phrases.agent import answering_phrases
from edge.values import Role, Tone

_NETWORK_TONES = frozenset({Tone.DIAL, Tone.RINGBACK, Tone.BUSY, Tone.REORDER, Tone.CALL_WAITING, Tone.UNOBTAINABLE, Tone.HOWLER, Tone.SIT})
# So many calls in a row must say it.
_CALLS = 2
_SWAPPED = Problem(
    what="channels look swapped (the network's tones or the agent's phrases are on the customer's side)", remedy="turn `channels` round"
)


class ChannelSwapDetector:
    """The clues of one line, call by call. `swapped` is what to tell, None where nothing is. Not for several threads."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.swapped: Problem | None = None
        self._two_sided = set(roles) == {Role.CUSTOMER, Role.AGENT}
        self._roles = roles
        self._votes: deque[bool] = deque(maxlen=_CALLS)
        self._tones: set[Role] = set()
        self._phrases: set[Role] = set()

    def tone(self, channel: int, name: Tone) -> None:
        """A tone was heard on `channel`."""
        if name in _NETWORK_TONES:
            self._tones.add(self._roles[channel])

    def said(self, role: Role, text: str) -> None:
        """`text` was said on the channel of `role`; it is looked at and not kept."""
        if answering_phrases().every(text.split()):
            self._phrases.add(role)

    def call_over(self) -> None:
        """Take what this call has shown; a call without a clue says nothing."""
        heard = ((self._tones, Role.AGENT), (self._phrases, Role.CUSTOMER))
        clues = {sides == {wrong_side} for sides, wrong_side in heard if len(sides) == 1}
        self._tones, self._phrases = set(), set()
        if self._two_sided and len(clues) == 1:
            self._votes.append(clues.pop())
            self.swapped = _SWAPPED if len(self._votes) == _CALLS and all(self._votes) else None
