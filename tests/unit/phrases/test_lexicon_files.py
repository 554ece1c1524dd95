"""A site's own lexicon file, and how its patterns are read."""

import pytest

from edge.phrases.automaton import PatternIndex
from edge.phrases.lexicon import Lexicon
from edge.phrases.pattern import Pattern
from tests.unit.phrases.site_files import refused, site


def test_a_site_adds_replaces_and_removes_entries(tmp_path):
    path = site(
        tmp_path,
        """
version: leeds-3
groups:
  - category: broken
    rated_by: leeds team
    why: our customers say wobbly for a line that drops
    entries: {wobbly: -2.5, on hold: -0.5}
remove: [fed up]
""",
    )
    lexicon = Lexicon.load(path)
    assert lexicon.version == "1+leeds-3"
    assert lexicon.act(["the", "line", "is", "wobbly"]).score < -0.4
    assert lexicon.act(["on", "hold"]).negative == -0.5
    assert not lexicon.act(["fed", "up"]).entries
    assert lexicon.explain("wobbly")[1] == "leeds team"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("version: a\ngroups: [{category: brokn, rated_by: x, why: y, entries: {a: 1}}]", ["groups[0].category", "brokn", "broken"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {'a <unti>': -1}}]", ["a <unti>", "<unit>"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {wobbly: -9}}]", ["wobbly", "-4"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {no: -1}}]", ["quote"]),
        ("version: a\nremove: [no such entry]", ["remove", "no such entry"]),
        ("version: a\ngruops: []", ["gruops", "groups"]),
        ("groups: []", ["version"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {'~ hold': -1}}]", ["~", "begin"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {Wobbly: -1}}]", ["Wobbly", "lower-case"]),
    ],
)
def test_a_wrong_site_file_is_refused_in_one_line_that_names_the_key_and_the_remedy(tmp_path, text, names):
    refused(Lexicon.load, site(tmp_path, text), names)


# --- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("on hold", "i am on hold now", (2, 4)),
        ("call|ring me", "please ring me", (1, 3)),
        ("please? help", "do help", (1, 2)),
        ("please? help", "do please help", (1, 3)),
        ("nobody ~ called", "nobody there has called", (0, 4)),
        ("nobody ~ called", "nobody in the whole wide company called", None),
        ("waiting _ hours", "waiting two hours", (0, 3)),
        ("my cancel*", "my cancellation", (0, 2)),
        ("<number> <unit> late", "it came a couple of hours late", (2, 7)),
        ("on hold", "upon holding", None),
    ],
)
def test_a_pattern_finds_what_it_says(pattern, text, found):
    classes = {"unit": ["hours", "days"]}
    matches = PatternIndex([Pattern.parse(pattern, classes)]).find(text.split())
    assert [(match.start, match.end) for match in matches] == ([found] if found else [])


def test_a_word_that_two_lines_come_to_at_once_leads_both_where_it_should():
    index = PatternIndex([Pattern.parse("my complain* today", {})])
    before = index._root.moves["my"]
    state = index._worked_out(index._root, "my", before)
    # Both have looked before either has remembered.
    for nodes in (state.other, state.other):
        index._worked_out(state, "complaint", nodes)
    assert [(match.start, match.end) for match in index.find(["my", "complaint", "today"])] == [(0, 3)]
