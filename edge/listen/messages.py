"""What comes over a switchboard's connection, whatever protocol it speaks: whose call it is, its sound, its end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from edge.values import ClosedBy, Code, Pcm
from edge.wire.context import Context


class Refusal(Code):
    """Why a connection was not taken, or was ended; it stands in the log, and goes to the switchboard as far as its protocol has words."""

    FULL = "full", "max_calls calls are going on."
    TOKEN = "token", "No token of tokens_file."
    NOT_ANNOUNCED = "not_announced", "Its UUID was not announced, or was used before."
    IN_USE = "in_use", "Another connection with its UUID is there, and not broken."
    NO_START = "no_start", "It did not say in time whose call it is."
    CROWDED = "crowded", "Too many connections had not said yet whose call they are; the oldest went."
    TLS = "tls", "No TLS came of it."
    NOT_UNDERSTOOD = "not_understood", "Not what the protocol says."
    CHANNELS = "channels", "It has other channels than the line."
    RATE = "rate", "Neither 8000 nor 16000 samples a second, or another rate than the call's."
    STOPPING = "stopping", "The box is being stopped."
    OVER = "over", "The call is over: its other connection hung up, or nothing came for idle_s."


class ProtocolError(Exception):
    """What came is not what the protocol says. `says` is for the log and the switchboard, and repeats nothing of what came."""

    def __init__(self, refusal: Refusal, says: str) -> None:
        super().__init__(says)
        self.refusal, self.says = refusal, says


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Which call this is. `media` is the connection's own UUID (AudioSocket); with others it brings its context itself."""

    context: Context = field(default_factory=Context)
    media: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Some of a call's sound, in order for its channels.

    `pcm` is int16, (samples, len(channels)), at `rate`; `channels` are those of the line that it is of. `at`: its first sample on the
    sender's own clock (None: it has none). `lost`: the sender's count says that something before it went missing.
    """

    pcm: Pcm
    rate: int
    channels: tuple[int, ...]
    at: int | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The connection says that the call is over."""

    by: ClosedBy


class Session(Protocol):
    """One connection's side of a protocol, without a socket: bytes in, messages and bytes out. Holds no more than one message.

    `unsaid`: what it means where the socket is closed, or reset, without a word.
    """

    unsaid: ClosedBy

    def receive(self, data: bytes) -> Iterator[Hello | Sound | End]:
        """What `data` completes; one Hello before anything else. Raises ProtocolError, once: nothing may be fed after it."""

    def outgoing(self) -> bytes:
        """What is to be sent now: each byte once."""

    def refuse(self, refusal: Refusal) -> None:
        """Say goodbye, as clearly as the protocol can; `outgoing` has it."""

    def pass_time(self, samples: int) -> None:
        """So many samples at 8 kHz have gone by since the last call of this: some protocols are told something all the time."""
