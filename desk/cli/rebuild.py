"""`undertone-desk rebuild`: every projection anew from event log and actions."""

import argparse

from desk.cli.options import add_config, command, opened


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = command(
        commands,
        "rebuild",
        says="make calls and cases anew from the event log and the actions",
        description="Make calls and cases anew from the event log and the actions, in one transaction.",
        examples=("rebuild --config desk.yaml",),
    )
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Rebuild, in one transaction."""
    from desk.ingest.rebuild import rebuild

    with opened(args) as (config, database):
        events, actions = rebuild(database, config.shared_numbers)
    print(f"made anew from {events} events and {actions} actions")
    return 0
