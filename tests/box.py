"""A box that puts numbered events and publishes them, to be killed: `python -m tests.box FOLDER URL FIRST COUNT [PROTOCOL]`.

Prints each number once its event is committed.
"""

import sys
import threading
from pathlib import Path

from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from tests.telling import alert, open_outbox, text

# Every so many events, an alert.
ALERT_EVERY = 50


def events(n: int) -> list:
    """The n-th event, by turns on two lines, and now and then an alert with it."""
    one = text(n, line=f"line-{n % 2 + 1}")
    return [one, alert(n // ALERT_EVERY)] if n % ALERT_EVERY == 0 else [one]


def main(folder: str, url: str, first: str, count: str, protocol: str = "5") -> None:
    """Put, print, and end when everything has gone."""
    gone, outbox = threading.Event(), open_outbox(Path(folder))
    config = Config(site="leeds", device="desk-1", mqtt=MqttConfig(url=url, protocol=protocol))
    publisher = Publisher(config, outbox, lambda _command: None)
    publisher.start()
    for n in range(int(first), int(first) + int(count)):
        outbox.put(events(n))
        print(n, flush=True)
    while outbox.counts().rows:
        gone.wait(0.05)
    publisher.stop(30)
    outbox.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
