"""`undertone-desk token`: programs that use the API."""

import argparse

from desk.cli.options import add_config, command, opened


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    adding, dropping = "token add wallboard --role analyst > wallboard.token", "token drop wallboard"
    parser = command(
        commands, "token", says="add or drop tokens of programs", description="What programs log in with.", examples=(adding, dropping)
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = command(
        verbs,
        "add",
        says="print a new token, alone, this once",
        description="Print a new token, alone, this once: the desk keeps only what it takes to know it again.",
        examples=(adding,),
    )
    add.add_argument("name")
    add.add_argument("--role", required=True, choices=("operator", "lead", "analyst", "admin", "switchboard"))
    add_config(add)
    add.set_defaults(run=run_add)
    drop = command(
        verbs,
        "drop",
        says="make every token of this name worthless",
        description="Make every token of this name worthless.",
        examples=(dropping,),
    )
    drop.add_argument("name")
    add_config(drop)
    drop.set_defaults(run=run_drop)


def run_add(args: argparse.Namespace) -> int:
    """Print the token alone."""
    from desk.people.accounts import add_token

    with opened(args) as (_, database):
        print(add_token(database, args.name, args.role))
    return 0


def run_drop(args: argparse.Namespace) -> int:
    """Drop."""
    from edge.errors import UsageError

    with opened(args) as (_, database), database.write() as tx:
        if not tx.run("tokens_drop", name=args.name):
            raise UsageError(f"there is no token called '{args.name}'", remedy="give the name that it was added with")
    return 0
