"""The `undertone-convert` command: where models are trained, converted, judged, signed and sent out. Never runs on a box."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from edge.__main__ import run_command

# One module with add_parser(commands) for each group of commands, in the order that --help shows them.
_COMMANDS = (
    "voice.train", "voice.refit", "voice.keras_file", "evaluation.evaluate", "evaluation.price", "words.command", "asr.fit",
    "fleet.bundles", "fleet.push", "fusion.command",
)  # fmt: skip

_INTRODUCTION = """\
Undertone's models are firmware. Here a technician trains one from a corpus or takes an existing Keras net, sees what it is
worth on speakers it never heard, signs it, and sends it to the boxes, which check it again before it serves.
"""

_EXAMPLES = """\
the way of a model:
  undertone-convert keygen leeds                            once: the key that signs your models
  undertone-convert train --ravdess DIR --csv clips.csv     a bundle in a folder
  undertone-convert evaluate --bundle BUNDLE --csv other-clips.csv --html report.html
  undertone-convert diff models/voice BUNDLE                better or worse, in figures
  undertone-convert pack BUNDLE --key leeds.key             one signed .tar
  undertone-convert push BUNDLE.tar --url URL --site leeds  to every box, a few of them first
  undertone model install BUNDLE.tar --config FILE          or from a stick, on the box

every command explains itself: undertone-convert COMMAND --help
exit codes: 0 good, 1 the work failed, 2 wrong use
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, without running anything."""
    from edge import __version__

    parser = argparse.ArgumentParser(
        prog="undertone-convert",
        description=_INTRODUCTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"undertone-convert {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in _COMMANDS:
        import_module(f"convert.{name}").add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code; a missing TensorFlow is told with its remedy."""
    try:
        return run_command(build_parser(), arguments)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {"tensorflow", "keras", "scipy", "matplotlib", "tqdm"}:
            raise
        print(f"undertone-convert: {error.name} is not installed here; `make setup`, or pip install 'undertone[convert]'", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
