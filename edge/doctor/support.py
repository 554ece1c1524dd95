"""The support bundle: what somebody far away needs to help, without a word, a sound or a secret in it."""

import json
import os
import platform
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import msgspec

from edge import __version__
from edge.capture.devices import listing
from edge.clock import now
from edge.config import Config
from edge.doctor import capacity
from edge.doctor.checks import Check
from edge.errors import UndertoneError
from edge.models.inventory import list_models
from edge.outbox import store
from edge.outbox.counts import read_counts
from edge.service import status
from edge.service.resources import memory_available_mb

_JOURNAL = ("journalctl", "--unit=undertone", "--lines=1000", "--output=short-iso", "--no-pager", "--quiet")
# Our own lines are `LEVEL undertone.part event key=value` and hold no words. Whatever else there is (a traceback) might.
_OURS = re.compile(r"(DEBUG|INFO|WARNING|ERROR) undertone\.[a-z]+ [a-z_]+\.[a-z_]+( |$)")
_USER_IN_URL = re.compile(r"://[^/\s'\"]*@")
_MASK = "(left out)"
_SECRET_KEYS = ("username", "password_file", "key", "cert", "ca")


def pack(path: Path, config: Config, checks: list[Check]) -> list[str]:
    """Write the bundle (a zip) to `path`, with the doctor's `checks`; the names of what is in it. Raises OSError."""
    secrets = _secrets(config)
    parts: dict[str, Callable[[], object]] = {
        "about.json": about,
        "configuration.json": lambda: redacted(config),
        "doctor.json": lambda: [msgspec.to_builtins(check) for check in checks],
        status.FILE: lambda: msgspec.to_builtins(status.read(Path(config.state_dir)).status),
        "outbox.json": lambda: asdict(read_counts(Path(config.state_dir) / store.FILE)),
        "models.json": lambda: msgspec.to_builtins(list_models(config)),
        "devices.json": lambda: [msgspec.to_builtins(device) for device in listing()],
        capacity.FILE: lambda: json.loads((Path(config.state_dir) / capacity.FILE).read_bytes()),
        "log.txt": lambda: "\n".join(journal()),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, part in parts.items():
            try:
                found = part()
            except (UndertoneError, OSError, ValueError, msgspec.MsgspecError) as error:
                found = f"not there: {error}"
            text = found if isinstance(found, str) else json.dumps(found, indent=1)
            bundle.writestr(name, masked(text, secrets))
    return list(parts)


def about() -> dict[str, object]:
    """The program, what it stands on, and the machine."""
    packages = {re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in metadata.requires("undertone") or () if "extra ==" not in need}
    return {
        "undertone": __version__,
        "written_at": now(),
        "python": platform.python_version(),
        "system": f"{platform.platform()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "memory_available_mb": round(memory_available_mb()),
        "packages": {name: _version(name) for name in sorted(packages)},
    }


def redacted(config: Config) -> dict[str, object]:
    """`config` without what is nobody else's business: secrets and where they lie, a command's arguments, a site's phrases."""
    written: dict[str, object] = msgspec.to_builtins(config)
    mqtt: dict[str, object] = msgspec.to_builtins(config.mqtt)
    mqtt |= {key: _MASK for key in _SECRET_KEYS if mqtt[key] is not None}
    lines: list[dict[str, object]] = msgspec.to_builtins(config.lines)
    for line, given in zip(lines, config.lines, strict=True):
        if given.source.command is not None:
            line["source"] = msgspec.to_builtins(given.source) | {"command": [given.source.command[0], _MASK]}
        elif given.source.listen is not None:
            listen: dict[str, object] = msgspec.to_builtins(given.source.listen)
            listen |= {key: _MASK for key in ("tokens_file", "cert", "key") if listen[key] is not None}
            line["source"] = msgspec.to_builtins(given.source) | {"listen": listen}
    keywords = [{"name": keyword.name, "phrases": len(keyword.phrases)} for keyword in config.keywords]
    return written | {"mqtt": mqtt, "lines": lines, "keywords": keywords}


def masked(text: str, secrets: list[str]) -> str:
    """`text` without users in URLs and without any of `secrets`."""
    for secret in secrets:
        text = text.replace(secret, _MASK).replace(json.dumps(secret)[1:-1], _MASK)
    return _USER_IN_URL.sub(f"://{_MASK}@", text)


def journal(command: tuple[str, ...] = _JOURNAL) -> Iterator[str]:
    """The service's last log lines, as far as they are known to hold no words. Raises OSError without a journal."""
    left_out = 0
    for line in subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=30, check=False).stdout.splitlines():
        if _OURS.search(line):
            yield line
        else:
            left_out += 1
    yield f"{left_out} lines that are not of a known form were left out"


def _secrets(config: Config) -> list[str]:
    """What must not be in the bundle, whoever repeats it: the password, and where secrets lie. Longest first."""
    found = [config.mqtt.password_file, config.mqtt.key]
    # Who cannot read it cannot give it away.
    with suppress(OSError, UnicodeDecodeError):
        found.append(Path(config.mqtt.password_file or "/nonexistent").read_text(encoding="utf-8").partition("\n")[0])
    return sorted((secret for secret in found if secret), key=len, reverse=True)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
