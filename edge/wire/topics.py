"""Where things are said: `<prefix>/<site>/<device>/...` from the box, `undertone-cmd/v1/<site>/<device>/...` to it."""

from dataclasses import dataclass

from edge.config import Config

COMMAND_PREFIX = "undertone-cmd/v1"
# A response topic (MQTT 5) that a box answers on begins with this: it may write nowhere else.
RESPONSE_PREFIX = "undertone-reply/"

STATE, INFO, HEALTH, GAP, SELFTEST, MODEL = "state", "info", "health", "gap", "selftest", "model"
FEEDBACK, REPLY, ALERTS, ERASED = "feedback", "reply", "alerts", "erased"
# Not below the box's own: where Home Assistant looks (edge.wire.discovery).
DISCOVERY = "discovery"
RETAINED = frozenset({STATE, INFO, ALERTS, DISCOVERY})

# A gap on this topic concerns every topic of the box: its store was lost.
EVERY_TOPIC = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """One box's topics. Events carry theirs without prefix ("call/line-1/utterance")."""

    prefix: str
    site: str
    device: str
    discovery_prefix: str | None = None

    @classmethod
    def of(cls, config: Config) -> "Topics":
        """The topics of the box that `config` describes."""
        return cls(prefix=config.mqtt.prefix, site=config.site, device=config.device, discovery_prefix=config.discovery_prefix)

    def full(self, topic: str) -> str:
        """`topic` as the broker sees it."""
        if topic == DISCOVERY:
            return f"{self.discovery_prefix}/device/{self.site}/{self.device}/config"
        return f"{self.prefix}/{self.site}/{self.device}/{topic}"

    @property
    def commands(self) -> str:
        """The filter that takes all commands to this box."""
        return f"{COMMAND_PREFIX}/{self.site}/{self.device}/#"

    def command(self, topic: str) -> str:
        """What follows the box's own command prefix in `topic`: "call/line-1/start"."""
        return topic.removeprefix(f"{COMMAND_PREFIX}/{self.site}/{self.device}/")
