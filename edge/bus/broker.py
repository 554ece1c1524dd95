"""What a broker wants of us before it lets us in (TLS, password), and what went wrong on the way there, each with its remedy."""

import ssl
from pathlib import Path
from socket import gaierror

from edge.config import MqttConfig
from edge.errors import BusError


def password(config: MqttConfig) -> str | None:
    """The first line of the password file, read anew for each connection; None without one. Raises BusError."""
    if config.password_file is None:
        return None
    try:
        return Path(config.password_file).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BusError(
            f"mqtt.password_file: {config.password_file}: {error}; write the password as its first line, readable by this user"
        ) from error


def tls(config: MqttConfig) -> ssl.SSLContext:
    """Whom to trust and what to show. Raises BusError naming key, file and remedy."""
    try:
        context = ssl.create_default_context(cafile=config.ca)
    except (OSError, ssl.SSLError) as error:
        raise BusError(f"mqtt.ca: {config.ca}: {error}; give the PEM file of the authority that signed the broker") from error
    if config.cert is not None:
        try:
            context.load_cert_chain(config.cert, config.key)
        except (OSError, ssl.SSLError) as error:
            raise BusError(
                f"mqtt.cert, mqtt.key: {config.cert}, {config.key}: {error}; give a PEM certificate and the key that belongs to it"
            ) from error
    return context


def explain(error: Exception) -> str:
    """What went wrong on the way to the broker, and the remedy."""
    match error:
        case ssl.SSLCertVerificationError():
            told = f"the broker's certificate is not to be trusted: {error.verify_message}; check mqtt.ca and the host name in mqtt.url"
        case ssl.SSLError():
            told = f"TLS failed: {error.reason or error}; a port without TLS needs mqtt://, and this one may ask for mqtt.cert and mqtt.key"
        case gaierror():
            told = f"the host name is not known: {error.strerror}; check mqtt.url and this box's DNS"
        case ConnectionRefusedError():
            told = "connection refused; is the broker running, and on that port?"
        case ConnectionResetError():
            told = "connection reset; a port without TLS needs mqtt://, one with TLS needs mqtts://"
        case TimeoutError():
            told = "no answer; check mqtt.url, the network and the firewall"
        case OSError():
            told = f"{error.strerror or error}; check mqtt.url and the network"
        case _:
            told = f"{error}; check mqtt.url"
    return told
