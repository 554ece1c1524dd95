"""`undertone schema`: the contract of the bus, for whoever writes a consumer."""

import argparse
import sys
from typing import Any

from edge.cli.files import output_folder
from edge.errors import StoreError, UsageError

_EXAMPLES = """\
examples:
  undertone schema                             the kinds of events
  undertone schema call.utterance              JSON Schema (draft 2020-12) of that CloudEvent, whole
  undertone schema --out schemas/              every schema as a file
  undertone schema --asyncapi > asyncapi.yaml  the whole bus: topics, events, commands
  undertone schema --markdown                  every field as tables (docs/bus.md is made with it)
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "schema",
        help="JSON Schemas of the events, and the AsyncAPI document of the bus",
        description="Print what the bus promises. The schemas are made from the code's own types.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", nargs="?", metavar="KIND", help="one kind of event, as listed without it")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--asyncapi", action="store_true", help="the AsyncAPI 3.0 document (YAML)")
    form.add_argument("--markdown", action="store_true", help="tables of all fields")
    parser.add_argument("--out", type=output_folder, metavar="DIR", help="write files there instead of printing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print or write what was asked for."""
    from edge.wire.asyncapi import asyncapi
    from edge.wire.field_tables import markdown
    from edge.wire.schema import schemas

    known = schemas()
    if args.kind and args.kind not in known:
        raise UsageError("no such kind", where=f"schema '{args.kind}'", remedy=f"known: {', '.join(known)}")
    if args.asyncapi:
        files = {"asyncapi.yaml": _yaml(asyncapi())}
    elif args.markdown:
        files = {"events.md": markdown()}
    elif args.kind or args.out:
        files = {f"{kind}.v1.json": _json(known[kind]) for kind in ([args.kind] if args.kind else known)}
    else:
        print("\n".join(f"{kind:<16} {schema['description']}" for kind, schema in known.items()))
        return 0
    if args.out is None:
        print("\n".join(files.values()).rstrip())
        return 0
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (args.out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(str(error.strerror), path=args.out, where="--out", remedy="give a folder that can be written") from error
    print(f"{len(files)} file(s) written to {args.out}", file=sys.stderr)
    return 0


def _json(schema: dict[str, Any]) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _yaml(document: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=140)
