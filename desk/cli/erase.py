"""`undertone-desk erase`: what is known of one customer, over everything; the counts stay."""

import argparse

from desk.cli.options import add_config, command, opened
from edge.errors import counted


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = command(
        commands,
        "erase",
        says="forget a customer",
        description="Blanks reference, number, quotes and typed words wherever they are; the counts stay, under a name that nobody knows.",
        examples=("erase --customer C-1044", "erase --customer +441130000001"),
    )
    parser.add_argument("--customer", required=True, metavar="REF_OR_NUMBER", help="the switchboard's reference, or the telephone number")
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Erase."""
    from desk.ingest.erase import erase

    with opened(args) as (config, database):
        calls, cases = erase(database, args.customer, config.shared_numbers)
    print(f"erased from {counted(calls, 'call')} and {counted(cases, 'case')}")
    return 0
