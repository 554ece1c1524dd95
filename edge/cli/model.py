"""`undertone model`: the models on this box, as firmware: list, verify, install, roll back, pin."""

import argparse
import sys
from pathlib import Path

from edge.bundle.manifest import KINDS
from edge.config import Config, load_config

_EXAMPLES = """\
examples:
  undertone model list                             what serves, what served before, what was shipped
  undertone model verify                           every byte, every signature, and every model's own known answers
  undertone model verify new-voice.tar             would this box take it?
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
    shared.add_argument("--config", type=Path, metavar="FILE", help="the box's configuration (defaults without one)")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(name: str, says: str, example: str) -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            parents=[shared],
            help=says,
            description=says[0].upper() + says[1:] + ".",
            epilog=f"example:\n  undertone model {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    listing = action("list", "what serves, what served before, what was shipped, who signed it", "list --config undertone.yaml")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.set_defaults(run=_list)
    verify = action("verify", "check every byte, the signature, and the known answers on this box", "verify /media/usb/voice-1.2.0.tar")
    verify.add_argument("what", nargs="*", metavar="WHAT", help="a kind, a bundle's .tar or a folder (default: all that serve)")
    verify.set_defaults(run=_verify)
    install = action("install", "check a bundle on this box and let it serve; the old one is kept", "install voice-1.2.0.tar")
    install.add_argument("source", type=Path, metavar="FILE", help="a bundle's .tar, or its folder")
    install.add_argument("--older", action="store_true", help="take it even if it is older than what serves")
    install.set_defaults(run=_install)
    rollback = action("rollback", "let the model serve that served before (twice: undone)", "rollback voice --config undertone.yaml")
    rollback.add_argument("kind", choices=KINDS)
    rollback.set_defaults(run=_rollback)
    pin = action("pin", "keep what serves against every install", "pin voice --config undertone.yaml")
    pin.add_argument("kind", choices=KINDS)
    pin.add_argument("--to", metavar="X.Y.Z", help="but take this version when it comes, be it older")
    pin.add_argument("--off", action="store_true", help="let installs replace it again")
    pin.set_defaults(run=_pin)


def _list(args: argparse.Namespace) -> int:
    """A table, or JSON lines."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from edge.bundle.proof import list_models

    rows = list_models(_config(args))
    if args.json:
        for row in rows:
            print(msgspec.json.encode(row).decode())
        return 0
    table = Table("kind", title="models on this box", title_justify="left")
    for column in ("model", "state", "signed by", "made"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row.kind, row.model, row.refused or row.state, row.signed_by or "[red]nobody[/red]", row.created[:10])
    console = Console()
    console.print(table)
    for row in rows:
        console.print(f"{row.model}: {row.licence or 'licence not stated'}", highlight=False, soft_wrap=True)
    return 0


def _verify(args: argparse.Namespace) -> int:
    """Each in turn; one that is refused does not keep the others from being checked."""
    from edge.bundle.proof import prove
    from edge.bundle.store import find_bundle
    from edge.errors import ModelError

    config = _config(args)
    wrong = 0
    for what in args.what or KINDS:
        kind = next((kind for kind in KINDS if kind == what), None)
        try:
            path = find_bundle(kind, config) if kind else Path(what)
            if path is not None:
                print(prove(path, config))
            elif args.what:
                wrong += 1
                print(f"undertone: no {what} bundle is installed or shipped; see `undertone model list`", file=sys.stderr)
        except ModelError as error:
            wrong += 1
            print(f"undertone: refused: {error}", file=sys.stderr)
    return 1 if wrong else 0


def _install(args: argparse.Namespace) -> int:
    """The kind is the bundle's own affair."""
    from edge.bundle.installing import install

    installed = install(args.source, _config(args), allow_older=args.older)
    when = "the next start on" if installed.kind == "vosk" else "each line's next call on"
    trial = ", on probation beside the one before it" if installed.on_probation else ""
    bundle = installed.bundle
    print(f"{bundle.label}: serves from {when}{trial} ({bundle.folder}); `undertone model rollback {installed.kind}` takes it back")
    return 0


def _rollback(args: argparse.Namespace) -> int:
    """One step back."""
    from edge.bundle.store import open_store

    bundle = open_store(args.kind, _config(args)).rollback()
    print(f"{bundle.label}: serves again from each line's next call on ({bundle.folder})")
    return 0


def _pin(args: argparse.Namespace) -> int:
    """Pin, or no longer."""
    from edge.bundle.store import open_store

    open_store(args.kind, _config(args)).pin(pinned=not args.off, wanted=None if args.off else args.to)
    to = f" to {args.to}" if args.to else ""
    print(f"{args.kind}: no longer pinned" if args.off else f"{args.kind}: pinned{to} until `undertone model pin {args.kind} --off`")
    return 0


def _config(args: argparse.Namespace) -> Config:
    """The box's configuration."""
    return load_config(args.config) if args.config else Config()
