"""Number words have one home, and nobody keeps a list of their own."""

import ast

import pytest

from edge.phrases.tokens import tokenize
from edge.redaction.number_words import COUNTING, NUMBER_WORDS, TEENS, TENS
from edge.redaction.spoken_numbers import runs
from tests.paths import ROOT

HOME = ROOT / "edge/redaction/number_words.py"


@pytest.mark.parametrize("number", [0, 7, 10, 19, 20, 21, 99, 100, 110, 999, 1000, 1234, 9999])
def test_digits_are_spelled_in_words_that_are_counted_and_found_as_one_number(number):
    words = tokenize(str(number))
    assert set(words) <= COUNTING <= NUMBER_WORDS
    assert [(run.start, run.end) for run in runs(words)] == [(0, len(words))]


@pytest.mark.parametrize("path", [p for folder in ("edge", "convert") for p in (ROOT / folder).rglob("*.py") if p != HOME], ids=str)
def test_nobody_else_lists_number_words(path):
    source = path.read_text(encoding="utf-8")
    if sum(word in source for word in {*TEENS, *TENS}) < 4:
        return
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    words = {word for text in texts for word in text.split()}
    assert len(words & {*TEENS, *TENS}) < 4
