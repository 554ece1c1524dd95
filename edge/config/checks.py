"""What the types of a configuration alone cannot say."""

import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from edge.config.types import Config, ListenConfig, MqttConfig
from edge.errors import ConfigError, Key
from edge.values import Role

_ADDRESS = "give mqtt://HOST[:PORT] or mqtts://HOST[:PORT], with a port from 1 to 65535"


def broker_fault(url: str) -> tuple[str, str] | None:
    """What is wrong with a broker's address, and what to do; None where nothing is. A user or password in it is not repeated."""
    # Whatever stands before an @ may be a secret, and so may all of it where it was written askew.
    if "@" in url:
        said = "a user or password stands in the address"
        return said, "give it without; the user is mqtt.username, and the password the first line of the file mqtt.password_file"
    if not re.match(r"^mqtts?://[^/?#\s]+$", url):
        return f"'{url}' is no broker's address", _ADDRESS
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return f"'{url}' names a port that there is none of", _ADDRESS
    if port == 0 or not host:
        return f"'{url}' names no {'port' if host else 'host'}", _ADDRESS
    return None


def mqtt_fault(mqtt: MqttConfig) -> tuple[str, str, str] | None:
    """The key that is wrong, what is wrong with it and what to do; None where nothing is.

    Also one that would change nothing: who gives a certificate believes that nobody listens in, and on a plain connection that is not so.
    """
    if fault := broker_fault(mqtt.url):
        return "url", *fault
    if not mqtt.url.startswith("mqtts://"):
        for key in ("ca", "cert", "key"):
            if getattr(mqtt, key) is not None:
                return key, f"{mqtt.url} is a connection without TLS", "give an address that begins with mqtts://, or leave it out"
    if mqtt.key is not None and mqtt.cert is None:
        return "key", "there is no certificate to it", "give the certificate too, or leave it out"
    if mqtt.password_file is not None and mqtt.username is None:
        return "password_file", "there is no user to it", "give the user name too, or leave it out"
    return None


def _check_listen(listen: ListenConfig, path: Path, key: str) -> None:
    """What the types of a listener alone cannot say."""
    try:
        local = listen.local
    except ValueError as error:
        remedy = "give an IP address of this box: 127.0.0.1, or that of the network in which the switchboard is"
        raise ConfigError(f"'{listen.address}' is no IP address", path=path, where=Key(f"{key}.address"), remedy=remedy) from error
    if listen.protocol == "audiosocket":
        for name in ("tokens_file", "cert", "key"):
            if getattr(listen, name) is not None:
                remedy = "leave it out: only announced calls are taken (docs/switchboards.md); bind it to a network of its own"
                raise ConfigError("AudioSocket has neither login nor TLS", path=path, where=Key(f"{key}.{name}"), remedy=remedy)
        return
    if listen.tokens_file is None and not local:
        remedy = "give a file of tokens, one a line: without, whoever reaches this address brings calls"
        raise ConfigError("there is none", path=path, where=Key(f"{key}.tokens_file"), remedy=remedy)
    if (listen.cert is None) != (listen.key is None):
        missing = "cert" if listen.cert is None else "key"
        raise ConfigError("there is none", path=path, where=Key(f"{key}.{missing}"), remedy="give both cert and key, or neither")


def _check_discovery(config: Config, path: Path) -> None:
    """Raise ConfigError where Home Assistant would not take what it is told."""
    if config.discovery_prefix is None:
        return
    if not re.fullmatch(r"[^+#\s/]+(/[^+#\s/]+)*", config.discovery_prefix):
        raise ConfigError(
            f"'{config.discovery_prefix}' is no topic", path=path, where=Key("discovery_prefix"), remedy="Home Assistant's is homeassistant"
        )
    for key in ("site", "device"):
        if "." in getattr(config, key):
            raise ConfigError(
                f"'{getattr(config, key)}' has a dot, and Home Assistant takes none in a name", path=path, where=Key(key),
                remedy="name it without, or leave out discovery_prefix",
            )  # fmt: skip


def check(config: Config, path: Path) -> None:
    """What the types alone cannot say."""
    seen: set[str] = set()
    for number, line in enumerate(config.lines):
        key = f"lines[{number}]"
        if line.name in seen:
            raise ConfigError(f"'{line.name}' is used twice", path=path, where=Key(f"{key}.name"), remedy="give each line its own name")
        seen.add(line.name)
        given = [k for k in ("device", "command", "file", "listen") if getattr(line.source, k) is not None]
        if len(given) != 1:
            raise ConfigError(
                f"got {given or 'none'}", path=path, where=Key(f"{key}.source"), remedy="give exactly one of device, command, file, listen"
            )
        if line.source.listen is not None:
            _check_listen(line.source.listen, path, f"{key}.source.listen")
        if len(line.channels) == 2 and (Role.MIXED in line.channels or line.channels[0] == line.channels[1]):  # noqa: PLR2004 (two channels)
            raise ConfigError(
                f"these are [{', '.join(line.channels)}]",
                path=path,
                where=Key(f"{key}.channels"),
                remedy="two channels are [customer, agent] or [agent, customer]; a mixed line has one, [mixed]",
            )
    try:
        ipaddress.ip_address(config.status_page.address)
    except ValueError as error:
        remedy = "give 127.0.0.1 for this box alone, or an address of this box for its network"
        raise ConfigError(f"{error}", path=path, where=Key("status_page.address"), remedy=remedy) from error
    _check_discovery(config, path)
    if fault := mqtt_fault(config.mqtt):
        raise ConfigError(fault[1], path=path, where=Key(f"mqtt.{fault[0]}"), remedy=fault[2])
    if re.search(r"[+#\s]", config.mqtt.prefix) or config.mqtt.prefix.strip("/") != config.mqtt.prefix:
        raise ConfigError(
            f"'{config.mqtt.prefix}' cannot begin a topic",
            path=path,
            where=Key("mqtt.prefix"),
            remedy="give one without spaces, '+', '#' and outer '/'",
        )
