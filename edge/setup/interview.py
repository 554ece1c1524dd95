"""The interview: which tap, whether it is wired, who is on it, where the box stands, and whom it tells."""

import select
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from edge.capture import devices
from edge.capture.devices import Device
from edge.config import LineConfig, SourceConfig
from edge.errors import SourceError, UsageError
from edge.service.levels import QUIET_DBFS
from edge.setup.answers import Answers, broker_of, name_fault, roles_of, url_fault
from edge.setup.asking import Asker
from edge.setup.meter import bar, meter
from edge.values import Role

_BOTH = 2
# Long enough to walk to the phone and lift it; nobody who answers by a pipe waits for that.
_METER_S, _METER_PIPED_S = 120.0, 3.0
_WAYS = (
    ("customer,agent", "customer and agent, each on a channel of their own (the customer on the first)"),
    ("agent,customer", "the same the other way round"),
    ("mixed", "both on one channel: words only, the voice is not judged"),
    ("customer", "the customer alone"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was given as options, each None where it was not."""

    site: str | None = None
    device: str | None = None
    line: str | None = None
    desk: str | None = None
    source: str | None = None
    channels: str | None = None
    url: str | None = None
    ca: str | None = None
    username: str | None = None


def interview(asker: Asker, known: Answers, given: Given, *, heard_otherwise: str | None) -> Answers:
    """The answers, beginning with `known`. `heard_otherwise`: how the line is heard if not by a device, which stays unless one is chosen.

    Raises UsageError for an option that cannot be, and where nobody answers.
    """
    ask = asker.text
    part = _quiet if asker.yes else print
    part(
        "The tap"
        if heard_otherwise is None
        else f"The tap: this line is heard by its {heard_otherwise}, and stays so (--source changes it)"
    )
    source, found = _tap(asker, known, given, heard_otherwise)
    channels = _channels(asker, replace(known, source=source), given, found)
    part("\nWhere it is")
    site = ask("site, a word", "--site", given=given.site, default=known.site, fault=name_fault)
    device = ask("this box", "--device", given=given.device, default=known.device, fault=name_fault)
    # Of several lines --line has said already which one is meant.
    line = ask("name of the line", "--line", given=given.line, default=known.line, fault=name_fault)
    desk = ask("whose desk it is, for the recovery team", "--desk", given=given.desk, default=known.desk)
    part("\nWhom it tells")
    url = ask("broker: host, mqtt://host:port or mqtts://host:port", "--url", given=given.url, default=known.url, fault=url_fault)
    ca, username, password = given.ca, known.username, None
    if broker_of(url or known.url).startswith("mqtts"):
        ca = ask("PEM file of who signed the broker (- for the system's)", "--ca", given=given.ca, default=known.ca)
    username = ask("user at the broker (- for none)", "--username", given=given.username, default=known.username)
    if username:
        password = asker.secret("its password (Enter: as it is): ")
    return Answers(
        site=site or known.site, device=device or known.device, line=line or known.line, desk=desk, source=source, channels=channels,
        url=broker_of(url or known.url), ca=ca, username=username, password=password,
    )  # fmt: skip


def _quiet(_: str) -> None:
    """Nobody reads along."""


def _tap(asker: Asker, known: Answers, given: Given, heard_otherwise: str | None) -> tuple[str, Device | None]:
    """The identity of the device, and the device, where it is there now."""
    if given.source is not None:
        return given.source, _find(given.source, _listed())
    if heard_otherwise is not None:
        return "auto", None
    while True:
        listed = _listed()
        _show(listed)
        default = _find(known.source, listed)
        # By its identity where it has one: another card that is plugged in later changes nothing.
        offered = known.source if default is None else default.identity
        if asker.yes:
            return offered, default
        said = asker.line(f"which is it? a number, or r to look again [{offered}]: ")
        if not said:
            return offered, default
        if said.isdigit() and 1 <= int(said) <= len(listed):
            return listed[int(said) - 1].identity, listed[int(said) - 1]
        if said in {"auto", *(name for one in listed for name in one.names)}:
            return said, _find(said, listed)
        if said.lower() != "r":
            print(f"  '{said}' is none of them")


def _show(listed: Sequence[Device]) -> None:
    auto = _find("auto", listed)
    for number, one in enumerate(listed, start=1):
        print(f"  {number}  {one.identity}  {one.name}{'  <- the likeliest' if one is auto else ''}")
    if not listed:
        print("  no sound card is found; a device may come later: the box looks for it")


def _listed() -> list[Device]:
    try:
        return devices.listing()
    except SourceError as error:
        print(f"  {error}")
        return []


def _find(wanted: str, listed: Sequence[Device]) -> Device | None:
    try:
        return devices.find(wanted, listed, channels=_BOTH)
    except SourceError:
        return None


def _channels(asker: Asker, known: Answers, given: Given, found: Device | None) -> tuple[Role, ...]:
    """Who is on it, once somebody has seen the level of each channel."""
    most = _BOTH if found is None else min(_BOTH, found.channels)
    if given.channels is not None:
        return roles_of(given.channels)
    default = known.channels if len(known.channels) <= most else (Role.MIXED,)
    if asker.yes:
        return default
    if found is not None and asker.sure("see its level while you speak on the phone?"):
        default = _look(known.source, most) or default
    print("who is on it?")
    ways = [way for way in _WAYS if len(roles_of(way[0])) <= most]
    for number, (_, says) in enumerate(ways, start=1):
        print(f"  {number}  {says}")
    place = 1 + next((number for number, (way, _) in enumerate(ways) if roles_of(way) == default), 0)
    said = asker.text(
        "a number", "--channels", given=None, default=str(place),
        fault=lambda said: None if said.isdigit() and 1 <= int(said) <= len(ways) else f"1 to {len(ways)}",
    )  # fmt: skip
    return roles_of(ways[int(said or place) - 1][0])


def _look(source: str, channels: int) -> tuple[Role, ...] | None:
    """Draw its level until Enter; what it shows of the channels, where it shows anything."""
    tty = sys.stdin.isatty()
    line = LineConfig(
        name="meter", source=SourceConfig(device=source), channels=(Role.CUSTOMER, Role.AGENT) if channels == _BOTH else (Role.MIXED,)
    )
    print("speak on the phone, then let the other side speak" + ("; Enter goes on" if tty else ""))
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")

    def draw(levels: Sequence[float | None]) -> None:
        said = "   ".join(f"{number} {bar(one, plain=plain)}" for number, one in enumerate(levels, start=1))
        print(f"\r  {said}", end="", flush=True)

    try:
        heard = meter(line, over=partial(_entered, tty=tty), draw=draw, seconds=_METER_S if tty else _METER_PIPED_S)
    except UsageError as error:
        print(f"  {error}")
        return None
    print()
    if heard.problem is not None:
        print(f"  {heard.problem}")
        return None
    if all(one is None or one < QUIET_DBFS for one in heard.loudest):
        print("  hardly anything was heard: check cable, jack, mute and gain (alsamixer, F4); docs/buy-and-wire.md")
    if heard.same:
        print("  both channels carry the same: a mono tap; words only")
        return (Role.MIXED,)
    return None


def _entered(*, tty: bool) -> bool:
    if not tty or not select.select([sys.stdin], [], [], 0)[0]:
        return False
    sys.stdin.readline()
    return True
