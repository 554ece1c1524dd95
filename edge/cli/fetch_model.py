"""`undertone fetch-model`: bring the speech recogniser, whole or not at all."""

import argparse
import sys
from pathlib import Path

from edge.cli.files import input_file, output_folder

_EXAMPLES = """\
examples:
  undertone fetch-model                            about 41 MB, once; ends at once when the model is there and whole
  undertone fetch-model --check                    is it there, and is every byte of it right?
  undertone fetch-model --config undertone.yaml    into that box's state_dir, where its service finds it
  undertone fetch-model --from /media/usb/vosk-model-small-en-us-0.15.zip     no network: from a stick

The official zip is tried first, then the same model through Maven (`mvn`). Every file is checked against a sha256 that
this version of Undertone knows. Broken off (Ctrl-C, lost network), the next run goes on; half a model is never left.
Its language model is then fitted to service calls with n-grams that Undertone ships (some seconds).
Without the recogniser a box works with the voice alone, and says so.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "fetch-model",
        help="bring the speech recogniser (about 40 MB, once), checked file by file",
        description="Bring the small English Vosk model that recognises what is said.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--to", type=Path, metavar="FOLDER", help="where the model shall be (default: in your data folder)")
    place.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a box's configuration: where that looks for it (models.vosk or state_dir)",
    )
    parser.add_argument("--from", dest="archive", type=input_file, metavar="FILE", help="a zip or aar that you brought yourself")
    parser.add_argument("--check", action="store_true", help="only check the model that is there, every byte of it")
    parser.add_argument("--force", action="store_true", help="bring it again even if it is there and whole")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, or bring; then fit its language model to service calls."""
    from edge.asr.fitted import fitted_graph
    from edge.asr.vosk_model import check_model
    from edge.errors import ModelError

    target = _target(args)
    if args.check:
        check_model(target)
        fitted = "fitted to service calls" if fitted_graph(target) else "not fitted to service calls: `undertone fetch-model` does it"
        print(f"{target}: whole: every file is as pinned; its language model is {fitted}")
        return 0
    output_folder(target)
    if not args.force and target.is_dir():
        try:
            check_model(target)
        except ModelError as error:
            print(f"undertone: {error}: bringing it again", file=sys.stderr)
        else:
            _fit(target)
            print(f"{target}: already there, and whole")
            return 0
    name = _fetch(target, args.archive)
    _fit(target)
    print(f"{target}: ready (from {name}; every file is as pinned)")
    return 0


def _fit(target: Path) -> None:
    """The language model fitted to service calls, unless it is there."""
    from rich.console import Console

    from edge.asr.fitted import fit, fitted_graph

    if fitted_graph(target):
        return
    console = Console(stderr=True)
    with console.status("reading the language model") as status:
        fit(target, status.update)
    console.print("its language model is fitted to service calls", highlight=False)


def _target(args: argparse.Namespace) -> Path:
    """The folder that shall be the model."""
    from edge.asr.vosk_model import default_place, resembles
    from edge.config import load_config
    from edge.errors import UsageError

    if args.config:
        config = load_config(args.config)
        named = Path(config.models.vosk) if config.models.vosk else None
        # What the configuration names is what the box looks for. A recogniser of another kind that is there stays.
        here = named is not None and (not named.exists() or resembles(named))
        return named if named is not None and here else Path(config.state_dir) / "models" / "vosk"
    target: Path | None = args.to or default_place()
    if target is None:
        raise UsageError("this user has no home folder to keep the model in", remedy="give --to FOLDER, or --config FILE of the box")
    return target.expanduser().absolute()


def _fetch(target: Path, archive: Path | None) -> str:
    """Bring it with a progress bar; return where it came from."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from edge.asr.fetch import Origin, fetch, origins

    sources = (Origin(name=str(archive), bring=lambda _scratch, _progress: archive),) if archive is not None else origins()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("looking for the model", total=None)

        def show(what: str, done: int, total: int | None) -> None:
            bars.update(task, description=what, completed=done, total=total)

        return fetch(target, sources, show)
