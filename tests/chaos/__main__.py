"""Everything that must not hurt, done on purpose, and a table of what came of it: `make chaos` (25 minutes at most).

python -m tests.chaos                                   all of it
python -m tests.chaos --section capture --section disk  some of it
python -m tests.chaos --size 0.05                       less of it
python -m tests.chaos --page docs/faults.md             the page of the docs
"""

import argparse
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos import clock, desk, disk, gates, hearing, links, outbox, reach, words
from tests.chaos.table import Row, Scale, markdown, write

Section = Callable[[Path, Scale], Iterator[Row]]
SECTIONS: dict[str, Section] = {
    "outbox": outbox.section,
    "links": links.section,
    "clock": clock.section,
    "disk": disk.section,
    "capture": hearing.section,
    "words": words.section,
    "gates": gates.section,
    "reach": reach.section,
    "desk": desk.section,
}
# What nearly always waits (for ten minutes to go by, for a package index) goes by beside the others.
_WAITING = ("links", "reach")


def rows_of(section: Section, name: str, folder: Path, scale: Scale) -> Iterator[Row]:
    """The section's rows; one that cannot be done here, or breaks, is a row too."""
    folder.mkdir()
    try:
        yield from section(folder, scale)
    except pytest.skip.Exception as reason:
        yield Row(fault=name, done="", result=str(reason), good=None)
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 (printed whole; the other sections go on)
        traceback.print_exc()
        yield Row(fault=name, done="", result=" ".join(f"{type(error).__name__}: {error}".split())[:300], good=False)


def _progress(began: float, what: str) -> None:
    """On stderr: stdout is the table."""
    print(f"{(time.monotonic() - began) / 60:4.1f} min: {what}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", action="append", choices=SECTIONS, help="only this one (may be given more than once)")
    parser.add_argument("--size", type=float, default=1.0, help="share of the whole, 0 to 1")
    parser.add_argument("--slack", type=float, default=1.0, help="times the time allowed, for a machine that is busy with other things")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path("build/chaos"), help="folder for faults.md and faults.json")
    parser.add_argument("--page", type=Path, help="write the Markdown here too")
    args = parser.parse_args()
    scale, began = Scale(size=args.size, slack=args.slack, seed=args.seed), time.monotonic()
    print(f"seed {args.seed}\n\n| fault | what was done | result | well again after |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(_WAITING)) as pool:

        def told(name: str) -> list[Row]:
            """The section's rows, printed as they come."""
            found: list[Row] = []
            _progress(began, f"{name} begins")
            for row in rows_of(SECTIONS[name], name, Path(folder) / name, scale):
                found.append(row)
                print(markdown([row]), end="", flush=True)
            _progress(began, f"{name} is done: {len(found)} rows")
            return found

        names = args.section or list(SECTIONS)
        aside = {name: pool.submit(told, name) for name in names if name in _WAITING}
        sections = {name: told(name) for name in names if name not in aside}
        rows = [row for name in names for row in (aside[name].result() if name in aside else sections[name])]
    took = f", in {(time.monotonic() - began) / 60:.0f} minutes on {platform.machine()} with Python {platform.python_version()}"
    how = (
        took
        + ("" if args.size == 1 else f", size {args.size:g}")
        + ("" if args.slack == 1 else f"; the machine was busy with other things, and {args.slack:g} times each bound was let pass")
    )
    write(rows, args.out, when=datetime.now(UTC).date().isoformat(), how=how, page=args.page)
    bad = sum(row.good is False for row in rows)
    print(f"\n{len(rows)} faults{took}: {bad} failed, {sum(row.good is None for row in rows)} not done here; {args.out}/faults.md")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
