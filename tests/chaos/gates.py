"""Who wants in: a foreign certificate, another box's topics, commands that are retained or giant, bundles that reach out of themselves."""

import io
import logging
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from paho.mqtt import publish

from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from edge.wire.commands import Refused
from tests.boxes import SimulatedBox
from tests.boxes import config as box_config
from tests.broker import Broker
from tests.certificates import Authority
from tests.chaos.table import Row, Scale
from tests.nets import keys
from tests.telling import Subscriber, open_outbox, text, until

_ACL = Path(__file__).parent.parent.parent / "systemd" / "mosquitto" / "acl"


def section(folder: Path, _scale: Scale) -> Iterator[Row]:
    """Each is refused, told and logged."""
    yield _foreign(folder / "foreign")
    yield _as_another(folder / "acl")
    yield from _commands(folder / "commands")
    yield from _bundles(folder / "bundles")


@contextmanager
def _log(name: str) -> Iterator[list[str]]:
    """What is logged meanwhile."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextmanager
def _box(folder: Path, mqtt: MqttConfig, device: str = "desk-1", taken: list | None = None) -> Iterator[Publisher]:
    outbox = open_outbox(folder / device)
    outbox.put([text(1)])
    commands = [] if taken is None else taken
    publisher = Publisher(Config(site="leeds", device=device, mqtt=mqtt), outbox, commands.append)
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop(5)
        outbox.close()


def _foreign(folder: Path) -> Row:
    foreign = Authority(folder / "authority", "somebody else")
    with (
        Broker(folder, tls=True) as broker,
        _log("undertone.bus") as logged,
        _box(folder, MqttConfig(url=broker.url, ca=str(foreign.ca))) as box,
    ):
        until(lambda: box.troubles.all)
        told = str(box.troubles.all[0])
    return Row(
        fault="broker with a foreign certificate",
        done="TLS, signed by an authority that the box was not given",
        result=f"refused; told: `{told.split(': ', 1)[1]}`",
        good="not to be trusted" in told and any("not to be trusted" in line for line in logged),
    )


def _as_another(folder: Path) -> Row:
    """Box A is let in as itself and calls itself B; the ACL and the lines of the broker's configuration are those that are shipped."""
    folder.mkdir()
    password = folder / "password"
    password.write_text("a")
    users = {"leeds/desk-a": "a", "leeds/desk-b": "b", "quality": "q"}
    with (
        Broker(folder, passwords=users, acl=_ACL.read_text(), extra="use_username_as_clientid true") as broker,
        Subscriber(broker.url, "undertone/v1/#", username="quality", password="q") as central,
        _log("undertone.bus") as logged,
        _box(folder, MqttConfig(url=broker.url, username="leeds/desk-a", password_file=str(password)), "desk-b") as box,
    ):
        until(lambda: any("refused" in one.what for one in box.troubles.all))
        told = next(str(one) for one in box.troubles.all if "refused" in one.what)
        reached = [topic for topic, _, _ in central.messages]
    return Row(
        fault="box A writes as B",
        done="mosquitto with the ACL as shipped; A's own user and password, B's topics",
        result=f"refused, nothing reached a subscriber ({len(reached)} messages); told: `{told.split(': ', 1)[1]}`",
        good=not reached and "ACL" in told and any("refused" in line for line in logged),
    )


def _until_heard(send: Callable[[], None], logged: list[str]) -> None:
    """What comes before the broker has taken the box's subscription is not for this box; more than one a second might be too many."""
    for _ in range(60):
        send()
        with suppress(AssertionError):
            until(lambda: any("/hello" in line for line in logged), 1.0)
            return
    raise AssertionError("the box hears no command")


