"""`undertone model`: the models on this box, as firmware: list, verify, install, roll back, pin."""

import argparse
import sys

import msgspec

from edge.bundle.manifest import KINDS, Version
from edge.cli.box import add_config_if_any
from edge.cli.files import input_bundle
from edge.config import Config, load_config
from edge.errors import for_box

_EXAMPLES = """\
examples:
  undertone model list                             what serves, what served before, what was shipped
  undertone model verify                           every byte, every signature, and every model's own known answers
  undertone model verify new-voice.tar             would `install` take it? the same words and exit code, and nothing changed
  undertone model install new-voice.tar            from a stick, no network needed; the old one is kept
  undertone model rollback voice                   the one before it serves again
  undertone model pin voice                        keep what serves, whatever is sent

All take --config FILE, the box's configuration: its state_dir holds the installed models, its models.trusted_keys say
who may sign. A running service takes a new model over at each line's next call (a new speech recogniser at its next start);
no call is ever judged by two.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its actions."""
    parser = commands.add_parser(
        "model",
        help="the models on this box: list, verify, install, rollback, pin",
        description="Models are firmware: signed, checked on this very box before they serve, and taken back if need be.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = argparse.ArgumentParser(add_help=False)
    add_config_if_any(shared)
    taking = argparse.ArgumentParser(add_help=False)
    taking.add_argument("--older", action="store_true", help="take it even if it is older than what serves")
    taking.add_argument("--quick", action="store_true", help="take it even if it is from a quick training, which is not for use")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(name: str, says: str, example: str, *more: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            parents=[shared, *more],
            help=says,
            description=says[0].upper() + says[1:] + ".",
            epilog=f"example:\n  undertone model {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    listing = action("list", "what serves, what served before, what was shipped, who signed it", "list --config undertone.yaml")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.set_defaults(run=_list)
    verify = action(
        "verify", "check every byte, the signature, and the known answers on this box", "verify /media/usb/voice-1.2.0.tar", taking
    )
    verify.add_argument("what", nargs="*", metavar="WHAT", help="a kind, a bundle's .tar or a folder (default: all that serve)")
    verify.set_defaults(run=_verify)
    install = action("install", "check a bundle on this box and let it serve; the old one is kept", "install voice-1.2.0.tar", taking)
    install.add_argument("source", type=input_bundle, metavar="FILE", help="a bundle's .tar, or its folder")
    install.set_defaults(run=_install)
    rollback = action("rollback", "let the model serve that served before (twice: undone)", "rollback voice --config undertone.yaml")
    rollback.add_argument("kind", choices=KINDS)
    rollback.set_defaults(run=_rollback)
    pin = action("pin", "keep what serves against every install", "pin voice --config undertone.yaml")
    pin.add_argument("kind", choices=KINDS)
    pin.add_argument("--to", type=_version, metavar="X.Y.Z", help="but take this version when it comes, be it older")
    pin.add_argument("--off", action="store_true", help="let installs replace it again")
    pin.set_defaults(run=_pin)


def _version(text: str) -> str:
    """A model's version."""
    try:
        return msgspec.convert(text, Version)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(f"'{text}' is no version of a model; `undertone model list` shows some, such as 1.4.0") from None


def _list(args: argparse.Namespace) -> int:
    """A table, or JSON lines."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from edge.models.inventory import list_models

    rows = list_models(_config(args))
    if args.json:
        for row in rows:
            print(msgspec.json.encode(row).decode())
        return 0
    table = Table("kind", title="models on this box", title_justify="left")
    for column in ("model", "state", "signed by", "made"):
        table.add_column(column, overflow="fold")
    for row in rows:
        state = row.refused or (f"{row.state}; {row.probation}" if row.probation else row.state)
        table.add_row(row.kind, row.model, state, row.signed_by or "[red]nobody[/red]", row.created[:10])
    console = Console()
    console.print(table)
    for row in rows:
        console.print(f"{row.model}: {row.licence or 'licence not stated'}", highlight=False, soft_wrap=True)
    return 0


def _verify(args: argparse.Namespace) -> int:
    """Each in turn; one that is refused does not keep the others from being checked."""
    from edge.bundle.store import find_bundle, require_bundle
    from edge.errors import InputError, ModelError, StoreError
    from edge.models.install import prove, verify
    from edge.models.kinds import ROWS

    config = _config(args)
    wrong = 0
    for what in args.what or KINDS:
        kind = next((kind for kind in KINDS if kind == what), None)
        try:
            if kind is None:
                print(verify(input_bundle(what), config, allow_older=args.older, allow_quick=args.quick))
                continue
            find = require_bundle if ROWS[kind].required else find_bundle
            if (path := find(kind, config)) is not None:
                print(prove(path, config))
            elif args.what:
                wrong = max(wrong, 1)
                see = for_box("see `undertone model list`", args.config)
                print(f"undertone: no {what} bundle is installed or shipped; {see}", file=sys.stderr)
        except (InputError, ModelError, StoreError) as error:
            wrong = max(wrong, error.exit_code)
            print(f"undertone: refused: {for_box(str(error), args.config)}", file=sys.stderr)
    return wrong


def _install(args: argparse.Namespace) -> int:
    """The kind is the bundle's own affair."""
    from edge.models.install import install
    from edge.models.kinds import ROWS

    installed = install(args.source, _config(args), allow_older=args.older, allow_quick=args.quick)
    if installed.already:
        print(f"{installed.bundle.label}: serves already, to the byte ({installed.bundle.folder}); nothing was changed")
        return 0
    bundle, serves_from = installed.bundle, ROWS[installed.kind].serves_from
    serves_from += ", on probation beside the one before it" if installed.on_probation else ""
    back = for_box(f"`undertone model rollback {installed.kind}` takes it back", args.config)
    print(f"{bundle.label}: serves from {serves_from} ({bundle.folder}); {back}")
    return 0


def _rollback(args: argparse.Namespace) -> int:
    """One step back."""
    from edge.bundle.store import open_store
    from edge.models.kinds import ROWS

    bundle = open_store(args.kind, _config(args)).rollback()
    undo = for_box(f"`undertone model rollback {args.kind}` undoes it", args.config)
    print(f"{bundle.label}: serves again from {ROWS[args.kind].serves_from} ({bundle.folder}); {undo}")
    return 0


def _pin(args: argparse.Namespace) -> int:
    """Pin, or no longer."""
    from edge.bundle.store import open_store

    open_store(args.kind, _config(args)).pin(pinned=not args.off, wanted=None if args.off else args.to)
    to = f" to {args.to}" if args.to else ""
    until = for_box(f"pinned{to} until `undertone model pin {args.kind} --off`", args.config)
    print(f"{args.kind}: {'no longer pinned' if args.off else until}")
    return 0


def _config(args: argparse.Namespace) -> Config:
    """The box's configuration."""
    return load_config(args.config) if args.config else Config()
