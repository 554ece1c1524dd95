"""The desk's YAML into frozen types. Unknown keys are refused with the nearest known one."""

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from edge.config import MqttConfig, Positive, mqtt_fault
from edge.errors import ConfigError, Key
from edge.files.yamlfile import parse_yaml

Minutes = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]
Span = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Severity = Literal["low", "medium", "high", "critical"]


class DeskMqtt(MqttConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The broker, with the box's own keys. `topics`: what to subscribe to (empty: all under the prefix); `client_id` names the session."""

    topics: tuple[str, ...] = ()
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "undertone-desk"
    session_days: Days = 7

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return self.topics or (f"{self.prefix}/#",)


class PromiseConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many minutes of opening hours a case may wait for its first contact, by severity."""

    critical: Minutes = 15
    high: Minutes = 30
    medium: Minutes = 120
    low: Minutes = 480


class KeepConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For how many days each kind is kept (null: for ever)."""

    events_days: Days | None = None
    cases_days: Days | None = None
    text_days: Days | None = None


class WebhookConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where each change of a case is posted; `secret_file` holds the key of its HMAC signature."""

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    secret_file: str


class HoldoutConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A share of customers whom nobody is asked to call back, so that Impact can say what calling back changes.

    `key_file` holds the key of the draw: keep it, and keep it from who works on cases. What is critical is never held.
    """

    share: Annotated[float, msgspec.Meta(gt=0, le=0.5)]
    key_file: str
    severities: tuple[Literal["low", "medium", "high"], ...] = ("low", "medium")


class OidcConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider by which people log in. `callback`: this desk's own address as browsers see it, and /oidc/back.

    `roles`: which groups, as `role_claim` of the ID token has them, may what; who has several gets the most.
    """

    issuer: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    client_id: str
    callback: Annotated[str, msgspec.Meta(pattern=r"^https?://.+/oidc/back$")]
    roles: dict[Literal["analyst", "operator", "lead", "admin"], tuple[str, ...]]
    client_secret_file: str | None = None
    role_claim: str = "groups"
    name_claim: str = "preferred_username"
    label: str = "Log in with your work account"


class DeskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of a desk's configuration.

    `hours` are the opening hours a weekday in `timezone` (none at all: always open); `quiet_hours` when nobody is called.
    `negative_below` is the end-weighted score below which a call counts as negative.
    """

    listen: str = "127.0.0.1:8800"
    database: str = "recovery.db"
    mqtt: DeskMqtt = DeskMqtt()
    timezone: str = "UTC"
    claim_minutes: Minutes = 15
    promise_minutes: PromiseConfig = PromiseConfig()
    hours: dict[Weekday, Span] = {}
    closed_days: tuple[str, ...] = ()
    quiet_hours: Span | None = None
    repeat_days: Days = 30
    shared_numbers: tuple[str, ...] = ()
    negative_below: Annotated[float, msgspec.Meta(ge=-1, le=1)] = -0.2
    secure_cookies: bool = False
    session_hours: Positive = 12
    keep: KeepConfig = KeepConfig()
    holdout: HoldoutConfig | None = None
    oidc: OidcConfig | None = None
    webhook: WebhookConfig | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def load_desk_config(path: Path) -> DeskConfig:
    """The configuration in `path`; relative paths in it are taken from its folder. Raises ConfigError with file, key and remedy."""
    config = parse_yaml(path, DeskConfig)
    check_address(config.listen, path)
    if fault := mqtt_fault(config.mqtt):
        raise ConfigError(fault[1], path=path, where=Key(f"mqtt.{fault[0]}"), remedy=fault[2])
    try:
        ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"'{config.timezone}' is not known", path=path, where=Key("timezone"), remedy="give one such as Europe/London"
        ) from error
    for day in config.closed_days:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            raise ConfigError(f"'{day}'", path=path, where=Key("closed_days"), remedy="give dates as 2026-12-25")
    return _anchored(config, path.parent)


def check_address(listen: str, path: Path | None = None) -> None:
    """Raise ConfigError where `listen` is no HOST:PORT."""
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}", listen) or not 0 < int(listen.rpartition(":")[2]) < 65_536:  # noqa: PLR2004 (ports)
        raise ConfigError(f"'{listen}'", path=path, where=Key("listen"), remedy="give HOST:PORT, such as 127.0.0.1:8800")


def _anchored(config: DeskConfig, folder: Path) -> DeskConfig:
    """`config` with every relative path taken from `folder`."""

    def whole(written: str | None) -> str | None:
        return None if written is None else str(folder / Path(written).expanduser())

    mqtt = msgspec.structs.replace(config.mqtt, **{key: whole(getattr(config.mqtt, key)) for key in ("ca", "cert", "key", "password_file")})
    database = config.database if "://" in config.database else str(whole(config.database))
    webhook = config.webhook and msgspec.structs.replace(config.webhook, secret_file=str(whole(config.webhook.secret_file)))
    oidc = config.oidc and msgspec.structs.replace(config.oidc, client_secret_file=whole(config.oidc.client_secret_file))
    holdout = config.holdout and msgspec.structs.replace(config.holdout, key_file=str(whole(config.holdout.key_file)))
    return msgspec.structs.replace(config, mqtt=mqtt, database=database, webhook=webhook, oidc=oidc, holdout=holdout)
