"""`undertone setup`: an interview that ends with a configuration and a doctor's look at it."""

import argparse
import os
import socket
import sys
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.box import add_config
from edge.cli.files import file_in_new_folder, input_file

if TYPE_CHECKING:
    from edge.config import Config

_EXAMPLES = """\
examples:
  sudo undertone setup                             asks, shows the level of the tap while you speak, writes, and lets the doctor look
  undertone setup --config undertone.yaml          the same for a configuration of your own
  undertone setup --yes --site leeds --url mqtts://broker.example --ca ca.pem --username leeds/desk-014
                                                   for a script: what is not given stays as it is, or as shipped
  undertone setup --add-line --line line-2         one more line on the same box

what is there already is what it offers: Enter keeps it. Nothing is written before the last answer; what was there is kept as FILE.before.
exit code of the doctor, whose look ends it
"""
_ENV = "UNDERTONE_MQTT_PASSWORD"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "setup",
        help="an interview that writes the configuration: tap, level, site, broker; then the doctor",
        description="Find the tap, see its level, say where the box is and whom it tells; write that, and check it by really using it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument("--site", metavar="NAME", help="where the box stands; a level of every topic")
    parser.add_argument("--device", metavar="NAME", help="the box's own name; a level of every topic")
    parser.add_argument("--line", metavar="NAME", help="the line's name; of several lines, the one that is meant")
    parser.add_argument("--add-line", action="store_true", help="one more line")
    parser.add_argument("--desk", metavar="DESK", help="whose desk it is")
    parser.add_argument("--source", metavar="IDENTITY", help="the tap, as `undertone devices` lists it, or auto")
    parser.add_argument("--channels", metavar="WHO", help="customer,agent; agent,customer; mixed; or customer")
    parser.add_argument("--url", metavar="URL", help="the broker: mqtts://HOST[:PORT], mqtt://HOST[:PORT], or a host")
    parser.add_argument("--ca", metavar="FILE", help="PEM file of who signed the broker")
    parser.add_argument("--username", metavar="NAME", help=f"this box's user at the broker; its password is asked for, or is in ${_ENV}")
    parser.add_argument("--yes", action="store_true", help="ask nothing: what is not given stays as it is")
    parser.add_argument("--no-speech", action="store_true", help="do not offer to bring the speech recogniser")
    parser.add_argument("--no-doctor", action="store_true", help="do not let the doctor look at it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, write, look; the doctor's exit code."""
    from dataclasses import replace

    from edge.config import load_config
    from edge.setup.answers import known, merged
    from edge.setup.asking import Asker
    from edge.setup.file import read, write
    from edge.setup.interview import Given, interview

    path = file_in_new_folder(args.config).absolute()
    if args.ca not in {None, "-"}:
        # As the configuration names it.
        input_file(str(path.parent / args.ca))
    raw = read(path)
    offered = known(raw, args.line, add=args.add_line, host=socket.gethostname())
    given = Given(**{one.name: getattr(args, one.name) for one in fields(Given)})
    answers = interview(Asker(yes=args.yes), offered, given, heard_otherwise=_otherwise(raw, offered.line))
    if os.environ.get(_ENV):
        answers = replace(answers, password=os.environ[_ENV])
    changed = write(path, merged(raw, answers, line=args.line, add=args.add_line, folder=path.parent), answers.password)
    print(f"\n{path}: {'written' if changed else 'as it was'}")
    config = load_config(path)
    _bring_speech(config, args)
    code = 0 if args.no_doctor else _look(path)
    print(_next(path), file=sys.stderr)
    return code


def _otherwise(raw: dict[str, object], line: str) -> str | None:
    """How the line is heard, if by something else than a device."""
    lines = raw.get("lines")
    found: dict[str, object] = next((one["source"] for one in lines if one["name"] == line), {}) if isinstance(lines, list) else {}
    return next((str(kind) for kind in found if kind not in {"device", "rate", "stall_s", "realtime"}), None)


def _bring_speech(config: "Config", args: argparse.Namespace) -> None:
    from edge.asr.vosk_model import find_vosk
    from edge.cli import fetch_model
    from edge.errors import ModelError, UndertoneError
    from edge.setup.asking import Asker
    from edge.values import Mode

    if args.no_speech or config.mode is Mode.VOICE:
        return
    try:
        if find_vosk(config) is not None:
            return
    except ModelError as error:
        print(f"undertone: {error}", file=sys.stderr)
    if Asker(yes=args.yes).sure("bring the speech recogniser (41 MB)? without it the box judges by the voice alone"):
        try:
            fetch_model.run(Namespace(config=args.config, to=None, archive=None, check=False, force=False))
        except UndertoneError as error:
            # The configuration stands; the doctor says it again, with what to do.
            print(f"undertone: {error}", file=sys.stderr)


def _look(path: Path) -> int:
    from edge.cli import doctor

    print()
    return doctor.run(Namespace(config=path, json=False, bench=False, lines=8, loop=None, output=None, bundle=None))


def _next(path: Path) -> str:
    unit = any(Path(folder, "undertone.service").exists() for folder in ("/etc/systemd/system", "/usr/lib/systemd/system"))
    serve = "systemctl enable --now undertone" if unit and Path("/run/systemd/system").exists() else f"undertone run --config {path}"
    return f"undertone: next: {serve}"
