"""What a box tells of itself, each event as one line for a person in a terminal: what it is, of which box (`tag`)."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from edge.cli.bars import clean
from edge.clock import span

Data = Mapping[str, Any]


def state(data: Data, tag: str) -> Text:
    """How it is, and why."""
    style = {"online": "green", "degraded": "yellow", "stopped": "dim"}.get(data["state"], "bold red")
    why = ": " + "; ".join(clean(reason) for reason in data["reasons"]) if data["reasons"] else ""
    return Text(f"{tag}box {data['state']}{why}", style=style)


def info(data: Data, tag: str) -> Text:
    """What runs on it."""
    models = [f"{clean(branch)} {clean(model['name'])} {clean(model['version'])}" for branch, model in data["models"].items() if model]
    lines = ", ".join(clean(line["name"]) for line in data["lines"])
    return Text(f"{tag}undertone {clean(data['undertone'])}, lines {lines}; {'; '.join(models) or 'no models'}", style="dim")


def health(data: Data, tag: str) -> Text:
    """Its memory, what is unsent, how long it has been up."""
    said = f"{tag}health: {data['memory_mb']:.0f} MB, {data['outbox_rows']} unsent, up {span(data['uptime_s'])}"
    return Text(said, style="dim")


def selftest(data: Data, tag: str) -> Text:
    """What of it failed."""
    failed = [f"{clean(name)}: {clean(check['says'] or '')}" for name, check in data["checks"].items() if check["outcome"] == "failed"]
    return Text(f"{tag}self-test {'passed' if data['passed'] else 'FAILED: ' + '; '.join(failed)}", "" if data["passed"] else "red")


def model(data: Data, tag: str) -> Text:
    """What became of a model."""
    reason = f" ({clean(data['reason'])})" if data["reason"] else ""
    return Text(f"{tag}model {clean(data['model'])} {clean(data['version'])} {data['action']}{reason}", style="magenta")


def feedback(data: Data, tag: str) -> Text:
    """What somebody says of a judgement."""
    about = f"alert {clean(data['alert'])}" if data["alert"] else f"utterance {data['n']}"
    said = clean(data["label"]) if data["label"] else "justified" if data["justified"] else "not justified"
    return Text(f"{tag}{clean(data['by'])} says of {about}: {said}", style="dim")


def reply(data: Data, tag: str) -> Text:
    """What became of a command."""
    why = f": {clean(data['reason'])}" if data["reason"] else ""
    who = f" (by {clean(data['by'])})" if data["by"] else ""
    taken = "accepted" if data["accepted"] else "REFUSED"
    return Text(f"{tag}{clean(data['command'])} {taken}{why}{who}", style="dim" if data["accepted"] else "yellow")


def gap(data: Data, tag: str) -> Text:
    """What will never come."""
    what = f"{data['lost']} events" if data["lost"] is not None else "an unknown number of events"
    return Text(f"{tag}GAP: {what} on {clean(data['topic'])} will never come: {clean(data['reason'])}", style="bold red")


def erased(data: Data, tag: str) -> Text:
    """How much of a customer the box has forgotten."""
    who = f", by {clean(data['by'])}" if data["by"] else ""
    said = f"{tag}a customer was erased: {len(data['calls'])} calls, {len(data['alerts'])} alerts{who}; erase your copies"
    return Text(said, style="yellow")


LINES: Mapping[str, Callable[[Data, str], Text]] = {
    "undertone.device.state.v1": state,
    "undertone.device.info.v1": info,
    "undertone.device.health.v1": health,
    "undertone.device.selftest.v1": selftest,
    "undertone.device.model.v1": model,
    "undertone.device.feedback.v1": feedback,
    "undertone.reply.v1": reply,
    "undertone.device.gap.v1": gap,
    "undertone.device.erased.v1": erased,
}
