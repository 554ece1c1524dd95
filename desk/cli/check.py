"""`undertone-desk check`: broker, database, clock, rights, people: each really used, with what to do."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from desk.cli.options import add_config, command, opened

if TYPE_CHECKING:
    from desk.config import DeskConfig
    from desk.store.seam import Database

_CONNECT_S = 6.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = command(
        commands,
        "check",
        says="try broker, database, clock and rights, and say what to do",
        description="Try each thing that the desk needs by really using it; exit code 1 where something must be mended.",
        examples=("check --config desk.yaml",),
    )
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """1 where something must be mended."""
    bad = 0
    with opened(args) as (config, database):
        for what, trouble, told in (*_database(database), *_broker(config), *_clock(), *_people(database), *_address(config)):
            print(f"{'ok  ' if trouble is None else 'BAD '}{what}: {trouble or told}")
            bad += trouble is not None
    return 1 if bad else 0


_Finding = tuple[str, str | None, str]


def _database(database: "Database") -> Iterator[_Finding]:
    import time

    started = time.perf_counter()
    with database.write() as tx:
        tx.run("meta_set", key="checked", value="1")
    yield "database", None, f"{database.name}, written durably in {(time.perf_counter() - started) * 1000:.0f} ms"


def _broker(config: "DeskConfig") -> Iterator[_Finding]:
    import time

    import msgspec

    from desk.ingest.link import Link
    from edge.errors import BusError

    # A name and a session of its own: the running desk keeps its own.
    probe = msgspec.structs.replace(config.mqtt, client_id=f"{config.mqtt.client_id}-check"[:64], session_days=1)
    link = Link(probe, lambda _group: None)
    try:
        link.open()
    except BusError as error:
        yield "broker", str(error), ""
        return
    until = time.monotonic() + _CONNECT_S
    while not link.connected and time.monotonic() < until:
        time.sleep(0.05)
    good = link.connected
    link.close()
    yield "broker", None if good else f"{config.mqtt.url}: {link.trouble}; check mqtt.url, and that the broker runs", config.mqtt.url


def _clock() -> Iterator[_Finding]:
    from edge.clock import time_synced

    yield (
        "clock",
        None if time_synced() else "not known to be set by NTP: promises run by it; enable systemd-timesyncd or chrony",
        "set by NTP",
    )


def _people(database: "Database") -> Iterator[_Finding]:
    with database.read() as tx:
        count = int((tx.one("users_count") or {"n": 0})["n"])
    yield (
        "people",
        None if count else "nobody can log in; undertone-desk user add NAME --role admin --password-file FILE",
        f"{count} may log in",
    )


def _address(config: "DeskConfig") -> Iterator[_Finding]:
    host, _ = config.address
    inside = host in {"127.0.0.1", "localhost", "::1"}
    told = f"{config.listen}, this machine only" if inside else f"{config.listen}, behind a proxy with TLS"
    open_ = not inside and not config.secure_cookies
    yield (
        "address",
        "others can reach it, and cookies go in the clear: put TLS before it and set secure_cookies: true" if open_ else None,
        told,
    )
