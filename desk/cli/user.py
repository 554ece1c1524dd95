"""`undertone-desk user`: who may log in."""

import argparse
from pathlib import Path

from desk.cli.options import add_config, command, opened

_ROLES = ("operator", "lead", "analyst", "admin")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    adding, disabling = "user add ana --role operator --password-file secret --routes billing", "user disable ana"
    parser = command(
        commands, "user", says="add or disable people", description="Who may log in, and as what.", examples=(adding, disabling)
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    add = command(
        verbs,
        "add",
        says="add a person, or give one a new password and role",
        description="Let a person in: a name, a role and a password. A person who is there gets the new ones.",
        examples=(adding,),
    )
    add.add_argument("name")
    add.add_argument("--role", required=True, choices=_ROLES)
    add.add_argument("--password-file", required=True, type=Path, metavar="FILE", help="its first line is the password")
    add.add_argument("--routes", default="", metavar="A,B", help="only cases of these routes (default: all)")
    add_config(add)
    add.set_defaults(run=run_add)
    disable = command(
        verbs,
        "disable",
        says="let a person in no more; what they did stays",
        description="Let a person in no more. What they did stays.",
        examples=(disabling,),
    )
    disable.add_argument("name")
    add_config(disable)
    disable.set_defaults(run=run_disable)


def run_add(args: argparse.Namespace) -> int:
    """Add."""
    from desk.people.accounts import add_user
    from edge.errors import UsageError
    from edge.files.text import unread

    try:
        password = args.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            unread(error), path=args.password_file, where="--password-file", remedy="write the password as its first line"
        ) from error
    with opened(args) as (_, database):
        add_user(database, args.name, args.role, password, tuple(filter(None, args.routes.split(","))))
    print(f"{args.name} may log in as {args.role}")
    return 0


def run_disable(args: argparse.Namespace) -> int:
    """Disable."""
    from edge.errors import UsageError

    with opened(args) as (_, database), database.write() as tx:
        if not tx.run("user_disable", name=args.name):
            raise UsageError(f"there is nobody called '{args.name}'", remedy="give the name that they log in with")
        tx.run("sessions_of_user_drop", name=args.name)
    print(f"{args.name} may log in no more")
    return 0
