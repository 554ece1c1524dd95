"""The layout's promises, read off the source: floors without a circle, one file a heavy library, edge without convert."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

# From the ground up. A package may import what stands on a floor below its own, and nothing beside it or above it. Loose files of
# `edge` and `convert` are packages of one file. docs/architecture.md draws this, and is checked against it.
FLOORS = (
    ("edge", "edge.values", "edge.errors"),  # `edge` itself: the version
    ("edge.clock", "edge.percentiles", "edge.files", "edge.journal", "edge.verdict", "edge.drawing"),
    ("edge.config", "edge.signal", "edge.segment", "edge.redaction"),
    ("edge.capture", "edge.bundle", "edge.phrases", "edge.broker"),
    ("edge.wire",),
    ("edge.tflite",),
    ("edge.voice", "edge.asr", "edge.words", "edge.outbox", "edge.listen"),
    ("edge.mqtt", "edge.call.rules", "edge.report", "edge.status_page"),
    ("edge.call",),
    ("edge.models",),
    ("edge.service",),
    ("edge.doctor",),
    ("edge.setup",),
    ("edge.cli",),
    ("edge.__main__",),
    ("desk", "desk.config", "desk.store"),
    ("desk.cases", "desk.people"),
    ("desk.impact", "desk.switchboard", "desk.notify"),
    ("desk.ingest",),
    ("desk.web",),
    ("desk.cli",),
    ("desk.__main__",),
    ("convert", "convert.metrics", "convert.columns", "convert.pack", "convert.compare", "convert.workers"),
    ("convert.sound", "convert.fusion"),
    ("convert.voice", "convert.words", "convert.asr"),
    ("convert.evaluation", "convert.fleet"),
    ("convert.__main__",),
)
FLOOR_OF = {package: number for number, floor in enumerate(FLOORS) for package in floor}
ONLY_IN = {
    "vosk": "edge/asr/recogniser.py",
    "nltk": "edge/words/sentiment.py",
    "ai_edge_litert": "edge/tflite/interpreter.py",
    "tflite_runtime": "edge/tflite/interpreter.py",
    "paho": ("edge/mqtt/link.py", "desk/ingest/link.py"),
    "pyaudio": "edge/capture/child.py",
    "soundfile": ("edge/capture/wavfile.py", "convert/sound/codecs.py"),
    "soxr": "edge/signal/resample.py",
    "sqlite3": ("edge/outbox/sqlite.py", "desk/store/sqlite.py"),
    "cryptography": "edge/bundle/signature.py",
    "jinja2": ("edge/files/pages.py", "desk/web/render.py"),
    "tensorflow": ("convert/voice/network.py", "convert/words/network.py"),
    "keras": "convert/voice/network.py",
    "websockets": "edge/listen/websocket.py",
    "psycopg": "desk/store/postgres.py",
    "argon2": "desk/people/accounts.py",
    "authlib": "desk/people/oidc.py",
    "itsdangerous": ("desk/web/desk.py", "desk/web/oidc.py"),
    "sse_starlette": "desk/web/stream.py",
    "prometheus_client": "desk/web/status.py",
    "uvicorn": "desk/cli/serve.py",
}


def _imports(path: Path) -> set[str]:
    """Every module that the file at `path` imports, wherever in it; of `from package import name` both package and package.name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if called == "import_module" and node.args and isinstance(node.args[0], ast.Constant):
                names.add(str(node.args[0].value))
    return names


@cache
def _sources() -> dict[str, set[str]]:
    """Each file of ours and what it imports. Read by the first case that asks: every worker collects this file, one runs it."""
    return {str(p.relative_to(ROOT)): _imports(p) for folder in ("edge", "desk", "convert") for p in (ROOT / folder).rglob("*.py")}


def _package(name: str) -> str:
    """The package of the table that module or name `name` belongs to: the longest that it begins with."""
    parts = name.split(".")
    return next((head for end in range(len(parts), 0, -1) if (head := ".".join(parts[:end])) in FLOOR_OF), name)


def _steps() -> Iterator[tuple[str, str, str]]:
    """Each import of ours from one package into another: the file, its package, the package it imports from."""
    for path, names in _sources().items():
        here = _package(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for there in {_package(name) for name in names if name.split(".")[0] in {"edge", "desk", "convert"}}:
            if there != here:
                yield path, here, there


def test_every_package_stands_on_a_floor():
    folders = {".".join(Path(path).parent.parts) for path in _sources()}
    loose = {path.removesuffix(".py").replace("/", ".") for path in _sources() if len(Path(path).parts) == 2 and "__init__" not in path}
    assert folders | loose == set(FLOOR_OF)


def test_the_architecture_page_draws_these_floors():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.partition("## The floors")[2].split("```")[1]
    drawn = [tuple(line.split()) for line in drawing.splitlines() if line and not line.startswith("---")]
    assert drawn == [*reversed(FLOORS)]


def test_nothing_imports_from_its_own_floor_or_a_higher_one():
    assert [(path, there) for path, here, there in _steps() if FLOOR_OF[there] >= FLOOR_OF[here]] == []


def test_packages_form_no_circle():
    below: dict[str, set[str]] = {package: set() for package in FLOOR_OF}
    for _, here, there in _steps():
        below[here].add(there)
    while ground := [package for package, others in below.items() if not others]:
        below = {package: others - set(ground) for package, others in below.items() if package not in ground}
    assert below == {}


def test_loose_in_edge_is_only_what_everything_stands_on():
    loose = {path.name for path in (ROOT / "edge").glob("*.py")}
    assert loose <= {"errors.py", "clock.py", "percentiles.py", "__main__.py", "__init__.py"}


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_heavy_library_is_imported_in_one_file(library):
    importers = [path for path, names in _sources().items() if any(n.split(".")[0] == library for n in names)]
    allowed = ONLY_IN[library]
    assert set(importers) <= ({allowed} if isinstance(allowed, str) else set(allowed))


def test_edge_never_imports_convert_desk_or_tensorflow():
    above = {"convert", "desk", "tensorflow"}
    guilty = {path: name for path, names in _sources().items() if path.startswith("edge/") for name in names if name.split(".")[0] in above}
    assert guilty == {}


def test_desk_imports_of_the_box_only_the_wire_and_what_stands_below_it():
    allowed = {
        "edge.wire",
        *(package for package, floor in FLOOR_OF.items() if package.split(".")[0] == "edge" and floor < FLOOR_OF["edge.wire"]),
    }
    steps = [(path, there) for path, here, there in _steps() if here.split(".")[0] == "desk" and there.split(".")[0] != "desk"]
    assert [step for step in steps if step[1] not in allowed] == []
