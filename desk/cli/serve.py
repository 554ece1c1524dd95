"""`undertone-desk serve`: the desk, until it is stopped."""

import argparse
from typing import TYPE_CHECKING

from desk.cli.options import add_config, command, opened

if TYPE_CHECKING:
    from desk.config import DeskConfig
    from desk.ingest.standing import Ingest
    from desk.store.seam import Database


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = command(
        commands,
        "serve",
        says="the desk: broker to database to pages",
        description="Serve until Ctrl-C or SIGTERM.",
        examples=("serve --config desk.yaml", "serve --only ingest", "serve --only web --listen 127.0.0.1:8090"),
    )
    add_config(parser)
    parser.add_argument(
        "--only",
        choices=("web", "ingest"),
        help="a process of several on one PostgreSQL: pages and API, or the broker's events (and commands to boxes); default: both",
    )
    parser.add_argument("--listen", metavar="HOST:PORT", help="instead of the configuration's, for a second web process")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve. Raises UndertoneError where it cannot begin."""
    import logging

    from desk.ingest.alerts import Policy
    from desk.ingest.link import Link
    from desk.ingest.standing import Ingest
    from desk.ingest.writer import Writer
    from desk.web.maintenance import Maintenance

    logging.basicConfig(level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with opened(args) as (config, database):
        ingest = None
        if args.only != "web":
            writer = Writer(database, prefix=config.mqtt.prefix, policy=Policy.of(config))
            ingest = Ingest(name=config.mqtt.client_id, link=Link(config.mqtt, writer.store), writer=writer, topics=config.mqtt.topics)
            ingest.link.open()
        maintenance = Maintenance(config, database, ingest)
        maintenance.start()
        try:
            if args.only == "ingest":
                print(f"undertone-desk: takes in {', '.join(config.mqtt.filters)}", flush=True)
                _wait()
            else:
                _pages(config, database, ingest, args.listen)
        finally:
            maintenance.stop()
            if ingest is not None:
                ingest.link.close()
    return 0


def _wait() -> None:
    """Until SIGTERM or Ctrl-C."""
    import signal
    import threading

    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    ending.wait()


def _pages(config: "DeskConfig", database: "Database", ingest: "Ingest | None", listen: str | None) -> None:
    """Pages and API, until SIGTERM or Ctrl-C. Raises UndertoneError where the address is not to be had."""
    import msgspec
    import uvicorn

    from desk.config import check_address
    from desk.web.app import make_app
    from desk.web.desk import Desk
    from edge.errors import UndertoneError

    if listen is not None:
        check_address(listen)
        config = msgspec.structs.replace(config, listen=listen)
    host, port = config.address
    app = make_app(Desk.of(config, database, ingest))
    server = uvicorn.Server(
        uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3)
    )
    print(f"undertone-desk: http://{host}:{port}", flush=True)
    server.run()
    if not server.started:
        raise UndertoneError(f"cannot listen on {config.listen}", where="listen", remedy="is another desk running, or is the port taken?")
