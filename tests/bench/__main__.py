"""`make bench`: figures and ratios against named baselines, in one run, with the machine described.

Every ratio is of warm processes that take turns; the median of the rounds is the figure, the spread stands beside it. Leaves
build/bench.json and build/bench.png, build/growth.json and build/growth.png. All of it takes about twenty minutes on two cores.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tests.bench import backlog, desk, live, paired, shape, wear
from tests.bench.plots import plot_rows
from tests.bench.row import Row, machine
from tests.bench.shape import BUILD

SECTIONS: dict[str, Callable[[int], list[Row]]] = {
    "call": paired.a_call,
    "clip": paired.a_clip,
    "sentence": paired.a_sentence,
    "interpreter": paired.interpreters,
    "live": live.lines,
    "capacity": shape.capacity,
    "growth": shape.growth,
    "wer": shape.word_errors,
    "size": shape.size,
    "instructions": paired.instructions,
    "wear": wear.wear,
    "desk": desk.desk,
    "backlog": backlog.backlog,
}


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help=f"only these, of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="rounds of each ratio (default: 3); 1 only tries everything at small size")
    args = parser.parse_args()
    console = Console(width=max(150, Console().width))
    rows: list[Row] = []
    took_s: dict[str, float] = {}
    described = machine()
    for section in args.sections or SECTIONS:
        began = time.monotonic()
        with console.status(f"measuring: {section}"):
            rows += SECTIONS[section](args.runs)
        took_s[section] = round(time.monotonic() - began, 1)
    table = Table("measure", "figure", "at least", "aim", "reached", "medians (spread)", title=described)
    for row in rows:
        bounds = ["" if bound is None else f"{bound:g}" for bound in (row.least, row.aim)]
        table.add_row(row.name, f"{row.figure:.2f} {row.unit}", *bounds, row.verdict, row.detail)
    console.print(table)
    console.print(f"took: {', '.join(f'{name} {seconds:.0f} s' for name, seconds in took_s.items())}")
    BUILD.mkdir(exist_ok=True)
    saved = {"machine": described, "runs": args.runs, "took_s": took_s, "rows": [asdict(row) | {"verdict": row.verdict} for row in rows]}
    (BUILD / "bench.json").write_text(json.dumps(saved, indent=1))
    plot_rows(rows, BUILD / "bench.png")
    console.print("saved: build/bench.json, build/bench.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
