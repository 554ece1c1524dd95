"""The docs are tested: every command, every configuration key and every event kind is in them, and what they link to is there."""

import argparse
import re
import typing
from collections.abc import Iterator

import msgspec
import pytest

import convert.__main__
import desk.__main__
import edge.__main__
from desk.config import DeskConfig
from edge.config import Config, MqttConfig
from edge.wire.events import EVENTS
from tests.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
# What three readers need first fits on three screens.
_README_LINES = 130


def _commands() -> list[str]:
    action = next(a for a in edge.__main__.build_parser()._actions if hasattr(a, "choices") and a.choices)
    return sorted(action.choices)


def _keys(kind: object, prefix: str = "") -> list[str]:
    """Dotted keys of a configuration type, lists written as `lines[]`."""
    found = []
    for name, hint in typing.get_type_hints(kind).items():
        inner = [a for a in (hint, *typing.get_args(hint)) if isinstance(a, type) and issubclass(a, msgspec.Struct)]
        listed = typing.get_origin(hint) is tuple
        key = f"{prefix}{name}{'[]' if listed and inner else ''}"
        found += _keys(inner[0], f"{key}.") if inner else [key]
    return found


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_in_the_readme(command):
    assert f"undertone {command}" in README


@pytest.mark.parametrize("key", _keys(Config))
def test_every_configuration_key_is_explained(key):
    assert f"`{key}`" in CONFIGURATION


def test_the_readme_stays_short():
    assert len(README.splitlines()) <= _README_LINES


@pytest.mark.parametrize("kind", [event.kind for event in EVENTS])
def test_every_event_kind_is_in_the_bus_page(kind):
    assert kind in (ROOT / "docs" / "bus.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_links_to_what_is_not_there(page):
    linked = re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [path for path in linked if not (page.parent / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_source_file_that_a_page_names_is_there(page):
    named = re.findall(
        r"`((?:edge|convert|desk|tests|systemd|docs)/[\w/.-]+\.(?:py|yaml|md|sh|png|html))`", page.read_text(encoding="utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_that_a_page_names_is_there(page):
    named = re.findall(r"`((?:edge|convert|desk)(?:\.\w+)+)`", page.read_text(encoding="utf-8"))
    places = {name: ROOT / name.replace(".", "/") for name in named if not name.endswith((".py", ".md"))}
    assert [name for name, place in places.items() if not (place.is_dir() or place.with_suffix(".py").is_file())] == []


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _parsers(inner)


PARSERS = [one for program in (edge.__main__, convert.__main__, desk.__main__) for one in _parsers(program.build_parser())]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog.replace(" ", "-"))
def test_every_commands_help_says_what_it_does_and_teaches_by_example(parser):
    assert parser.description
    examples = [line.strip() for line in (parser.epilog or "").splitlines() if line.startswith("  ")]
    assert [line for line in examples if parser.prog in line]
    # A wrapped example could not be pasted.
    assert parser.formatter_class is argparse.RawDescriptionHelpFormatter


DESK = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["serve", "check", "user add", "token add", "ingest drop", "rebuild", "export", "erase", "backup"])
def test_every_command_of_the_desk_is_in_its_page(command):
    assert f"undertone-desk {command}" in DESK


@pytest.mark.parametrize("key", [key for key in _keys(DeskConfig) if key.split(".")[-1] not in MqttConfig.__struct_fields__])
def test_every_key_of_the_desk_is_explained(key):
    assert f"`{key}`" in DESK
