"""Names inside strings, pages and scripts, which no import and no type checker looks at: what they name is there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

_PACKAGES = ("edge", "desk", "convert", "tests")
_FOLDERS = (*_PACKAGES, "docs", "systemd", ".ci")
_LOOSE = ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")
_TEXT = {".py", ".md", ".sh", ".toml", ".yaml", ".service", ".html", ".txt", ""}
_MODULE = rf"(?:{'|'.join(_PACKAGES)})(?:\.\w+)+"
# What Python is told to start, and what a page or a comment names in backticks.
_STARTED = re.compile(rf"-m\W+({_MODULE})(?![\w.]*\w\()")
_QUOTED = re.compile(rf"`({_MODULE})`")
_IMPORTED = re.compile(rf"\bfrom ({_MODULE}) import ([a-zA-Z_][\w, ]*)")
_PATH = re.compile(rf"`((?:{'|'.join((*_FOLDERS, 'models'))})/[\w./*-]*\w)`")
# Made by `undertone fetch-model`.
_MADE = {"models/vosk"}


def _texts() -> Iterator[tuple[str, str]]:
    files = [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in (*files, *(ROOT / name for name in _LOOSE)):
        if path.suffix in _TEXT and "nltk_data" not in path.parts and path != Path(__file__):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


@cache
def _file(module: str) -> Path | None:
    path = ROOT / Path(*module.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


@cache
def _holds(module: str, name: str) -> bool:
    """Whether the file of `module` has `name`, or it is a file or folder below it."""
    file = _file(module)
    return _file(f"{module}.{name}") is not None or (
        file is not None and re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) is not None
    )


@cache
def _is_there(dotted: str) -> bool:
    """Whether `dotted` is a module, or a name in one, or an attribute of such a name."""
    parts = dotted.split(".")
    return _file(dotted) is not None or any(
        _holds(".".join(parts[:end]), parts[end]) for end in range(len(parts) - 1, 0, -1) if end > 1 or len(parts) == 2
    )


def _stale(text: str) -> list[str]:
    started = [name for name in _STARTED.findall(text) if _file(name) is None]
    quoted = [name for name in _QUOTED.findall(text) if not _is_there(name)]
    imported = [
        f"{module}: {name}"
        for module, names in _IMPORTED.findall(text)
        for name in re.findall(r"\w+", re.sub(r" as \w+", "", names))
        if not _holds(module, name)
    ]
    paths = [path for path in _PATH.findall(text) if path not in _MADE and not any(ROOT.glob(path)) and not (ROOT / f"{path}.py").is_file()]
    return started + quoted + imported + paths


def test_every_module_and_path_that_a_text_names_is_there():
    assert {path: stale for path, text in _texts() if (stale := _stale(text))} == {}


@pytest.mark.parametrize("text", [
    '"from edge.box import host; host.disk()"', '"from edge.doctor import host, telling"', "$(BIN)/python -m tests.measure_calls",
    '[sys.executable, "-m", "edge.bus.store"]', "see `edge.bundle.apart`", "see `edge/bus/store.py`", "`convert/*_sentences.yaml`",
])  # fmt: skip
def test_what_is_not_there_is_found(text):
    assert _stale(text)
