"""The listener's certificate, taken anew when its file changes: certificates are renewed while a box runs."""

import logging
import ssl
from pathlib import Path

from edge.errors import ConfigError
from edge.journal.reminders import Reminders

_log = logging.getLogger("undertone.listen")


class Certificate:
    """A certificate and its key as a TLS context. Not for several threads."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises ConfigError where the two cannot be used."""
        self._cert, self._key, self._reminders = cert, key, Reminders()
        self._context, self._stamp = load(cert, key), self._stamps()

    def context(self) -> ssl.SSLContext:
        """What a connection that comes now is answered with."""
        try:
            stamp = self._stamps()
            if stamp != self._stamp:
                self._stamp = stamp
                self._context = load(self._cert, self._key)
                self._reminders.all_over()
                _log.info("listen.certificate_taken path=%s", self._cert)
        except (OSError, ConfigError) as error:
            # Half-written, most likely: the old one serves until the file changes again.
            if self._reminders.due(str(error)):
                _log.warning("listen.certificate_refused kept=old reason=%r", str(error))
        return self._context

    def _stamps(self) -> tuple[int, int]:
        return self._cert.stat().st_mtime_ns, self._key.stat().st_mtime_ns


def load(cert: Path, key: Path) -> ssl.SSLContext:
    """A server's context, TLS 1.2 or later. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A context without tickets keeps nothing of those who were here.
    context.options |= ssl.OP_NO_TICKET
    try:
        # Without the empty password OpenSSL would ask the terminal for that of an encrypted key.
        context.load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        remedy = "give cert (with its chain) and its own key as PEM files, the key unencrypted: openssl pkey -in KEY -out PLAIN"
        raise ConfigError(f"certificate and key cannot be used ({_reason(error)})", path=cert, remedy=remedy) from error
    return context


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    return error.strerror or "no PEM" if isinstance(error, OSError) else "the key is encrypted"
