"""The README is tested: every command, every configuration key and every event kind is in it."""

import re
import typing
from pathlib import Path

import msgspec
import pytest

from edge.__main__ import build_parser
from edge.bus.events import EVENTS
from edge.config import Config

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def _commands() -> list[str]:
    action = next(a for a in build_parser()._actions if hasattr(a, "choices") and a.choices)
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
def test_every_configuration_key_is_in_the_readme(key):
    assert f"`{key}`" in README


@pytest.mark.parametrize("kind", [event.kind for event in EVENTS])
def test_every_event_kind_is_in_the_bus_page(kind):
    assert kind in (Path(__file__).parent.parent / "docs" / "bus.md").read_text(encoding="utf-8")


def test_the_readme_names_no_path_that_is_not_there():
    root = Path(__file__).parent.parent
    linked = re.findall(r"\]\((?!http|#)([^)#]+)", README)
    assert [path for path in linked if not (root / path).exists()] == []


@pytest.mark.parametrize("command", _commands())
def test_every_commands_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "undertone " + command in shown.split("options:")[0]
    assert "example" in shown or "undertone " + command in shown.split("options:")[-1]
