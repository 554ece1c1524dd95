"""YAML configuration into frozen types. Unknown keys are refused with the nearest known one."""

import re
import typing
from pathlib import Path
from typing import Annotated

import msgspec

from edge.errors import ConfigError
from edge.values import Mode, Privacy, Role
from edge.yamlfile import parse_yaml

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class SourceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a line's sound comes from: exactly one of `device`, `command`, `file`.

    `rate` is what a device is opened at (null: what it offers) or what a command's raw s16le output has (null: 16000).
    """

    device: str | None = None
    command: tuple[str, ...] | None = None
    file: str | None = None
    realtime: bool = True
    rate: Annotated[int, msgspec.Meta(ge=8000, le=192_000)] | None = None
    stall_s: Positive = 3.0


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line: one source, one clock, one or two channels."""

    name: Name
    source: SourceConfig
    desk: str | None = None
    channels: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1, max_length=2)] = (Role.CUSTOMER,)
    idle_s: Positive = 30.0
    agent_words: bool = False
    tones: str = "us"

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
    models: ModelsConfig = ModelsConfig()
    state_dir: str = "/var/lib/undertone"
    outbox_max_mb: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 256
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None


def load_config(path: Path) -> Config:
    """The configuration in `path`; relative paths in it are taken from its folder.

    Raises ConfigError with file, key, value and remedy in one line.
    """
    config = parse_yaml(path, Config)
    _check(config, path)
    config = _anchored(config, path.parent)
    for key in ("rules", "lexicon", "causes"):
        if (named := getattr(config, key)) is not None and not Path(named).is_file():
            raise ConfigError(f"{path}: key '{key}': {named}: no such file; give the path of a YAML file, or leave the key out")
    return config


_Part = typing.TypeVar("_Part", bound=msgspec.Struct)
_PATHS = {
    Config: ("rules", "lexicon", "causes", "state_dir"),
    MqttConfig: ("ca", "cert", "key", "password_file"),
    ModelsConfig: ("voice", "words", "vosk", "trusted_keys"),
    SourceConfig: ("file",),
}


def _anchored(config: Config, folder: Path) -> Config:
    """`config` with every relative path taken from `folder`."""

    def whole(written: str) -> str:
        try:
            return str(folder / Path(written).expanduser())
        except RuntimeError as error:
            raise ConfigError(f"{folder}: '{written}': no such user; write the path from / on") from error

    def anchor(part: _Part) -> _Part:
        changes: dict[str, str | tuple[str, ...]] = {}
        for name in _PATHS[type(part)]:
            written = getattr(part, name)
            if isinstance(written, str):
                changes[name] = whole(written)
            elif written:
                changes[name] = tuple(whole(one) for one in written)
        return msgspec.structs.replace(part, **changes)

    lines = tuple(msgspec.structs.replace(line, source=anchor(line.source)) for line in config.lines)
    return msgspec.structs.replace(anchor(config), lines=lines, mqtt=anchor(config.mqtt), models=anchor(config.models))


def _check(config: Config, path: Path) -> None:
    """What the types alone cannot say."""
    seen: set[str] = set()
    for number, line in enumerate(config.lines):
        key = f"lines[{number}]"
        if line.name in seen:
            raise ConfigError(f"{path}: key '{key}.name': '{line.name}' is used twice; give each line its own name")
        seen.add(line.name)
        given = [k for k in ("device", "command", "file") if getattr(line.source, k) is not None]
        if len(given) != 1:
            raise ConfigError(f"{path}: key '{key}.source': give exactly one of device, command, file (got {given or 'none'})")
        if len(line.channels) == 2 and (Role.MIXED in line.channels or line.channels[0] == line.channels[1]):  # noqa: PLR2004 (two channels)
            raise ConfigError(
                f"{path}: key '{key}.channels': two channels are [customer, agent] or [agent, customer]; a mixed line has one, [mixed]"
            )
    if not re.match(r"^mqtts?://[^/\s]+$", config.mqtt.url):
        raise ConfigError(f"{path}: key 'mqtt.url': '{config.mqtt.url}' is not mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")
    if re.search(r"[+#\s]", config.mqtt.prefix) or config.mqtt.prefix.strip("/") != config.mqtt.prefix:
        raise ConfigError(f"{path}: key 'mqtt.prefix': no spaces, '+', '#' or outer '/' in a topic prefix")
