"""`undertone-desk backup`: a whole copy while the desk serves."""

import argparse
from pathlib import Path

from desk.cli.options import add_config, command, opened


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = command(
        commands,
        "backup",
        says="a whole copy of the database, while the desk serves (SQLite)",
        description="A whole copy of the database, while the desk serves. For PostgreSQL it is pg_dump.",
        examples=("backup desk-2026-10-05.db",),
    )
    parser.add_argument("file", type=Path)
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Copy."""
    from edge.errors import UsageError

    if args.file.exists():
        raise UsageError("is there already", path=args.file, remedy="give a new name")
    with opened(args) as (_, database):
        database.backup(str(args.file))
    args.file.chmod(0o600)
    print(f"{args.file}: {args.file.stat().st_size} bytes")
    return 0
