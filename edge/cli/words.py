"""`undertone words`: sentences through the words path that the box uses."""

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.files import input_bundle, input_file
from edge.errors import SourceError, UsageError
from edge.values import ModelKind

if TYPE_CHECKING:
    from edge.words.branch import WordsJudge

_EXAMPLES = """\
examples:
  undertone words "i have been on hold for an hour"        one sentence: label, cause, route, and what moved it
  undertone words --file sentences.txt --json              one JSON object a line of the file
  tail -f lines.txt | undertone words - --json             a pipe, answered line by line
  undertone words "where is my parcel" --config box.yaml   with a site's own words, codes, routes and keywords

write as people speak; numbers may be digits. label is negative, neutral or positive. what says nothing ("yes", "okay", an agent's
script) is neutral, as usual on calls, with a reason: no_words, too_short, agent. drivers name the lexicon entries (see
edge/phrases/lexicon.yaml for their patterns), VADER's words and learned words that moved it; below 0 means towards negative.
"text" is your own line, as you gave it; "redacted" is all of it that could leave a box.
exit codes: 0 good, 1 a model is refused, a line is too long or a file is not UTF-8, 2 wrong use, or a file that cannot be read
"""

# The longest utterance, 20 s, holds a twentieth of it; what is worked out on a line grows faster than the line.
_LONGEST_LINE = 10_000


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `undertone words`."""
    parser = commands.add_parser(
        "words",
        help="judge sentences: negative, neutral or positive, and what the complaint is about",
        description="Judge what a customer says: each line of text through the words path that the box uses.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", nargs="?", metavar="TEXT", help="a sentence; - (or nothing) reads lines from standard input")
    parser.add_argument("--file", type=input_file, metavar="FILE", help="read lines from this UTF-8 text file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout, nothing else there")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a box's configuration: its lexicon, causes, keywords and models")
    parser.add_argument("--model", type=input_bundle, metavar="DIR", help="a words bundle to use instead of the shipped or installed one")
    parser.add_argument("--no-model", action="store_true", help="the lexicon and VADER alone, without a learned model")
    parser.add_argument("--allow-unsigned", action="store_true", help="take a bundle that nobody signed, such as one just trained")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge each line."""
    if args.text is not None and args.file is not None:
        raise UsageError("words: both TEXT and --file are given", remedy="give one of them")
    if args.model is not None and args.no_model:
        raise UsageError("words: both --model and --no-model are given", remedy="give one of them")
    judge = _load(args)
    if args.text not in (None, "-"):
        return _answer(judge, args.text.splitlines() or [""], as_json=args.json)
    if args.file is not None:
        return _answer(judge, _lines_of(args.file), as_json=args.json)
    # What a pipe brings may be anything: a byte that is no UTF-8 becomes a mark, not a traceback.
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr] # a real stdin
    return _answer(judge, (line.rstrip("\r\n") for line in sys.stdin), as_json=args.json)


def _lines_of(path: Path) -> list[str]:
    """The lines of a text file. Raises SourceError where it is not UTF-8: a mark in a word's place would be judged as a word."""
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        remedy = "save it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > new.txt"
        raise SourceError("is not UTF-8", path=path, line=line, remedy=remedy) from error
    return [line.rstrip("\r\n") for line in io.StringIO(text, newline=None)]


def judge_line(judge: "WordsJudge", text: str) -> dict[str, Any]:
    """What the words path says of `text`, as one JSON-ready object; an abstention is neutral at calls' own prior, with its reason."""
    from edge.redaction.redact import redact
    from edge.values import Absent
    from edge.words.combine import CALLS

    reading = judge.judge_text(text)
    if isinstance(reading, Absent):
        negative, neutral, positive = CALLS
        return {
            "text": text, "redacted": redact(text), "label": "neutral",
            "p_negative": negative, "p_neutral": neutral, "p_positive": positive,
            "cause": None, "cause_p": None, "cause_alternative": None, "route": None,
            "drivers": [], "spotted": [], "signals": [], "quality": 0.0, "reason": reading.reason,
        }  # fmt: skip
    cause = reading.cause
    return {
        "text": text,
        "redacted": reading.redacted,
        "label": str(reading.label),
        "p_negative": round(reading.p_negative, 6),
        "p_neutral": round(reading.p_neutral, 6),
        "p_positive": round(reading.p_positive, 6),
        "cause": cause.code if cause else None,
        "cause_p": round(cause.p, 4) if cause else None,
        "cause_alternative": cause.alternative if cause else None,
        "route": cause.route if cause else None,
        "drivers": [{"name": driver.name, "weight": driver.weight} for driver in reading.drivers],
        "spotted": [spotted.keyword for spotted in reading.spotted],
        "signals": list(reading.signals),
        "quality": round(reading.evidence.quality, 4),
        "reason": None,
    }


def _load(args: argparse.Namespace) -> "WordsJudge":
    from msgspec.structs import replace

    from edge.bundle.signature import trust_of
    from edge.bundle.store import find_bundle
    from edge.config import Config, load_config
    from edge.words.branch import WordsJudge

    config = load_config(args.config) if args.config else Config()
    if args.allow_unsigned:
        config = replace(config, models=replace(config.models, allow_unsigned=True))
    bundle = None if args.no_model else args.model or find_bundle(ModelKind.WORDS, config)
    return WordsJudge.load(
        bundle,
        Path(config.lexicon) if config.lexicon else None,
        Path(config.causes) if config.causes else None,
        config.keywords,
        trust=trust_of(config),
    )


def _answer(judge: "WordsJudge", lines: Iterable[str], *, as_json: bool) -> int:
    """Judge each line and print it; the exit code."""
    code = 0
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONGEST_LINE:
            said = f"line {number}: {len(line):,} characters, {_LONGEST_LINE:,} at most: a line is one utterance; break it up"
            print(f"undertone words: {said}", file=sys.stderr)
            code = 1
            continue
        judged = judge_line(judge, line)
        if as_json:
            print(json.dumps(judged, ensure_ascii=False), flush=True)
        else:
            print("\n".join(_drawn(judged)), flush=True)
    return code


def _drawn(judged: dict[str, Any]) -> Iterator[str]:
    """For a person: the judgement, then what moved it, strongest first."""
    yield f"{judged['label']:<8} {judged['p_negative']:4.0%} negative  {judged['redacted']}"
    if judged["reason"]:
        yield f"         nothing to judge: {judged['reason']}"
    if judged["cause"]:
        other = f", or {judged['cause_alternative']}" if judged["cause_alternative"] else ""
        yield f"         about: {judged['cause']} ({judged['cause_p']:.0%}{other}), to: {judged['route']}"
    for driver in judged["drivers"]:
        yield f"         {driver['weight']:+6.2f}  {driver['name']}"
