"""One switchboard's socket: never waits, holds little, and knows when the other side is gone."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

from edge.listen.messages import End, Hello, ProtocolError, Refusal, Session, Sound

_READ_BYTES = 65_536
# Silence that nobody takes is not kept: half a second of it is more than any network holds back.
_UNSENT_BYTES = 16_384
# A peer that has vanished (power, cable) is found out within 25 s of silence, or 20 s after something was sent to it.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3), (socket.TCP_USER_TIMEOUT, 20_000))


class Connection:
    """A connected socket and its side of the protocol. One thread at a time owns it."""

    def __init__(self, sock: socket.socket, session: Session, tls: ssl.SSLContext | None, peer: str) -> None:
        sock.setblocking(False)  # noqa: FBT003 (its name says what it is)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ((socket.TCP_NODELAY, 1), *_KEEPALIVE):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        self.session, self.peer = session, peer
        self._tls = tls is not None
        self._sock = sock if tls is None else tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._handshaken = tls is None
        self._unsent = b""

    def fileno(self) -> int:
        """For a selector."""
        return self._sock.fileno()

    def read(self) -> bytes | None:
        """What has come, b"" where nothing has; None once the other side has said its last. Raises OSError where the connection broke."""
        found = bytearray()
        try:
            if not self._handshaken and isinstance(self._sock, ssl.SSLSocket):
                self._sock.do_handshake()
                self._handshaken = True
            while len(found) < _READ_BYTES:
                data = self._sock.recv(_READ_BYTES)
                if not data:
                    # What came before the end is given first.
                    return bytes(found) if found else None
                found += data
                if not self._tls:
                    break
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        return bytes(found)

    def receive(self, data: bytes) -> Iterator[Hello | Sound | End]:
        """What the session makes of `data`. Raises ProtocolError, whatever a library says of a stranger's bytes."""
        try:
            yield from self.session.receive(data)
        except ProtocolError:
            raise
        except Exception as error:
            # It ends that stranger's connection, and nobody else's.
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, f"{type(error).__name__} while it was read") from error

    def send(self) -> None:
        """Send what the session has to say, as far as it goes. Raises OSError where the connection broke."""
        self._unsent += self.session.outgoing()
        if not self._unsent or not self._handshaken:
            return
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._unsent = self._unsent[self._sock.send(self._unsent) :]

    def pass_time(self, samples: int) -> None:
        """See Session; not while the other side takes nothing."""
        if len(self._unsent) < _UNSENT_BYTES:
            self.session.pass_time(samples)

    def say_goodbye(self, refusal: Refusal | None) -> None:
        """Refuse it (None: it is simply over), and send no more. Read it until the other side closes, or that may miss the answer."""
        if refusal is not None:
            self.session.refuse(refusal)
        with suppress(OSError, ValueError):
            self.send()
        with suppress(OSError, ValueError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of the socket."""
        self._sock.close()
