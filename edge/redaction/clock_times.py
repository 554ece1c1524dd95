"""Times of day among spoken numbers: "between nine thirty and ten fifteen" are no eight digits of somebody's."""

import re
from collections.abc import Sequence

from edge.redaction.number_words import ONES, TEENS, TENS

_HOUR = "|".join((*ONES, *TEENS[:3]))
# "oh five", "ten" to "nineteen", "twenty" to "fifty nine".
_MINUTES = f"(?:oh|o) (?:{'|'.join(ONES)})|{'|'.join(TEENS)}|(?:{'|'.join(TENS[:4])})(?: (?:{'|'.join(ONES)}))?"
_TIME = f"(?:{_HOUR}) (?:{_MINUTES})"
_TIMES = re.compile(f"{_TIME}(?: (?:and|or|to|till|until|then|the|at))+ {_TIME}")


def clock_times(words: Sequence[str]) -> bool:
    """Whether lower-case `words` are two times of day and what joins them, and nothing else."""
    return _TIMES.fullmatch(" ".join(words)) is not None
