"""Events drawn for a person in a terminal, as they come: `replay`, `listen` and the demo draw with this.

One block of lines an event and nothing is drawn over, so it can be piped, scrolled and read by a screen reader.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console as Terminal
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.cli.bars import bar, clean, clock, colour, signed, sparkline
from edge.cli.box_lines import LINES

Data = Mapping[str, Any]

# From here on three bars stand beside the time; below, under it.
_WIDE = 76
# Half a bar: ten cells a side show steps of 0.1.
_HALF = 10
# The last utterances' fused polarity, beside the score.
_TREND = 16
_SEVERITY = {"low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}
# Alerts quote this many utterances; the rest is in the event.
_EVIDENCE = 5


class _Call:
    """What is remembered of a call while it goes on: its fused polarities in order."""

    def __init__(self) -> None:
        self.polarities: list[float] = []


class Console:
    """Draws CloudEvents (as dicts) in the order in which they come. Not for several threads."""

    def __init__(self, terminal: Terminal | None = None) -> None:
        self._terminal = terminal or Terminal(highlight=False)
        self._plain = not (self._terminal.encoding or "").lower().startswith("utf")
        self._calls: dict[str, _Call] = {}
        self._lines: set[str] = set()
        # Of each alert that was drawn, how grave it was.
        self._levels: dict[str, int] = {}
        self._draw: dict[str, Callable[[Data, str], None]] = {
            "undertone.call.started.v1": self._started,
            "undertone.call.utterance.v1": self._utterance,
            "undertone.call.metrics.v1": self._metrics,
            "undertone.call.text.v1": self._text,
            "undertone.call.summary.v1": self._summary,
            "undertone.call.failed.v1": self._failed,
            "undertone.alert.v1": self._alert,
            "undertone.alerts.v1": self._open_alerts,
            "undertone.call.updated.v1": self._updated,
        }

    def show(self, event: Data) -> None:
        """Draw one event."""
        data, box = event["data"], clean(event.get("source", "").removeprefix("/undertone/"))
        if "line" in data:
            self._lines.add(f"{box}/{data['line']}")
        kind, late = event["type"], "late " if event.get("historical") else ""
        if kind in LINES:
            self._print(LINES[kind](data, late + self._tag(data, box)))
            return
        draw = self._draw.get(kind)
        if draw is None:
            self._print(Text(f"{box}: {clean(kind)}: this version does not know it", style="dim"))
            return
        draw(data, late + self._tag(data, box))

    # --- the call ----------------------------------------------------------------------------------------------------

    def _started(self, data: Data, tag: str) -> None:
        desk = f", desk {clean(data['desk'])}" if data["desk"] else ""
        about = [clean(data[key]) for key in ("customer_ref", "queue") if data[key]]
        title = f"{tag}call on {clean(data['line'])}{desk}{', ' + ', '.join(about) if about else ''}"
        self._terminal.rule(Text(title, style="bold"), characters="-" if self._plain else "─")
        models = ", ".join(f"{branch} {clean(name)}" for branch, name in data["models"].items() if name) or "no model"
        said = f"{data['started_at']}  {'/'.join(data['channels'])}  mode {data['mode']}  privacy {data['privacy']}  {models}"
        self._print(Text(said + ("" if data["time_synced"] else "  (clock not synchronised)"), style="dim"))
        self._calls[data["call"]] = _Call()

    def _updated(self, data: Data, tag: str) -> None:
        about = [f"{name.replace('_', ' ')} {clean(data[name])}" for name in ("customer_ref", "queue", "agent_ref") if data[name]]
        notice = {True: "notice given", False: "no notice given", None: ""}[data["notice_given"]]
        self._print(Text(f"{tag}now known: {', '.join([*about, *([notice] if notice else [])]) or 'more'}", style="dim"))

    def _utterance(self, data: Data, tag: str) -> None:
        verdict = data["verdict"]
        when = Text(f"{tag}{clock(data['start_ms']):>5} {data['role']:<8} ")
        if verdict is None:
            words = data["words"]
            said = f"{words['words']} words" if words else (data["words_reason"] or "not heard")
            self._print(when.append(f"{(data['end_ms'] - data['start_ms']) / 1000:.1f} s, {said}", style="dim"))
            return
        scores = data["scores"]
        call = self._calls.setdefault(data["call"], _Call())
        if verdict["polarity"] is not None:
            call.polarities.append(verdict["polarity"])
        branches = [
            self._branch("voice", data["voice"], data["voice_reason"], (data["voice"] or {}).get("label")),
            self._branch("words", data["words"], data["words_reason"], _cause(data["words"])),
            self._branch("fused", verdict, "no evidence", verdict["label"], conflict=verdict["conflict"]),
        ]
        score = Text("score ").append(signed(scores["mean"] if scores else None), style="bold").append(" ")
        score.append(sparkline(call.polarities, _TREND, plain=self._plain))
        wide = self._terminal.width >= _WIDE
        indent = " " * (len(when.plain) if wide else 2)
        if not wide:
            self._print(when.append(score))
        for number, (name, polarity, note) in enumerate(branches):
            drawn = when if wide and number == 0 else Text(indent)
            drawn.append(f"{name} ", style="bold" if name == "fused" else "")
            if polarity is None:
                drawn.append(bar(0.0, _HALF, plain=self._plain)).append("   -  ", style="dim")
            else:
                drawn.append(bar(polarity, _HALF, plain=self._plain)).append(f" {signed(polarity)}", style=colour(polarity))
            drawn.append(f" {note}", style="" if polarity is not None else "dim")
            if wide and name == "fused":
                drawn.append("  ").append(score)
            self._print(drawn)

    def _branch(self, name: str, data: Data | None, reason: str | None, label: str | None, *, conflict: bool = False) -> tuple[Any, ...]:
        polarity = data["polarity"] if data else None
        note = clean(label or "") if polarity is not None else clean(reason or "nothing")
        return name, polarity, note + (", in conflict" if conflict else "")

    def _metrics(self, data: Data, tag: str) -> None:
        shares = [f"{role['role']} {role['talk_share']:.0%}" for role in data["roles"] if role["talk_share"] is not None]
        if data["silence_ms"] is not None:
            shares.append(f"silence {data['silence_ms'] / 1000:.0f} s")
        if data["lost_ms"]:
            shares.append(f"lost {data['lost_ms'] / 1000:.1f} s")
        shares += [clean(tone) for tone in data["tones"]]
        self._print(Text(f"{tag}{clock(data['end_ms']):>5} talk: {', '.join(shares)}", style="dim"))

    def _text(self, data: Data, tag: str) -> None:
        quotes = '"' if self._plain else "“”"
        self._print(
            Text(f"{tag}{clock(data['start_ms']):>5} {data['role']:<8} ").append(quotes[0] + clean(data["text"]) + quotes[-1], "italic")
        )

    def _summary(self, data: Data, tag: str) -> None:
        scores, table = data["scores"], Table.grid(padding=(0, 2))
        table.add_row("length", f"{clock(data['duration_ms'])}, ended by {clean(data['closed_by'])}")
        table.add_row(
            "heard", f"{data['utterances']} utterances, {data['customer_utterances']} of the customer, {data['abstained']} undecided"
        )
        table.add_row(
            "score", f"mean {signed(scores['mean'])}, towards the end {signed(scores['end_weighted'])}, trend {signed(scores['trend'])}"
        )
        table.add_row("quarters", " ".join(signed(quarter) for quarter in scores["quarters"]))
        if scores["worst"]:
            worst = scores["worst"]
            table.add_row("worst", f"{signed(worst['polarity'])} at {clock(worst['start_ms'])} to {clock(worst['end_ms'])}")
        if data["causes"]:
            table.add_row("about", ", ".join(f"{clean(cause)} ({count})" for cause, count in data["causes"].items()))
        table.add_row("alerts", str(len(data["alerts"])) if data["alerts"] else "none")
        self._panel(table, f"{tag}call over", "blue")
        self._calls.pop(data["call"], None)

    def _failed(self, data: Data, tag: str) -> None:
        self._print(Text(f"{tag}call on {clean(data['line'])} could not be heard to its end: {clean(data['reason'])}", style="bold red"))
        self._calls.pop(data["call"], None)

    # --- alerts ------------------------------------------------------------------------------------------------------

    def _alert(self, data: Data, tag: str) -> None:
        style = _SEVERITY.get(data["severity"], "red")
        rules = ", ".join(clean(reason["rule"]) for reason in data["reasons"] if not reason["withdrawn"]) or "withdrawn"
        name = f"{tag}ALERT {data['severity']}: {rules} -> {clean(data['route'])}"
        if data["state"] == "end":
            to = f" to {clean(data['moved_to'])}" if data["moved_to"] else ""
            self._print(Text(f"{name}: over ({clean(data['end_reason'])}{to})", style=style))
            self._levels.pop(data["alert"], None)
            return
        newest = max(data["reasons"], key=lambda reason: reason["offset_ms"])
        told, self._levels[data["alert"]] = self._levels.get(data["alert"], 0), data["severity_level"]
        # Whom an alert pages once more, this draws once more.
        if data["state"] == "update" and data["severity_level"] <= told:
            self._print(Text(f"{name}: update {data['revision']} at {clock(newest['offset_ms'])}{_handled(data)}", style=style))
            return
        table = Table.grid(padding=(0, 2))
        who = [f"line {clean(data['line'])}", f"call of {data['started_at']}"]
        who += [
            f"{label} {clean(data[key])}"
            for key, label in (("desk", "desk"), ("customer_ref", "customer"), ("queue", "queue"), ("callback", "call back"))
            if data[key]
        ]
        for reason in sorted(data["reasons"], key=lambda reason: -reason["severity_level"]):
            table.add_row("why", Text(clean(reason["rule_says"])))
            table.add_row("what", Text(_what(reason)))
            for number, one in enumerate(reason["evidence"][-_EVIDENCE:]):
                table.add_row("" if number else "evidence", self._evidence(one))
            if reason["drivers"]:
                table.add_row("drivers", Text(", ".join(clean(driver) for driver in reason["drivers"])))
        table.add_row("whom", Text(", ".join(who)))
        table.add_row("until", Text(f"{data['page_until']} to page, {data['answerable_until']} to answer"))
        self._panel(table, name, style)

    def _open_alerts(self, data: Data, tag: str) -> None:
        open_ones = [f"{alert['severity']} -> {clean(alert['route'])}" for alert in data["alerts"]]
        more = f" and {data['left_out']} more" if data["left_out"] else ""
        self._print(Text(f"{tag}alerts that take answers: {', '.join(open_ones) or 'none'}{more}", style="dim"))

    def _evidence(self, one: Data) -> Text:
        shown = Text(f"{clock(one['start_ms']):>5} ")
        if one["polarity"] is not None:
            shown.append(bar(one["polarity"], 4, plain=self._plain)).append(f" {signed(one['polarity'])}", style=colour(one["polarity"]))
        if one["cause"]:
            shown.append(f" {clean(one['cause'])}")
        return shown.append(f" {clean(one['quote'])}", style="italic") if one["quote"] else shown

    # --- paper -------------------------------------------------------------------------------------------------------

    def _tag(self, data: Data, box: str) -> str:
        """Which box or line it is about, where there is more than one or none is named."""
        if "line" not in data:
            return f"{box} "
        return f"{box}/{clean(data['line'])} " if len(self._lines) > 1 else ""

    def _print(self, text: Text) -> None:
        self._terminal.print(text)

    def _panel(self, inner: Table, title: str, style: str) -> None:
        from rich import box

        self._terminal.print(
            Panel(inner, title=Text(title), title_align="left", border_style=style, box=box.ASCII if self._plain else box.ROUNDED)
        )


def _cause(words: Data | None) -> str | None:
    return words["cause"]["code"] if words and words["cause"] else None


def _what(data: Data) -> str:
    probability = f", probability {data['probability']:.0%}" if data["probability"] is not None else ""
    return f"{clean(data['cause'] or 'cause unknown')}{probability}"


def _handled(data: Data) -> str:
    for key, said in (("contacted_by", "contacted by"), ("acknowledged_by", "acknowledged by")):
        if data[key]:
            return f", {said} {clean(data[key])}"
    return ""
