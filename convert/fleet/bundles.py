"""`undertone-convert keygen, pack, sign, inspect, diff`: bundles as a technician handles them."""

import argparse
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.bundle.manifest import Bundle

_QUICK = "take it even if it is from a quick training, which is not for use"
_FORMAT = argparse.RawDescriptionHelpFormatter


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the five commands."""
    keygen = commands.add_parser(
        "keygen",
        help="make a key that signs this site's models",
        description="Make NAME.key, which signs (keep it off the boxes, and back it up), and NAME.pub, which boxes trust.",
        epilog="example:\n  undertone-convert keygen leeds\nthen copy leeds.pub to each box and name it in 'models.trusted_keys'",
        formatter_class=_FORMAT,
    )
    keygen.add_argument("name", type=Path, metavar="NAME", help="leaves NAME.key and NAME.pub")
    keygen.set_defaults(run=_keygen)

    pack = commands.add_parser(
        "pack",
        help="hash a bundle's files into its manifest, sign it, and make one .tar of it",
        description="Hash each file of a bundle's folder into its manifest, sign it, and make the .tar for `undertone model install`.",
        epilog="examples:\n  undertone-convert pack voice-1.3.0 --key leeds.key\n"
        "  undertone-convert pack vosk-model-small-en-us-0.15 --vosk 0.15.0 --key leeds.key     a speech recogniser",
        formatter_class=_FORMAT,
    )
    pack.add_argument("folder", type=Path, metavar="FOLDER", help="a folder with a manifest.json and the model's files")
    pack.add_argument("--key", type=Path, metavar="FILE", help="the private key that signs (none: boxes refuse it unless told otherwise)")
    pack.add_argument("--vosk", metavar="X.Y.Z", help="the folder is a speech recogniser as its makers publish it: the version to give it")
    pack.add_argument("--licence", default="Apache-2.0", metavar="TEXT", help="with --vosk: its licence (default Apache-2.0)")
    pack.add_argument("--quick", action="store_true", help=_QUICK)
    pack.add_argument("--out", type=Path, metavar="FILE", help="default: NAME-VERSION.tar beside the folder")
    pack.set_defaults(run=_pack)

    sign = commands.add_parser(
        "sign",
        help="sign a bundle again, with another key",
        description="Sign a bundle's manifest as it stands. Every file of it is checked first.",
        epilog="example:\n  undertone-convert sign voice-1.3.0 --key leeds.key",
        formatter_class=_FORMAT,
    )
    sign.add_argument("--quick", action="store_true", help=_QUICK)
    sign.add_argument("folder", type=Path, metavar="FOLDER")
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key that signs")
    sign.set_defaults(run=_sign)

    inspect = commands.add_parser(
        "inspect",
        help="what a bundle is: labels, features, figures, licence, who signed it",
        description="Show a bundle's manifest, and whether each file is as it says. Trusts nobody and loads no model.",
        epilog="example:\n  undertone-convert inspect voice-1.3.0.tar\n  undertone-convert inspect models/voice --json",
        formatter_class=_FORMAT,
    )
    inspect.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's .tar or its folder")
    inspect.add_argument("--json", action="store_true", help="the manifest as JSON")
    inspect.set_defaults(run=_inspect)

    diff = commands.add_parser(
        "diff",
        help="what changed from one bundle to another, in figures",
        description="Compare two bundles key by key; figures with their difference; and what a box's probation would say of them.",
        epilog="examples:\n  undertone-convert diff models/voice voice-1.3.0.tar\n"
        "  undertone-convert diff models/voice voice-1.3.0.tar --csv clips.csv     which is better on these clips? would boxes keep it?",
        formatter_class=_FORMAT,
    )
    diff.add_argument("old", type=Path, metavar="OLD")
    diff.add_argument("new", type=Path, metavar="NEW")
    diff.add_argument("--csv", type=Path, metavar="FILE", help="voices: also ask both about these clips (path,label,speaker)")
    diff.add_argument("--text", type=Path, metavar="FILE", help="words: also ask both about these sentences, one a line")
    diff.set_defaults(run=_diff)


def _keygen(args: argparse.Namespace) -> int:
    from edge.bundle.signature import generate, write_keys

    key, public = generate()
    private_path, public_path = args.name.with_name(args.name.name + ".key"), args.name.with_name(args.name.name + ".pub")
    write_keys(private_path, public_path, key, public)
    print(f"{private_path}: signs (key {key.id}); keep it secret, keep it off the boxes, back it up")
    print(f"{public_path}: for the boxes; name it in 'models.trusted_keys'")
    return 0


def _pack(args: argparse.Namespace) -> int:
    from edge.bundle.archive import pack

    with tempfile.TemporaryDirectory(prefix="undertone-pack-") as scratch:
        if args.vosk:
            from convert.asr.vosk_bundle import bundle_of

            bundle = bundle_of(args.folder, Path(scratch) / "vosk", version=args.vosk, licence=args.licence, key=args.key)
        else:
            bundle = _finished_copy(args.folder, Path(scratch) / "bundle", args.key)
        _refuse_quick(bundle, args)
        out = args.out or args.folder.parent / f"{bundle.label}.tar"
        pack(bundle, out)
    signer = f"signed with key {bundle.signed_by}" if bundle.signed_by else "NOT signed: boxes refuse it ('models.allow_unsigned')"
    print(f"{out}: {bundle.label}, {out.stat().st_size:,} bytes, {signer}; next: `undertone model install {out} --config FILE` on a box")
    return 0


def _finished_copy(folder: Path, copy: Path, key: Path | None) -> "Bundle":
    """Hashed and signed in a copy: the folder keeps the signature that it came with."""
    from convert.pack import finish
    from edge.errors import ModelError

    if not folder.is_dir():
        raise ModelError("no such folder", path=folder, remedy="give a folder with a manifest.json and the model's files")
    shutil.copytree(folder, copy)
    try:
        return finish(copy, key)
    except ModelError as error:
        raise error.moved(copy, folder) from error


def _sign(args: argparse.Namespace) -> int:
    from convert.pack import sign
    from edge.bundle.manifest import load
    from edge.bundle.signature import Trust, read_private

    key = read_private(args.key)
    # A damaged bundle is not signed: only an old signature may be foreign or missing.
    _refuse_quick(load(args.folder, trust=Trust(allow_unsigned=True)), args)
    bundle = sign(args.folder, key)
    print(f"{args.folder}: {bundle.label} signed with key {bundle.signed_by}")
    return 0


def _refuse_quick(bundle: "Bundle", args: argparse.Namespace) -> None:
    """Raise ModelError for a bundle that was trained with --quick, unless that is meant."""
    from edge.errors import ModelError
    from edge.models.install import QUICK

    if bundle.manifest.quick and not args.quick:
        remedy = "train it without --quick, or add --quick to try this one on a box that is told so, too"
        raise ModelError(f"{bundle.label} is {QUICK}", path=args.folder, remedy=remedy)


def _inspect(args: argparse.Namespace) -> int:
    import msgspec

    from convert.compare import flat, opened
    from edge.bundle.manifest import encode

    with opened(args.bundle) as bundle:
        if args.json:
            print(encode(bundle.manifest).decode(), end="")
            return 0
        signer = f"signed by {bundle.signed_by}" if bundle.signed_by else _claimed(bundle.folder)
        print(f"{bundle.label}: every file is as its manifest says; {signer}")
        for key, value in flat(msgspec.to_builtins(bundle.manifest)).items():
            print(f"  {key:<40} {value}")
        for name in bundle.manifest.files:
            print(f"  {name:<40} {(bundle.folder / name).stat().st_size:,} bytes")
    return 0


def _claimed(folder: Path) -> str:
    """What a signature says that no key of ours can prove."""
    import msgspec

    from edge.bundle.manifest import SIGNATURE
    from edge.bundle.signature import Signature

    try:
        claimed = msgspec.json.decode((folder / SIGNATURE).read_bytes(), type=Signature)
    except (OSError, msgspec.DecodeError):
        return "signed by nobody"
    return f"signed with key {claimed.key}, none of Undertone's own (boxes check it by 'models.trusted_keys')"


def _diff(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from convert.compare import changes, opened
    from convert.fleet.drift import over_clips, over_sentences
    from convert.sound.corpora import read_csv
    from edge.errors import UsageError

    with opened(args.old) as old, opened(args.new) as new:
        kinds = {old.manifest.kind, new.manifest.kind}
        if len(kinds) > 1:
            raise UsageError(
                f"{args.old} is a {old.manifest.kind} model, {args.new} a {new.manifest.kind} model", remedy="give two of one kind"
            )
        if (args.csv and kinds != {"voice"}) or (args.text and kinds != {"words"}):
            raise UsageError("--csv compares two voice models, --text two words models", remedy="see undertone-convert diff --help")
        rows = changes(old.manifest, new.manifest)
        table = Table("what", old.label, new.label, "change")
        for row in rows:
            table.add_row(*row)
        says = over_clips(old, new, read_csv(args.csv)) if args.csv else []
        says += over_sentences(old, new, args.text) if args.text else []
    console = Console(highlight=False)
    console.print(table if rows else "nothing differs")
    for line in says or _asked_nothing(args, kinds.pop()):
        console.print(line, soft_wrap=True)
    return 0


def _asked_nothing(args: argparse.Namespace, kind: str) -> list[str]:
    """What to give to learn which of two is better; nothing of kinds that nobody can ask here."""
    wanted = {
        "voice": ("clips that neither has heard", "--csv clips.csv     # columns path,label,speaker; a hundred clips and more"),
        "words": ("sentences that neither has read", "--text sentences.txt     # one a line; a hundred and more"),
    }
    if kind not in wanted:
        return []
    what, option = wanted[kind]
    command = shlex.join(["undertone-convert", "diff", str(args.old), str(args.new)])
    return [
        f"only what their manifests say was compared; which is better, and whether boxes would keep it, is told by {what}:",
        f"  {command} {option}",
    ]
