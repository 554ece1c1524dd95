"""What a broker wants of us before it lets us in (TLS, password), and what went wrong on the way there, each with its remedy."""

import shlex
import ssl
from pathlib import Path
from socket import gaierror

from edge.clock import believable, now
from edge.config import MqttConfig
from edge.errors import BusError, Key
from edge.files.durable import unreadable

# X.509 verification results, as OpenSSL numbers them (openssl-verification-options(1), X509_verify_cert_error_string).
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_HOST, _OTHER_ADDRESS = 62, 64


def password(config: MqttConfig) -> str | None:
    """The first line of the password file, read anew for each connection; None without one. Raises BusError."""
    if config.password_file is None:
        return None
    try:
        return Path(config.password_file).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        what = f"{unreadable(Path(config.password_file)) or 'no UTF-8 text'} at {config.password_file}"
        remedy = "write the password as its first line, readable by this user"
        raise BusError(what, where=Key("mqtt.password_file"), remedy=remedy) from error


def tls(config: MqttConfig) -> ssl.SSLContext:
    """Whom to trust and what to show. Raises BusError naming key, file and remedy."""
    try:
        context = ssl.create_default_context(cafile=config.ca)
    except (OSError, ssl.SSLError) as error:
        what = said(error) if config.ca is None else f"{unreadable(Path(config.ca)) or 'no PEM certificate'} at {config.ca}"
        raise BusError(what, where=Key("mqtt.ca"), remedy="give the PEM file of the authority that signed the broker") from error
    if config.cert is not None:
        asked: list[bool] = []

        def no_passphrase() -> str:
            """OpenSSL would ask at the terminal, and wait there for ever."""
            asked.append(True)
            return ""

        try:
            context.load_cert_chain(config.cert, config.key, password=no_passphrase)
        except (OSError, ssl.SSLError) as error:
            if asked:
                key = config.key or config.cert
                raise BusError(
                    "the key is encrypted, and nobody is there to type its passphrase",
                    path=Path(key),
                    where="mqtt.key",
                    remedy=f"write it without one, for this user alone: openssl pkey -in {shlex.quote(key)} -out NEW; chmod 600 NEW",
                ) from error
            gone = next((key for key in ("cert", "key") if (file := getattr(config, key)) and unreadable(Path(file))), None)
            named = getattr(config, gone or "cert")
            what = f"{unreadable(Path(named)) or 'no PEM certificate with the key that belongs to it'} at {named}"
            remedy = "give a PEM certificate and the key that belongs to it"
            raise BusError(what, where=Key(f"mqtt.{gone or 'cert'}"), remedy=remedy) from error
    return context


def said(error: Exception) -> str:
    """What the system said, without the file's name."""
    return getattr(error, "strerror", None) or str(error)


def explain(error: Exception, url: str) -> BusError:
    """What went wrong on the way to the broker at `url`, and the remedy."""
    match error:
        case ssl.SSLCertVerificationError():
            what = f"the broker's certificate is not to be trusted: {error.verify_message}"
            remedy = _distrust(error.verify_code)
        case ssl.SSLError():
            what = f"TLS failed: {error.reason or error}"
            remedy = "a port without TLS needs mqtt://, and this one may ask for mqtt.cert and mqtt.key"
        case gaierror():
            what, remedy = f"the host name is not known: {error.strerror}", "check mqtt.url and this box's DNS"
        case ConnectionRefusedError():
            what, remedy = "connection refused", "is the broker running, and on that port?"
        case ConnectionResetError():
            what, remedy = "connection reset", "a port without TLS needs mqtt://, one with TLS needs mqtts://"
        case TimeoutError():
            what, remedy = "no answer", "check mqtt.url, the network and the firewall"
        case OSError():
            what, remedy = said(error), "check mqtt.url and the network"
        case _:
            what, remedy = str(error), "check mqtt.url"
    return BusError(what, where=url, remedy=remedy)


def _distrust(code: int) -> str:
    """The remedy for a broker's certificate that was not taken."""
    if code == _NOT_YET_VALID or (code == _EXPIRED and not believable()):
        return f"this box's clock says {now()}: set it (timedatectl set-ntp true); if it is right, the broker needs another certificate"
    if code == _EXPIRED:
        return f"renew the certificate of the broker, or of the authority that signed it; this box's clock says {now()}: is that right?"
    if code in (_OTHER_HOST, _OTHER_ADDRESS):
        return "write the host name in mqtt.url as the broker's certificate has it, or have that name put into the certificate"
    return "give in mqtt.ca the PEM file of the authority that signed the broker"
