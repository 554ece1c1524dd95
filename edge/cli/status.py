"""`undertone status`: what the box is doing, without a broker."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.box import add_config, load_box
from edge.clock import span
from edge.errors import counted

if TYPE_CHECKING:
    from edge.config import Config

_EXAMPLES = """\
examples:
  undertone status --config /etc/undertone/undertone.yaml       that box; for root so without --config
  undertone status --config undertone.yaml --json | jq .state
  watch -n 2 undertone status --config undertone.yaml

exit code 0 where the service runs and everything is well, 1 where it does not, or something is wrong
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "status",
        help="what the service on this box is doing, without a broker",
        description="Read what the running service writes (in memory, found through its state_dir), and count what waits to be sent.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it; 1 where all is not well. Raises StoreError where there is nothing to read."""
    import msgspec

    status = read_status(load_box(args.config))
    well = status["running"] and status["state"]["state"] == "online" and status["connected"]
    if args.json:
        print(msgspec.json.encode(status).decode())
    else:
        _draw(status)
    return 0 if well else 1


def read_status(config: "Config") -> dict[str, Any]:
    """What the service wrote last, with `age_s`, `alive`, `running` and the outbox's counts as they are now. Raises StoreError."""
    import msgspec

    from edge.errors import StoreError
    from edge.outbox import store
    from edge.service.status import FILE, read

    folder = Path(config.state_dir)
    try:
        found = read(folder)
    except FileNotFoundError as error:
        raise StoreError(
            "not there", path=folder / FILE, remedy="has the service run with this configuration? (systemctl status undertone)"
        ) from error
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(
            f"cannot be read: {error}", path=folder / FILE, remedy="run this as root or as the user that runs undertone"
        ) from error
    status: dict[str, Any] = msgspec.to_builtins(found.status)
    return status | {
        "age_s": round(found.age_s, 1), "alive": found.alive, "running": found.running, "outbox": _outbox(folder / store.FILE),
    }  # fmt: skip


def _outbox(path: Path) -> dict[str, Any] | None:
    from dataclasses import asdict

    from edge.errors import StoreError
    from edge.outbox.counts import read_counts

    try:
        counts = asdict(read_counts(path))
    except StoreError as error:
        print(f"undertone: {error}", file=sys.stderr)
        return None
    return {name: counts[name] for name in ("rows", "alert_rows", "oldest_s")}


def _draw(status: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    state, health, outbox = status["state"], status["health"], status["outbox"]
    table = Table.grid(padding=(0, 2))

    def row(name: str, says: str, style: str = "") -> None:
        table.add_row(name, Text(says, style=style))

    if status["running"]:
        row("service", f"{state['state']}, up {span(health['uptime_s'])}", "green" if state["state"] == "online" else "yellow")
    else:
        row("service", _gone(status), "red")
    for reason in state["reasons"]:
        row("", reason, "yellow")
    for name, how in state["lines"].items():
        heard = health["frames"].get(name, 0) / 50
        dropped = health["dropped_ms"].get(name, 0)
        row(f"line {name}", f"{how}, {heard:.0f} s heard" + (f", {dropped / 1000:.1f} s dropped" if dropped else ""))
        if (used_to := status["baselines"].get(name)) is not None:
            row("", _used_to(used_to))
    for model in status.get("probation", ()):
        found = model["figures"]
        so_far = f"{found['calls']:.0f} of {found['calls_wanted']:.0f} calls, {found['utterances']:.0f} utterances"
        row(f"model {model['model']}", f"{model['version']} on probation beside {model['previous'] or 'what is set'}: {so_far}")
    broker = "connected" if status["connected"] else f"not connected: {status.get('bus_problem') or 'trying'}"
    if status["running"]:
        row("broker", broker, "" if status["connected"] else "yellow")
    if outbox is not None:
        oldest = f", oldest {span(outbox['oldest_s'])}" if outbox["oldest_s"] is not None else ""
        row("unsent", f"{counted(outbox['rows'], 'event')}, {outbox['alert_rows']} of them alerts{oldest}")
    latency = health["latency_p95_ms"]
    row("verdicts", "none yet" if latency is None else f"95 in 100 within {latency:.0f} ms of the end of speech")
    row("box", f"{health['memory_mb']:.0f} MB used, {health['disk_free_mb'] / 1000:.1f} GB free")
    Console(highlight=False).print(table)


def _gone(status: dict[str, Any]) -> str:
    """What a service that does not run, or does not go on, is to be told."""
    ago = span(status["age_s"])
    if status["alive"]:
        return f"starting, or stuck: its process lives, and said something last {ago} ago; systemctl restart undertone if it stays so"
    gone = "stopped" if status["state"]["state"] == "stopped" else f"not running: last sign of life {ago} ago"
    return f"{gone}; start it with: systemctl start undertone"


def _used_to(line: dict[str, Any]) -> str:
    """What a line's voices are used to, and how that is known."""
    learnt = f"from {counted(line['calls'], 'call')}, {counted(line['utterances'], 'utterance')}"
    known = learnt if line["calls"] else "the shipped prior, no call yet"
    negative, positive = (f"{line[which]['centre']:+.2f} (spread {line[which]['spread']:.2f})" for which in ("negative", "positive"))
    return f"voices used to negative {negative}, positive {positive}: {known}"
