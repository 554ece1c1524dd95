"""Every check really uses the thing: records, infers, decodes, publishes and reads back, writes and fsyncs.

What is wrong is told in words that can be read down the phone, with the remedy beside it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from edge.config import Config, LineConfig, SourceConfig
from edge.doctor import audio, bus, host, judges
from edge.doctor.finding import Finding, failed, failed_by, skipped
from edge.doctor.listener import listener
from edge.errors import UndertoneError
from edge.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check, done: its name, what it found, and how long it took."""

    name: str
    finding: Finding
    took_ms: int


def examine(config: Config | None) -> Iterator[Check]:
    """Do every check on what `config` names (None: on what a new box has), yielding each as it is done.

    Never raises for what is wrong with the box.
    """
    for name, check in _checks(config):
        yield checked(name, check)


def checked(name: str, check: Callable[[], Finding]) -> Check:
    """`check`, done. Never raises for what is wrong with the box."""
    began = time.monotonic()
    finding = _guarded(check)
    return Check(name=name, finding=finding, took_ms=round((time.monotonic() - began) * 1000))


def _checks(given: Config | None) -> list[tuple[str, Callable[[], Finding]]]:
    config = given or Config()
    # Without a configured line, the likeliest line tap is what a new box will use.
    lines = config.lines or (LineConfig(name="auto", source=SourceConfig(device="auto"), channels=(Role.MIXED,)),)
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("clock", host.clock),
        ("load", host.load),
        ("memory", partial(host.memory, config)),
        ("rights", partial(host.permissions, config)),
        ("service", partial(host.service, given)),
        *([] if given is None or given.lines else [("lines", partial(failed, "none is configured", "undertone setup adds one"))]),
        *(_heard(line, config) for line in lines),
        ("voice model", partial(judges.voice, config)),
        ("voice baseline", partial(judges.baseline, config)),
        ("recogniser", partial(judges.recogniser, config)),
        ("words", partial(judges.words, config)),
    ]
    named: dict[str, Callable[[Config], Finding]] = {
        "files": host.files,
        "disk": host.disk,
        "outbox": bus.outbox,
        "broker": bus.broker,
        "name": bus.name,
    }
    for name, check in named.items():
        checks.append((name, partial(check, given) if given is not None else partial(skipped, "no configuration: give --config FILE")))
    return checks


def _heard(line: LineConfig, config: Config) -> tuple[str, Callable[[], Finding]]:
    """How a line is checked: one that listens cannot be recorded from."""
    if line.source.listen is not None:
        return f"listen {line.name}", partial(listener, line, line.source.listen, config)
    return f"audio {line.name}", partial(audio.listen, line, config)


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except UndertoneError as error:
        return failed_by(error.problem)
    except ImportError as error:
        return failed(f"not installed: {error}", "install Undertone again (systemd/install.sh)")