def _commands(folder: Path) -> Iterator[Row]:
    cases = {
        "retained command": ("call/line-1/start", b"{}", True, "retained"),
        "giant command": ("call/line-1/context", b'{"queue": "' + b"x" * 10_000_000 + b'"}', False, "at most 4096 are taken"),
        "giant chunk of a model": ("model/install", b"x" * 10_000_000, False, "at most 400000 are taken"),
        "command that names a program": ("../../run", b'{"command": "reboot"}', False, "unknown command"),
        "command whose key is a line of the log": (
            "call/line-1/end",
            b'{"x\\ncommand.taken kind=CallEnd": 1}',
            False,
            "unknown field",
        ),
    }
    taken: list = []
    with Broker(folder) as broker, _log("undertone.bus") as logged, _box(folder, MqttConfig(url=broker.url), taken=taken) as box:
        send = partial(publish.single, qos=1, hostname="127.0.0.1", port=broker.port)
        until(lambda: box.connected)
        _until_heard(partial(send, "undertone-cmd/v1/leeds/desk-1/hello", b"{}"), logged)
        for fault, (topic, payload, retain, reason) in cases.items():
            began = time.monotonic()
            send(f"undertone-cmd/v1/leeds/desk-1/{topic}", payload, retain=retain)
            until(lambda reason=reason: any("command.refused" in line and reason in line and "/hello" not in line for line in logged))
            said = next(line for line in logged if "command.refused" in line and reason in line and "/hello" not in line)
            yield Row(
                fault=fault,
                done=f"{len(payload):,} bytes on `.../{topic}`{', retained' if retain else ''}",
                result=f"refused and logged: `{said.partition('reason=')[2][:90]}`; {len(_obeyed(taken))} commands taken",
                good=not _obeyed(taken) and said.isprintable() and box.connected,
                well_again_s=time.monotonic() - began,
            )


def _obeyed(requests: list) -> list:
    """Those that are commands; what was refused comes, too, to be answered."""
    return [one for one in requests if not isinstance(one.command, Refused)]


def _tar(path: Path, *members: tarfile.TarInfo, pad: int = 0) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    with path.open("ab") as file:
        file.write(bytes(pad))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, size
    return member


def _bomb(path: Path) -> Path:
    """A few kB that say they are 200 GB: a sparse file (GNU), unpacked by what honours its header."""
    member = _member("model.tflite", size=512)
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(200 * 10**9), "GNU.sparse.map": "0,512"}
    return _tar(path, member)


def _bundles(folder: Path) -> Iterator[Row]:
    folder.mkdir()
    _, public, _ = keys(folder)
    tricks = {
        "`../` in a bundle": _tar(folder / "up.tar", _member("../../etc/cron.d/x")),
        "absolute path in a bundle": _tar(folder / "root.tar", _member("/etc/cron.d/x")),
        "symbolic link in a bundle": _tar(folder / "link.tar", _member("model.tflite", tarfile.SYMTYPE, "/etc/passwd")),
        "hard link in a bundle": _tar(folder / "hard.tar", _member("model.tflite", tarfile.LNKTYPE, "../../state/outbox.sqlite")),
        "device in a bundle": _tar(folder / "device.tar", _member("model.tflite", tarfile.CHRTYPE)),
        "bomb: 200 GB in a few kB": _bomb(folder / "bomb.tar"),
        "bomb: 10,000 files": _tar(folder / "many.tar", *(_member(f"f{n}") for n in range(10_000))),
    }
    with _log("undertone.models") as logged, SimulatedBox(box_config(folder, public)) as box:
        for fault, path in tricks.items():
            before, lines, began = {file for file in folder.rglob("*") if file.is_file()}, len(logged), time.monotonic()
            box.told.clear()
            box.send(path)
            refused = box.until("refused")
            stray = {file.name for file in folder.rglob("*") if file.is_file()} - {file.name for file in before} - {"outcomes.json"}
            yield Row(
                fault=fault,
                done=f"sent over the bus as a model, {path.stat().st_size:,} bytes",
                result=f"refused, told on `model` and logged: `{(refused.reason or '').rpartition('.part: ')[2][:110]}`",
                good=not stray and len(logged) > lines,
                well_again_s=time.monotonic() - began,
            )
