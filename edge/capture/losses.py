"""How much sound a device lost without counting it: its own clock against the monotonic one.

Sound systems say at best *that* they threw sound away. A device that counted fewer samples than time has passed, and does not
catch up, has lost the difference. Two clocks also drift apart by up to some hundred parts in a million; that is no loss.
"""

# As long as a stalled reader needs to catch up with what the sound system kept for it.
_WINDOW_NS = 1_000_000_000
# Less than this cannot be told from the unevenness of delivery.
_LOSS_S = 0.1
# Ten times the worst quartz: the expectation follows a slow device by at most 1 ms a second.
_DRIFT = 0.001


class Losses:
    """Counts one stream at `rate`. `account` is called for each block as it arrives."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._counted = 0
        self._began_ns: int | None = None
        # The smallest lag (samples that time has passed but the device has not delivered) that is normal for this stream.
        self._normal: float | None = None
        self._window_began_ns = 0
        self._least: float | None = None

    def account(self, samples: int, now_ns: int, *, overflow: bool = False) -> int:
        """Samples that went missing before this block of `samples` that arrived at `now_ns`.

        A loss that the sound system told (`overflow`) is found at once, one that it kept silent about within two seconds.
        """
        if self._began_ns is None:
            self._began_ns = self._window_began_ns = now_ns
        self._counted += samples
        lag = (now_ns - self._began_ns) * self._rate / 1e9 - self._counted
        if overflow:
            return self._lose(max(1, round(lag - (lag if self._normal is None else self._normal))), now_ns)
        self._least = lag if self._least is None else min(self._least, lag)
        if now_ns - self._window_began_ns < _WINDOW_NS:
            return 0
        return self._judge(self._least, now_ns)

    def _judge(self, least: float, now_ns: int) -> int:
        window_s = (now_ns - self._window_began_ns) / 1e9
        self._window_began_ns, self._least = now_ns, None
        if self._normal is None:
            self._normal = least
        elif least - self._normal > _LOSS_S * self._rate:
            return self._lose(round(least - self._normal), now_ns)
        else:
            self._normal = min(least, self._normal + _DRIFT * self._rate * window_s)
        return 0

    def _lose(self, samples: int, now_ns: int) -> int:
        self._counted += samples
        self._window_began_ns, self._least = now_ns, None
        return samples
