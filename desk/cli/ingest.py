"""`undertone-desk ingest`: processes that take in events."""

import argparse

from desk.cli.options import add_config, command, opened


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    dropping = "ingest drop desk-york"
    parser = command(
        commands,
        "ingest",
        says="take out a process that takes in events no more",
        description="Processes of `serve --only ingest`, by their mqtt.client_id.",
        examples=(dropping,),
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    drop = command(
        verbs,
        "drop",
        says="take out one that fell silent and does not come back",
        description="/healthz is not well until one that fell silent is back, its topics are taken in by another, or it is taken out here.",
        examples=(dropping,),
    )
    drop.add_argument("name", help="its mqtt.client_id, as the page Boxes names it")
    add_config(drop)
    drop.set_defaults(run=run_drop)


def run_drop(args: argparse.Namespace) -> int:
    """Drop."""
    from desk.ingest.standing import take_out
    from edge.errors import UsageError

    with opened(args) as (_, database):
        if not take_out(database, args.name):
            raise UsageError(f"no ingest is called '{args.name}'", remedy="give its mqtt.client_id, as the page Boxes names it")
    print(f"{args.name} is taken out; if it still runs, it tells of itself again")
    return 0
