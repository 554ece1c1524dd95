"""A box that listens on three lines, and what it tells."""

import json
import uuid
from pathlib import Path

from paho.mqtt import publish

from tests.broker import Broker
from tests.certificates import Authority
from tests.ports import free_port
from tests.service import Service
from tests.telling import Subscriber, until

TOKEN = "a-token-of-sixteen-characters"


class Box:
    """A box that listens three ways, and what it tells."""

    def __init__(self, folder: Path, broker: Broker, subscriber: Subscriber) -> None:
        self.broker, self.subscriber = broker, subscriber
        self.socket, self.web, self.tls = free_port(), free_port(), free_port()
        (folder / "tokens").write_text(f"{TOKEN}\n")
        self.authority = Authority(folder / "authority")
        pair = self.authority.issue("box")
        web = f"protocol: websocket, tokens_file: {folder}/tokens, max_calls: 2"
        self.service = Service(
            folder,
            f"""lines:
  - {{name: web, source: {{listen: {{{web}, port: {self.web}}}}}, channels: [customer, agent], idle_s: 2}}
  - {{name: tls, source: {{listen: {{{web}, port: {self.tls}, cert: {pair.cert}, key: {pair.key}}}}}}}
  - {{name: pbx, source: {{listen: {{protocol: audiosocket, port: {self.socket}, max_calls: 1}}}}, channels: [customer, agent]}}
mqtt: {{url: "{broker.url}"}}
mode: voice
""",
        )

    def url(self, more: str = f"?token={TOKEN}") -> str:
        return f"ws://127.0.0.1:{self.web}/{more}"

    def call(self, name: str, kind: str = "summary", patience_s: float = 30.0) -> dict:
        """The event of that kind of the call that the switchboard calls `name`, once it has come."""
        found: list[dict] = []

        def come() -> bool:
            found[:] = [event["data"] for event in self.told(kind) if event["data"].get("pbx_call_id") == name]
            return bool(found)

        until(come, patience_s)
        return found[0]

    def told(self, kind: str) -> list[dict]:
        return [event for topic, event, _ in list(self.subscriber.messages) if topic.endswith(f"/{kind}")]

    def command(self, topic: str, said: dict) -> str:
        """Send it under an id of its own, which is returned: all cases share this box, and what it answered any of them."""
        name = str(uuid.uuid4())
        body = json.dumps({"id": name} | said)
        publish.single(f"undertone-cmd/v1/site/box/{topic}", body, qos=1, hostname="127.0.0.1", port=self.broker.port)
        return name

    def reply(self, name: str) -> dict:
        """What became of the command with this id."""
        until(lambda: any(event["data"]["id"] == name for event in self.told("reply")))
        return next(event["data"] for event in self.told("reply") if event["data"]["id"] == name)
