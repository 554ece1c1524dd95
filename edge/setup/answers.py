"""What a technician is asked, and how the answers become a configuration that keeps whatever else was in it."""

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge.config import Name, broker_fault
from edge.errors import UsageError
from edge.values import Role

_NAME: msgspec.Meta = typing.get_args(Name)[1]
# Where the unit finds its configuration, and where systemd leaves the secrets that it hands over.
SERVICE = Path("/etc/undertone")
_HANDED_OVER = "/run/credentials/undertone.service"
PASSWORD = "mqtt-password"  # noqa: S105 (a file's name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One line of one box and its broker. `password` None: as it is."""

    site: str
    device: str
    line: str
    desk: str | None
    source: str
    channels: tuple[Role, ...]
    url: str
    ca: str | None
    username: str | None
    password: str | None = field(default=None, repr=False)


def name_fault(name: str) -> str | None:
    """Why `name` cannot stand in a topic; None where it can."""
    return None if re.match(str(_NAME.pattern), name) else f"'{name}' cannot be one: {_NAME.description}"


def broker_of(said: str) -> str:
    """What a technician says for the broker, as an address: a bare host is one without TLS."""
    return said if "://" in said else f"mqtt://{said}"


def url_fault(said: str) -> str | None:
    """What is wrong with it as an address."""
    fault = broker_fault(broker_of(said))
    return None if fault is None else fault[0]


_ROLES = {
    "customer,agent": (Role.CUSTOMER, Role.AGENT),
    "agent,customer": (Role.AGENT, Role.CUSTOMER),
    "mixed": (Role.MIXED,),
    "customer": (Role.CUSTOMER,),
}


def roles_of(said: str) -> tuple[Role, ...]:
    """`customer,agent` as roles. Raises UsageError."""
    found = _ROLES.get(said.replace(" ", ""))
    if found is None:
        raise UsageError(f"'{said}' is none", where="--channels", remedy=f"give one of {' '.join(_ROLES)}")
    return found


def known(raw: Mapping[str, Any], line: str | None, *, add: bool, host: str) -> Answers:
    """What the configuration `raw` says already, of the line of that name (None: the first one), or of one more.

    Raises UsageError for a line that is not there.
    """
    lines, mqtt = raw.get("lines") or [], raw.get("mqtt") or {}
    at = _place(lines, line, add=add)
    old = {} if at is None else lines[at]
    free = next(name for n in range(1, len(lines) + 2) if (name := f"line-{n}") not in [one["name"] for one in lines])
    return Answers(
        site=raw.get("site") or "site",
        device=raw.get("device") or (re.sub(r"[^A-Za-z0-9._-]", "-", host).lstrip("._-")[:64] or "box"),
        line=old.get("name") or line or free,
        desk=None if old.get("desk") is None else str(old["desk"]),
        source=(old.get("source") or {}).get("device") or "auto",
        channels=tuple(Role(role) for role in old.get("channels") or (Role.CUSTOMER, Role.AGENT)),
        url=mqtt.get("url") or "mqtt://127.0.0.1:1883",
        ca=mqtt.get("ca"),
        username=mqtt.get("username"),
    )


def merged(raw: Mapping[str, Any], answers: Answers, *, line: str | None, add: bool, folder: Path) -> dict[str, Any]:
    """`raw` with the answers in it; every other key stays. `line`, `add`: as they were given to `known`."""
    lines = [dict(one) for one in raw.get("lines") or []]
    at = _place(lines, line, add=add)
    old = {} if at is None else lines[at]
    # A command, a recording or a switchboard is heard on as it was, where nobody chose a device instead.
    kept = old.get("source") if answers.source == "auto" and "device" not in (old.get("source") or {"device": ""}) else None
    source = kept or {"device": answers.source, **{k: v for k, v in (old.get("source") or {}).items() if k in {"rate", "stall_s"}}}
    new = {**old, "name": answers.line, "desk": answers.desk, "source": source, "channels": [str(role) for role in answers.channels]}
    new = {key: value for key, value in new.items() if value is not None}
    lines[len(lines) if at is None else at : len(lines) if at is None else at + 1] = [new]
    mqtt = {**(raw.get("mqtt") or {}), "url": answers.url, "ca": answers.ca, "username": answers.username}
    if answers.password is not None:
        mqtt["password_file"] = f"{_HANDED_OVER}/{PASSWORD}" if folder == SERVICE else PASSWORD
    # What the broker that is meant now has no use for would be refused (edge.config.checks).
    idle = [*(() if answers.url.startswith("mqtts://") else ("cert", "key")), *(() if answers.username else ("password_file",))]
    mqtt = {key: value for key, value in mqtt.items() if value is not None and key not in idle}
    first = {"site": answers.site, "device": answers.device, "lines": lines, "mqtt": mqtt}
    beside = {} if "state_dir" in raw or folder == SERVICE else {"state_dir": "state"}
    return {**first, **{key: value for key, value in raw.items() if key not in first}, **beside}


def _place(lines: list[dict[str, Any]], name: str | None, *, add: bool) -> int | None:
    """Which of `lines` is meant; None for one more."""
    names = [line["name"] for line in lines]
    if add or not lines:
        if name in names:
            raise UsageError(f"'{name}' is there already", where="--line", remedy="give another name, or leave --add-line out to change it")
        return None
    if name in names:
        return names.index(name)
    if name is not None and len(lines) > 1:
        raise UsageError(f"'{name}' is none of {', '.join(names)}", where="--line", remedy="give one of them, or --add-line for one more")
    # The only line may be given another name.
    return 0
