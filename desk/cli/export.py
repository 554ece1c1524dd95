"""`undertone-desk export`: what the desk holds, for other programs; told in the audit."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from desk.cli.options import add_config, command, opened

if TYPE_CHECKING:
    from desk.config import DeskConfig
    from desk.store.seam import Database


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = command(
        commands,
        "export",
        says="cases, calls, events or actions to stdout",
        description="JSON, one a line; cases and calls also as CSV. undertone report and undertone-convert calibrate read `events`.",
        examples=("export cases --csv > cases.csv", "export events > events.jsonl"),
    )
    parser.add_argument("what", choices=("cases", "calls", "events", "actions"))
    parser.add_argument("--csv", action="store_true", help="a table that a spreadsheet may open (cases, calls)")
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write it."""
    from desk.web.csvfile import csv_text
    from desk.web.render import Renderer
    from edge.clock import now
    from edge.errors import UsageError

    if args.csv and args.what not in {"cases", "calls"}:
        raise UsageError(f"{args.what} are no table", where="--csv", remedy="leave it out")
    with opened(args) as (config, database):
        with database.write() as tx:
            tx.run("audit_add", at=now(), who="command line", what="export", detail=args.what)
        rows = _rows(args.what, config, database)
        if args.csv:
            sys.stdout.write(csv_text(list(rows), Renderer(config.zone)))
        else:
            for row in rows:
                print(json.dumps(row, ensure_ascii=False))
    return 0


def _rows(what: str, config: "DeskConfig", database: "Database") -> Iterator[dict[str, Any]]:
    from desk.cases import queries
    from desk.web.shapes import call_json, case_json

    match what:
        case "cases":
            after = 0
            while rows := queries.page(database, queries.Filter(), "", (), after=after, most=500):
                yield from map(case_json, rows)
                after = rows[-1]["id"]
        case "calls":
            before = None
            while rows := _calls(database, before):
                yield from map(call_json, rows)
                before = rows[-1]["call"]
        case "events":
            for row in _log(database, "events_from"):
                # What was told by no box, and what the `alerts` topic told, is no event of the bus.
                if row["source"].startswith("/undertone/") and "specversion" in (event := json.loads(row["body"])):
                    yield event
        case _:
            yield from (row | {"data": json.loads(row["data"])} for row in _log(database, "actions_from"))
    del config


def _calls(database: "Database", before: str | None) -> list[dict[str, Any]]:
    with database.read() as tx:
        return tx.all("calls_page", site=None, customer=None, since=None, until=None, before=before, most=500)


def _log(database: "Database", name: str) -> Iterator[dict[str, Any]]:
    seq = 0
    while True:
        with database.read() as tx:
            rows = tx.all(name, seq=seq, most=1000)
        if not rows:
            return
        yield from rows
        seq = rows[-1]["seq"]
