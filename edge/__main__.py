"""The `undertone` command. Each subcommand is one file in edge.cli; the way of a call is edge.call.line."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from edge.errors import UndertoneError, for_box

# One module a subcommand, in the order that --help shows them. Each has add_parser(commands) and imports what is heavy
# only when it runs, so that --help is instant.
_COMMANDS = (
    "setup", "replay", "run", "listen", "voice", "words", "baseline", "doctor", "devices", "status", "rules", "explain", "report", "model",
    "fetch_model", "erase", "schema", "info",
)  # fmt: skip

# What writing to a full disk, or above a quota or a limit, says.
_OUTPUT_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_INTRODUCTION = """\
Undertone hears a phone call on this box, judges how the customer feels from how they speak and from what they say, and
tells a central MQTT broker while the call is still going. Audio never leaves the box.
"""

_EXAMPLES = """\
first steps on a new box:
  undertone setup                       asks for tap, site and broker, writes the configuration, checks it
  undertone fetch-model                 bring the speech recogniser (about 40 MB, once)
  undertone doctor                      check audio, models, broker, clock and disk by really using each
  undertone replay call.wav             hear a recording and print what a central system would get
  undertone run --config undertone.yaml the service

every command explains itself: undertone COMMAND --help
exit codes: 0 good, 1 the work failed, 2 wrong use, also a file that is not there or may not be read or written
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, without running anything."""
    from edge import __version__

    parser = argparse.ArgumentParser(
        prog="undertone",
        description=_INTRODUCTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"undertone {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        import_module(f"edge.cli.{name}").add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; what a user can cause is one line on stderr, never a traceback."""
    # A sentence is too little work to share: OpenBLAS's threads wait for one another by spinning, many sentences' time on a busy box.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return run_command(build_parser(), arguments)


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Parse and run, with the exit codes and one-line errors that both commands (undertone, undertone-convert) share."""
    args = argparse.Namespace()
    try:
        # The files that it names are looked at on the way.
        parser.parse_args(arguments, args)
        code = int(args.run(args))
        sys.stdout.flush()
    except UndertoneError as error:
        print(f"{parser.prog}: {for_box(str(error), getattr(args, 'config', None))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error.
        _drop_output()
        return 0
    except OSError as error:
        if error.errno not in _OUTPUT_FULL:
            raise
        _drop_output()
        print(f"{parser.prog}: the output cannot be written: {error.strerror}; make room, or send it elsewhere", file=sys.stderr)
        return 1
    else:
        return code


def _drop_output() -> None:
    """Keep Python from complaining at exit of what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
