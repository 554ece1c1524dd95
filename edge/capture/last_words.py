"""What a child process died of, from its stderr: a child of ours writes it as data, any other program as its last line."""

import sys

from edge.errors import Problem, SourceError

_PREFIX = "undertone-problem: "
# More is no reason but a program's whole output in one line.
_LINE_CHARS = 300


def say(error: SourceError) -> None:
    """Write `error` to stderr, for `last_words`."""
    print(f"{_PREFIX}{error.problem.as_json()}", file=sys.stderr, flush=True)


def last_words(text: str) -> Problem | None:
    """What a program whose stderr is `text` died of; None where it said nothing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    try:
        return Problem.from_json(lines[-1].removeprefix(_PREFIX))
    except ValueError:
        # Any other program's, or cut where the pipe's buffer ended.
        return Problem(what=lines[-1][:_LINE_CHARS])
