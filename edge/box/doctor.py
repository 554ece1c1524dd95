"""Every check really uses the thing: records, infers, decodes, publishes and reads back, writes and fsyncs.

What is wrong is told in words that can be read down the phone, with the remedy beside it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from edge.box import hearing, host, judging, telling
from edge.box.finding import Finding, Outcome, skipped
from edge.config import Config, LineConfig, SourceConfig
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
        ("memory", partial(host.memory, config)),
        ("rights", partial(host.permissions, config)),
        ("service", partial(host.service, given)),
        *((f"audio {line.name}", partial(hearing.hear, line, config)) for line in lines),
        ("voice model", partial(judging.voice, config)),
        ("recogniser", partial(judging.recogniser, config)),
        ("words", partial(judging.words, config)),
    ]
    named: list[tuple[str, Callable[[Config], Finding]]] = [("disk", host.disk), ("outbox", telling.outbox), ("broker", telling.broker)]
    for name, check in named:
        checks.append((name, partial(check, given) if given is not None else partial(skipped, "no configuration: give --config FILE")))
    return checks


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except UndertoneError as error:
        # Our messages are "what is wrong; what to do".
        what, _, remedy = str(error).rpartition("; ")
        return Finding(outcome=Outcome.FAILED, says=what or remedy, remedy=remedy if what else None)
    except ImportError as error:
        return Finding(outcome=Outcome.FAILED, says=f"not installed: {error}", remedy="install Undertone again (systemd/install.sh)")
