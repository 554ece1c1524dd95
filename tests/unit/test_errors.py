"""Errors are data: a sentence is made of them where they are shown, and nothing reads one again."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import errors
from edge.errors import ConfigError, Key, ModelError, Problem, UndertoneError, counted
from tests.paths import ROOT

TREE = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, UndertoneError)}
SOURCES = sorted(path for folder in ("edge", "convert", "desk") for path in (ROOT / folder).rglob("*.py"))
# These take text apart.
_LOOKS_INTO = {
    "startswith", "endswith", "removeprefix", "removesuffix", "replace", "find", "index", "partition", "rpartition", "split", "rsplit",
    "search", "match", "fullmatch", "sub", "findall",
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "is wrong"),
        ({"remedy": "mend it"}, "is wrong; mend it"),
        (
            {"path": Path("/etc/box.yaml"), "where": Key("mqtt.url"), "remedy": "mend it"},
            "/etc/box.yaml: key 'mqtt.url': is wrong; mend it",
        ),
        ({"path": Path("events.jsonl"), "line": 7}, "events.jsonl: line 7: is wrong"),
        ({"where": "mqtt://broker"}, "mqtt://broker: is wrong"),
    ],
)
def test_a_sentence_says_file_line_place_fact_and_remedy_in_this_order(data, sentence):
    assert str(ConfigError("is wrong", **data)) == sentence


def test_who_passes_an_error_on_adds_the_place_that_it_did_not_know_and_changes_none_that_it_did():
    found = ConfigError("begins with '~'", remedy="begin with a word").at(path=Path("site.yaml"), where=Key("cues"))
    assert (found.problem.path, found.problem.where, found.problem.remedy) == (Path("site.yaml"), "cues", "begin with a word")
    again = found.at(path=Path("other.yaml"), where="elsewhere", line=3)
    assert (again.problem.path, again.problem.where, again.problem.line) == (Path("site.yaml"), "cues", 3)
    assert type(again) is ConfigError


@pytest.mark.parametrize(
    ("named", "becomes"),
    [
        ("/tmp/x/manifest.json", "model.tar/manifest.json"),
        ("/tmp/x", "model.tar"),
        ("/tmp/xy/manifest.json", "/tmp/xy/manifest.json"),
    ],
)
def test_what_was_unpacked_aside_is_named_by_where_it_came_from(named, becomes):
    moved = ModelError("damaged", path=Path(named)).moved(Path("/tmp/x"), Path("model.tar"))
    assert moved.problem.path == Path(becomes)


@given(what=st.text(), path=st.none() | st.text(min_size=1).map(Path), where=st.none() | st.text(), remedy=st.none() | st.text())
def test_whatever_an_error_quotes_its_sentence_is_one_line(what, path, where, remedy):
    said = str(UndertoneError(what, path=path, where=where, remedy=remedy))
    assert said.isprintable()


@given(
    what=st.text(),
    path=st.none() | st.text(min_size=1).map(Path),
    where=st.none() | st.text() | st.text().map(Key),
    remedy=st.none() | st.text(),
)
def test_a_problem_goes_in_one_line_from_one_process_to_another_and_arrives_whole(what, path, where, remedy):
    problem = Problem(what=what, path=path, line=7, where=where, remedy=remedy)
    line = problem.as_json()
    assert line.isprintable()
    assert (Problem.from_json(line), str(Problem.from_json(line))) == (problem, str(problem))


@pytest.mark.parametrize("line", ["", "the trunk hung up", "7", "[]", "{}", '{"what": "x"}', '{"what": "x", "path": 7, "key": false}'])
def test_what_is_no_problem_of_ours_is_a_value_error(line):
    with pytest.raises(ValueError, match=r"problem|JSON|Expecting"):
        Problem.from_json(line)


def test_an_error_is_made_again_of_its_problem():
    error = ModelError("damaged", path=Path("m"), line=2, where=Key("files"), remedy="bring it again")
    assert ModelError.of(error.problem).problem == error.problem


def _glued(nodes: Sequence[ast.AST]) -> Iterator[int]:
    """Lines where one text holds fact and remedy, or place and fact."""
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TREE and node.args):
            continue
        match node.args[0]:
            case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(then)), *_]) if then.startswith(": "):
                yield node.lineno
            case ast.JoinedStr(values=parts):
                texts = [part.value for part in parts if isinstance(part, ast.Constant)]
                yield from (node.lineno for text in texts if "; " in str(text))
            case ast.Constant(value=str(text)) if "; " in text:
                yield node.lineno


def _read_again(nodes: Sequence[ast.AST]) -> Iterator[int]:
    """Lines where the sentence of an error that was caught is taken apart or searched."""
    for handler in (node for node in nodes if isinstance(node, ast.ExceptHandler) and node.name and node.type):
        caught = {one.id for one in ast.walk(handler.type) if isinstance(one, ast.Name)}  # type: ignore[arg-type] # not None
        if not caught & (TREE | {"Exception"}):
            continue
        for node in ast.walk(handler):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=given) if attr in _LOOKS_INTO:
                    looked_at = [owner, *given]
                case ast.Compare(ops=[ast.In() | ast.NotIn(), *_], comparators=looked_at):
                    pass
                case _:
                    continue
            yield from (node.lineno for part in looked_at if _is_sentence(part, str(handler.name)))


def _is_sentence(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=called)]):
            return called == name
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=called), attr="problem"), attr="what" | "fault" | "remedy"):
            return called == name
        case ast.JoinedStr(values=parts):
            return any(
                isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and part.value.id == name for part in parts
            )
        case _:
            return False


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_fact_place_and_remedy_are_given_apart_and_no_sentence_is_read_again(path):
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    assert (list(_glued(nodes)), list(_read_again(nodes))) == ([], [])


@pytest.mark.parametrize(
    "source",
    [
        "raise ModelError('damaged; bring it again')",
        "raise ModelError(f'{path} is damaged; bring it again')",
        "raise ModelError(f'{path}: damaged')",
        "try:\n  f()\nexcept ModelError as error:\n  g(str(error).replace(a, b))",
        "try:\n  f()\nexcept ModelError as error:\n  g('/voice/' in str(error))",
        "try:\n  f()\nexcept ModelError as error:\n  g(re.sub('x', 'y', str(error)))",
        "try:\n  f()\nexcept ModelError as error:\n  g(f'{error}'.partition('; '))",
    ],
)
def test_that_search_finds_what_it_is_for(source):
    nodes = list(ast.walk(ast.parse(source)))
    assert [*_glued(nodes), *_read_again(nodes)]


@pytest.mark.parametrize(("number", "told"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (1000, "1,000 calls")])
def test_one_is_told_as_one_and_more_as_more(number, told):
    assert counted(number, "call") == told


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_else_makes_a_plural_of_its_own(path):
    by_hand = re.compile(r"""["']s["'] if|else ["']s["']|== 1 else f?["'][^"']*s["']""")
    assert path == Path(errors.__file__) or by_hand.findall(path.read_text(encoding="utf-8")) == []
