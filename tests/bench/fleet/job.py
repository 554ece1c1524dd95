"""What a process of many boxes is told to do."""

import msgspec

from edge.config import MqttConfig


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Which boxes (<site>/<device>), in which folder, at which broker."""

    folder: str
    url: str
    ca: str
    password_file: str
    boxes: list[str]

    def mqtt(self, name: str) -> MqttConfig:
        """How the box `name` speaks to the broker: as a user of that name, by the one version that NATS speaks."""
        return MqttConfig(url=self.url, ca=self.ca, username=name, password_file=self.password_file, protocol="3.1.1")
