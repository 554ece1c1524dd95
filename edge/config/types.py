"""What a configuration can say: frozen types with the defaults of every key."""

import ipaddress
import typing
from typing import Annotated

import msgspec

from edge.values import Mode, Privacy, Role

Name = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="at most 64 letters, digits, '.', '_' and '-', the first a letter or digit (it becomes a level of topics)",
    ),
]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class ListenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a switchboard brings its calls: each connection (two with AudioSocket, one a direction) is one, up to `max_calls` at once."""

    protocol: typing.Literal["websocket", "audiosocket"]
    address: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    max_calls: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    tokens_file: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def local(self) -> bool:
        """Whether only this box itself can connect."""
        return ipaddress.ip_address(self.address).is_loopback


class SourceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a line's sound comes from: exactly one of `device`, `command`, `file`, `listen`.

    `rate` is what a device is opened at (null: what it offers), or what a command's raw s16le output (null: 16000) or a WebSocket's
    binary frames have (null: 8000, where their metadata do not say).
    """

    device: str | None = None
    command: tuple[str, ...] | None = None
    file: str | None = None
    listen: ListenConfig | None = None
    realtime: bool = True
    rate: Annotated[int, msgspec.Meta(ge=8000, le=192_000)] | None = None
    stall_s: Positive = 3.0


class LineModelsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Models of one line alone. `vosk`: the folder of its own speech recogniser, for callers of another language (null: the box's)."""

    vosk: str | None = None


def trunk_of(line: str) -> str:
    """The configured line that `line` is of: `pbx` for `pbx/3`, the third call of a line that listens. It is the level of topics."""
    return line.partition("/")[0]


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line: one source, one clock, one or two channels."""

    name: Name
    source: SourceConfig
    desk: str | None = None
    channels: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1, max_length=2)] = (Role.CUSTOMER,)
    idle_s: Positive = 30.0
    agent_words: bool = False
    tones: str = "us"
    models: LineModelsConfig = LineModelsConfig()

    @property
    def trunk(self) -> str:
        """See `trunk_of`; what is learnt of a line's callers is learnt of this."""
        return trunk_of(self.name)

    @property
    def most_calls(self) -> int:
        """How many calls it can have at once."""
        return 1 if self.source.listen is None else self.source.listen.max_calls

    @property
    def recognised(self) -> tuple[int, ...]:
        """The channels whose words are wanted: agents' only where they are asked for."""
        wanted = {Role.CUSTOMER, Role.MIXED, *([Role.AGENT] if self.agent_words else [])}
        return tuple(channel for channel, role in enumerate(self.channels) if role in wanted)


class MqttConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The broker. `mqtt://` is plain, `mqtts://` is TLS; secrets are files, never values."""

    url: str = "mqtt://127.0.0.1:1883"
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    username: str | None = None
    password_file: str | None = None
    prefix: str = "undertone/v1"
    protocol: typing.Literal["5", "3.1.1"] = "5"
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 30


class ModelsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Model folders (null: those installed in the state directory, else those shipped) and who may sign them.

    A new model is on probation for `probation_calls` calls and 30 utterances, or `probation_hours`, whichever is sooner (0 calls: none).
    """

    voice: str | None = None
    words: str | None = None
    vosk: str | None = None
    allow_unsigned: bool = False
    trusted_keys: tuple[str, ...] = ()
    probation_calls: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 20
    probation_hours: Positive = 24.0


class FusionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A site's own fusion weights; set, not fitted, until `undertone-convert calibrate` has calls to fit on."""

    voice_weight: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.4
    words_weight: Annotated[float, msgspec.Meta(ge=0, le=2)] = 1.0


class AlertsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long an alert's answers count, and what a close command may say came of it."""

    answerable_days: Annotated[float, msgspec.Meta(gt=0, le=366)] = 14.0
    outcomes: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)] = (
        "resolved", "promised", "compensated", "passed_on", "could_not_resolve", "unreachable", "false_alarm", "duplicate",
    )  # fmt: skip


class StatusPageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the box serves a page on how it is, to look at only; port 0: nowhere."""

    address: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8650


class KeywordConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A name and the phrases that mean it, lower case, as spoken."""

    name: Name
    phrases: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of a box's configuration."""

    site: Name = "site"
    device: Name = "box"
    lines: tuple[LineConfig, ...] = ()
    mqtt: MqttConfig = MqttConfig()
    mode: Mode = Mode.BOTH
    privacy: Privacy = Privacy.NUMBERS
    rules: str | None = None
    lexicon: str | None = None
    causes: str | None = None
    keywords: tuple[KeywordConfig, ...] = ()
    fusion: FusionConfig = FusionConfig()
    alerts: AlertsConfig = AlertsConfig()
    models: ModelsConfig = ModelsConfig()
    status_page: StatusPageConfig = StatusPageConfig()
    state_dir: str = "/var/lib/undertone"
    outbox_max_mb: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 256
    require_notice: bool = False
    context_keep_s: Positive = 120.0
    discovery_prefix: str | None = None
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
