"""`undertone listen`: calls and alerts live in the terminal, as any subscriber gets them."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from edge.cli.broker import add_options, broker_of

if TYPE_CHECKING:
    from edge.config import MqttConfig
    from edge.mqtt.link import Link

_EXAMPLES = """\
examples:
  undertone listen --config undertone.yaml              every box on the configured broker
  undertone listen --url mqtt://127.0.0.1:1883
  undertone listen --url mqtts://broker.example --ca ca.pem --username desk --password-file secret
  undertone listen --config undertone.yaml --only 'leeds/+/alert/billing'
  undertone listen --config undertone.yaml --json >> events.jsonl      for undertone report, or a program

Ctrl-C ends it. It stores nothing and answers nothing.
"""
# Between two tries to come back to a broker that went away: a person is watching.
_AGAIN_S = 2.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "listen",
        help="calls and alerts live in the terminal, from the broker",
        description="Subscribe to what boxes tell and draw it: each utterance by voice, words and both, the score, the alerts.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="FILTER", default="#", help="topics after the prefix: SITE/DEVICE/... with + and # (default: #)")
    parser.add_argument("--json", action="store_true", help="one CloudEvent a line on stdout, nothing else there")
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what comes until Ctrl-C. Raises BusError where the broker will not have us at all."""
    import msgspec

    from edge.cli.console import Console
    from edge.wire.arrivals import decode

    config = broker_of(args)
    console = None if args.json else Console()
    try:
        for topic, payload in _messages(config, f"{config.prefix}/{args.only}"):
            event = decode(payload)
            if isinstance(event, str):
                print(f"undertone: {topic}: {event}", file=sys.stderr)
            elif console is None:
                print(msgspec.json.encode(event).decode(), flush=True)
            else:
                console.show(event)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0


def _messages(config: "MqttConfig", wanted: str) -> Iterator[tuple[str, bytes]]:
    """What is published, over lost connections; the first connection must work. Raises BusError."""
    import time

    from edge.errors import BusError
    from edge.mqtt.incoming import Lost, Message, Subscribed
    from edge.mqtt.link import Link

    first = True
    while True:
        inbox = _inbox()
        link = Link(config, client_id=_name(), inbox=inbox)
        try:
            link.open()
        except BusError:
            if first:
                raise
            time.sleep(_AGAIN_S)
            continue
        with closing(_Ended(link)):
            link.subscribe(wanted)
            while True:
                event = inbox.get()
                if isinstance(event, Message):
                    yield event.topic, event.payload
                elif isinstance(event, Subscribed) and event.refusal is not None:
                    raise BusError(
                        f"{wanted} refused ({event.refusal})", where=config.url, remedy="let this user read it in the broker's ACL"
                    )
                elif isinstance(event, Subscribed):
                    # Only now: what is published before the broker's yes does not reach us.
                    print(f"undertone: listening on {config.url} to {wanted}", file=sys.stderr)
                elif isinstance(event, Lost):
                    print(f"undertone: {config.url}: {event}; trying again", file=sys.stderr)
                    break
        first = False


class _Ended:
    """Says goodbye and closes, however the listening ends."""

    def __init__(self, link: "Link") -> None:
        self._link = link

    def close(self) -> None:
        self._link.goodbye()
        self._link.close()


def _inbox() -> Any:  # noqa: ANN401 (a SimpleQueue of what a Link hears)
    from queue import SimpleQueue

    return SimpleQueue()


def _name() -> str:
    from edge.clock import uuid7

    return f"undertone-listen-{uuid7()}"
