"""The `undertone-desk` command. Each subcommand is one file in desk.cli."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from edge.errors import UndertoneError

_COMMANDS = ("serve", "check", "user", "token", "ingest", "rebuild", "export", "erase", "backup")

_EXAMPLES = """\
first steps of a new desk (docs/desk.md):
  undertone-desk user add ana --role admin --password-file secret
  undertone-desk check --config desk.yaml
  undertone-desk serve --config desk.yaml

every command explains itself: undertone-desk COMMAND --help
exit codes: 0 good, 1 the work failed, 2 wrong use
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, without running anything."""
    from edge import __version__

    parser = argparse.ArgumentParser(
        prog="undertone-desk",
        description="The recovery desk: live cases from alerts, answers to the box, and what calling back changes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"undertone {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        import_module(f"desk.cli.{name}").add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; what a user can cause is one line on stderr, never a traceback."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    try:
        return int(args.run(args))
    except UndertoneError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
