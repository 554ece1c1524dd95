"""A recording through the way of a call, without broker or disk: what `undertone replay`, `rules try` and tests stand on."""

import time
from collections import Counter
from collections.abc import Iterator

from edge.call.engines import Engines
from edge.call.line import Line
from edge.call.rules.review import Watch
from edge.capture import wavfile
from edge.capture.recording import Recording, path_of
from edge.config import Config, LineConfig, SourceConfig
from edge.errors import UsageError
from edge.signal.resample import frames
from edge.values import ClosedBy, Role
from edge.wire.cloudevents import envelope
from edge.wire.events import Event


def replay(
    path: Recording,
    *,
    line: LineConfig,
    config: Config,
    engines: Engines,
    chunk_ms: int | None = None,
    realtime: bool = False,
    pick: tuple[int, ...] = (),
    watch: Watch | None = None,
) -> Iterator[Event]:
    """The events of every call in the recording at `path`, each as soon as it is known. `chunk_ms` changes nothing but the cost.

    `pick`: hear these of its channels only, counted from 1. `watch` is told of every look at every rule.

    Raises SourceError where the file cannot be heard.
    """
    call_line = Line(line=line, serving=lambda: (engines, config), watch=watch)
    # As a live source gives it; where nobody waits, resampling ten times as much at once costs half.
    chunk_ms = chunk_ms or (20 if realtime else 200)
    blocks = wavfile.blocks(path, chunk_ms=chunk_ms, realtime=realtime, channels=len(line.channels), pick=pick)
    for frame in frames(blocks):
        yield from call_line.process_frame(frame, time.monotonic() if realtime else None)
    yield from call_line.end(ClosedBy.END_OF_RECORDING)


class Envelopes:
    """CloudEvents as the outbox would make them: sequence counts per topic, from 1."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._sequences: Counter[str] = Counter()

    def wrap(self, event: Event) -> bytes:
        """`event` as CloudEvents JSON."""
        self._sequences[event.topic] += 1
        return envelope(event, site=self._config.site, device=self._config.device, sequence=self._sequences[event.topic])


def line_for(path: Recording, config: Config, channels: str | None, pick: tuple[int, ...] = ()) -> LineConfig:
    """The line that the recording at `path` is taken for: the configuration's first, or one made up, with `channels` if given.

    Raises UsageError where roles and the recording's channels cannot agree.
    """
    count = len(pick) or wavfile.channel_count(path)
    if count > 2 and not pick:  # noqa: PLR2004 (stereo)
        raise UsageError(f"has {count} channels", path=path_of(path), remedy="pick those of customer and agent, counted from 1: --pick 1,2")
    template = config.lines[0] if config.lines else LineConfig(name="line-1", source=SourceConfig(file=str(path)))
    if channels is not None:
        roles = parse_roles(channels)
    elif config.lines and len(template.channels) == count:
        roles = template.channels
    else:
        roles = (Role.MIXED,) if count == 1 else (Role.CUSTOMER, Role.AGENT)
    if len(roles) != count:
        raise UsageError(
            f"has {count} channel(s) but the roles are '{','.join(roles)}'",
            path=path_of(path),
            remedy=f"give --channels with {count} role(s)",
        )
    heard = {"channels": roles, "source": SourceConfig(file=str(path))}
    return LineConfig(**{**{f: getattr(template, f) for f in template.__struct_fields__}, **heard})


def parse_roles(text: str) -> tuple[Role, ...]:
    """`customer,agent` as roles. Raises UsageError naming what is allowed."""
    names = [name.strip() for name in text.split(",")]
    allowed = ([Role.CUSTOMER, Role.AGENT], [Role.AGENT, Role.CUSTOMER], [Role.CUSTOMER], [Role.AGENT], [Role.MIXED])
    if names not in allowed:
        raise UsageError(
            f"'{text}' names no channels",
            where="--channels",
            remedy="use customer,agent or agent,customer for two channels, customer, agent or mixed for one",
        )
    return tuple(Role(name) for name in names)
