"""What every subcommand takes: the configuration, and the database that it names."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desk.config import DeskConfig
    from desk.store.seam import Database


def add_config(parser: argparse.ArgumentParser) -> None:
    """Declare --config."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=Path("desk.yaml"), help="the desk's configuration (default: desk.yaml)"
    )


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, *, says: str, description: str, examples: tuple[str, ...]
) -> argparse.ArgumentParser:
    """A subcommand that explains itself; `examples` are what stands behind `undertone-desk`."""
    return commands.add_parser(
        name,
        help=says,
        description=description,
        epilog="\n".join(["examples:", *(f"  undertone-desk {example}" for example in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


@contextmanager
def opened(args: argparse.Namespace) -> "Iterator[tuple[DeskConfig, Database]]":
    """The configuration and its database, brought to the newest schema."""
    from desk.config import load_desk_config
    from desk.store.opening import open_database

    config = load_desk_config(args.config)
    database = open_database(config.database)
    try:
        yield config, database
    finally:
        database.close()
